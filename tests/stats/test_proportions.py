import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import optimize, stats
from statsmodels.stats.proportion import confint_proportions_2indep
from statsmodels.stats.proportion import test_proportions_2indep as by_statsmodels

from impact.stats.effects import NotEstimable
from impact.stats.moments import MomentTable
from impact.stats.proportions import ScoreEffect, proportion_difference, successes

by_statsmodels.__test__ = False


@st.composite
def counts(draw, most=200):
    n1, n0 = draw(st.integers(1, most)), draw(st.integers(2, most))
    return (draw(st.integers(0, n1)), n1), (draw(st.integers(0, n0)), n0)


def likeliest(pair, other, difference=None, ratio=None):
    """Pair of proportions with this difference or ratio and the largest likelihood, by plain search."""
    (x1, n1), (x0, n0) = pair, other

    def first(p0):
        return p0 + difference if ratio is None else p0 * ratio

    def loss(p0):
        p1 = min(max(first(p0), 0.0), 1.0)
        parts = [(x1, p1), (n1 - x1, 1 - p1), (x0, p0), (n0 - x0, 1 - p0)]
        return -sum(k * math.log(max(p, 1e-300)) for k, p in parts if k)

    low, high = (max(0.0, -difference), min(1.0, 1 - difference)) if ratio is None else (0.0, min(1.0, 1 / ratio))
    grid = np.linspace(low, high, 400)
    best = grid[int(np.argmin([loss(p) for p in grid]))]
    step = grid[1] - grid[0]
    found = optimize.minimize_scalar(
        loss, bounds=(max(low, best - step), min(high, best + step)), method="bounded", options={"xatol": 1e-13}
    )
    p0 = min((low, high, float(found.x)), key=loss)
    return min(max(first(p0), 0.0), 1.0), p0


@given(counts(), st.floats(-0.95, 0.95))
@settings(max_examples=200, deadline=None)
@example(((0, 10), (0, 10)), 0.0)
@example(((10, 10), (0, 10)), 0.5)
def test_statistic_is_the_score_at_the_likeliest_proportions(pair, difference):
    effect = ScoreEffect(*pair)
    p1, p0 = likeliest(*pair, difference=difference)
    n1, n0 = pair[0][1], pair[1][1]
    variance = (p1 * (1 - p1) / n1 + p0 * (1 - p0) / n0) * (n1 + n0) / (n1 + n0 - 1)
    if variance > 1e-6:
        assert effect.statistic(difference) == pytest.approx(
            (effect.estimate - difference) / math.sqrt(variance), rel=1e-4, abs=1e-5
        )


@given(counts(), st.sampled_from([0.8, 0.95, 0.99]))
@settings(max_examples=100, deadline=None)
def test_interval_ends_where_the_test_just_rejects(pair, level):
    effect = ScoreEffect(*pair)
    low, high = effect.interval(level)
    assert -1 <= low <= effect.estimate <= high <= 1
    for end in (low, high):
        if abs(end) < 1:
            assert effect.p_value(end) == pytest.approx(1 - level, rel=1e-6)
        else:
            assert effect.p_value(end) >= 1 - level - 1e-9


@given(counts(), st.sampled_from([0.8, 0.95]))
@settings(max_examples=100, deadline=None)
def test_ratio_interval_agrees_with_the_difference_about_no_effect(pair, level):
    effect = ScoreEffect(*pair)
    if effect.treated[0] + effect.baseline[0] == 0:
        assert effect.ratio_interval(level) == (0.0, math.inf)
        return
    low, high = effect.ratio_interval(level)
    below, above = effect.interval(level)
    slack = 1e-9
    if abs(effect.p_value() - (1 - level)) > slack:
        assert (low <= 1 <= high) == (below <= 0 <= above)
    for end in (low, high):
        if 0 < end < math.inf:
            p1, p0 = likeliest(*pair, ratio=end)
            n1, n0 = pair[0][1], pair[1][1]
            variance = (p1 * (1 - p1) / n1 + end**2 * p0 * (1 - p0) / n0) * (n1 + n0) / (n1 + n0 - 1)
            if variance > 1e-9 and 1e-3 < end < 1e3:
                distance = pair[0][0] / n1 - end * pair[1][0] / n0
                expected = 1.959963984540054 if level == 0.95 else 1.2815515655446004
                assert abs(distance) / math.sqrt(variance) == pytest.approx(expected, rel=1e-3)


@pytest.mark.filterwarnings("ignore:divide by zero")
@given(counts())
@settings(max_examples=100, deadline=None)
def test_p_agrees_with_statsmodels(pair):
    (x1, n1), (x0, n0) = pair
    if 0 < x1 + x0 < n1 + n0:
        expected = by_statsmodels(x1, n1, x0, n0, method="score", correction=True).pvalue
        assert ScoreEffect(*pair).p_value() == pytest.approx(expected, rel=1e-7, abs=1e-12)


def test_reference(reference):
    data, expected = reference["data"]["proportions"], reference["expected"]["proportions"]
    effect = ScoreEffect((data["treatment"]["x"], data["treatment"]["n"]), (data["control"]["x"], data["control"]["n"]))
    gold = expected["gold"]
    assert (effect.estimate, effect.se) == pytest.approx((gold["estimate"], gold["se_unpooled"]), rel=1e-12)
    assert effect.p_value() == pytest.approx(expected["intervals"]["p_score"], rel=1e-9)
    assert effect.ratio_interval(0.95) == pytest.approx(expected["intervals"]["ratio_ci_score"], rel=1e-9)


def test_statsmodels_interval_of_the_reference_is_not_where_its_own_test_rejects(reference):
    """The reference's ``ci_score`` is statsmodels'; by brute force its upper end has |z| = 1.9507, ours 1.9600."""
    pair = (141, 980), (112, 1000)
    theirs = reference["expected"]["proportions"]["intervals"]["ci_score"]
    assert theirs == pytest.approx(confint_proportions_2indep(141, 980, 112, 1000, method="score"), rel=1e-6)
    for ends, z in ((ScoreEffect(*pair).interval(0.95), 1.959964), (theirs, 1.950659)):
        p1, p0 = likeliest(*pair, difference=ends[1])
        variance = (p1 * (1 - p1) / 980 + p0 * (1 - p0) / 1000) * 1980 / 1979
        assert (ends[1] - ScoreEffect(*pair).estimate) / math.sqrt(variance) == pytest.approx(z, rel=1e-5)


@pytest.mark.parametrize(("n1", "p1", "n0", "p0"), [(100, 0.2, 100, 0.1), (40, 0.5, 70, 0.5), (60, 0.3, 50, 0.35)])
def test_coverage_by_going_through_every_pair_of_counts(n1, p1, n0, p0):
    covered = 0.0
    for x1, a in enumerate(stats.binom.pmf(range(n1 + 1), n1, p1)):
        for x0, b in enumerate(stats.binom.pmf(range(n0 + 1), n0, p0)):
            if a * b > 1e-8:
                covered += a * b * (ScoreEffect((x1, n1), (x0, n0)).p_value(p1 - p0) > 0.05)
    assert covered == pytest.approx(0.95, abs=0.006)


def test_reversing_the_arms():
    there, back = ScoreEffect((7, 30), (3, 40)), ScoreEffect((3, 40), (7, 30))
    assert back.interval(0.95) == pytest.approx([-end for end in reversed(there.interval(0.95))])
    assert back.p_value(0.1) == pytest.approx(there.p_value(-0.1))
    assert back.chance_above(0.02) == pytest.approx(1 - there.chance_above(-0.02))
    low, high = there.ratio_interval(0.95)
    assert back.ratio_interval(0.95) == pytest.approx((1 / high, 1 / low))


def test_nothing_and_everything():
    nothing = ScoreEffect((0, 10), (0, 10))
    assert (nothing.estimate, nothing.p_value(), nothing.chance_above()) == (0, 1, 0.5)
    assert nothing.interval(0.95)[0] < 0 < nothing.interval(0.95)[1]
    everything = ScoreEffect((10, 10), (0, 10))
    assert everything.interval(0.95)[1] == 1
    assert everything.p_value() < 1e-4


def test_counts_come_from_the_moments():
    rng = np.random.default_rng(0)
    x, arm, stratum = rng.random(1000) < 0.1, rng.choice(["t", "b"], 1000), rng.choice(["L", "H"], 1000)
    table = MomentTable.from_arrays({"x": x, "y": rng.normal(0, 1, 1000)}, arm, stratum)
    effect = proportion_difference(table, "x", "t", "b")
    assert effect.treated == (x[arm == "t"].sum(), (arm == "t").sum())
    assert effect.baseline == (x[arm == "b"].sum(), (arm == "b").sum())
    assert successes(table, "x", "other") == 0
    with pytest.raises(ValueError, match="column 'y' isn't 0 and 1"):
        successes(table, "y", "t")
    with pytest.raises(ValueError, match="isn't 0 and 1"):
        successes(MomentTable.from_arrays({"x": [2.0, 0.0, 1.0, 1.0]}, ["t"] * 4), "x", "t")


def test_no_rows():
    table = MomentTable.from_arrays({"x": [1.0, 0.0]}, ["t", "t"])
    assert proportion_difference(table, "x", "t", "b") == NotEstimable("no rows in arm b")
    table = MomentTable.from_arrays({"x": [1.0, 0.0]}, ["t", "b"])
    assert proportion_difference(table, "x", "t", "b") == NotEstimable("fewer than three rows")
