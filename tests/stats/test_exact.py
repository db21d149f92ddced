import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from impact.stats.exact import OUTSIDE, ExactEffect, _scores, feasible
from impact.stats.proportions import ScoreEffect


@pytest.mark.parametrize(
    "pair",
    [
        ((7, 12), (1, 10)),
        ((0, 10), (3, 10)),
        ((3, 10), (0, 10)),
        ((2, 40), (9, 45)),
        ((1, 1), (1, 2)),
        ((5, 5), (2, 9)),
    ],
)
def test_one_side_is_barnards_test(pair):
    (x1, n1), (x0, n0) = pair
    above, below = ExactEffect(*pair).tails(0.0)
    for tail, side in ((above, "greater"), (below, "less")):
        expected = stats.barnard_exact([[x1, x0], [n1 - x1, n0 - x0]], alternative=side).pvalue
        # the range of proportions that is searched may leave out barnard's worst one, at the price of OUTSIDE
        assert tail <= min(1.0, expected + OUTSIDE) + 1e-7
        if x0 not in (0, n0):
            assert tail == pytest.approx(expected, rel=1e-3, abs=2e-6)


@given(st.integers(2, 12), st.integers(2, 12), st.floats(0.02, 0.98), st.floats(-0.3, 0.3))
@settings(max_examples=10, deadline=None)
def test_it_never_rejects_more_often_than_alpha(n1, n0, p0, difference):
    p1 = p0 + difference
    if not 0 <= p1 <= 1:
        return
    chance = 0.0
    for x1 in range(n1 + 1):
        for x0 in range(n0 + 1):
            if ExactEffect((x1, n1), (x0, n0)).p_value(difference) <= 0.05:
                chance += stats.binom.pmf(x1, n1, p1) * stats.binom.pmf(x0, n0, p0)
    assert chance <= 0.05


@pytest.mark.parametrize(
    "pair", [((7, 12), (1, 10)), ((0, 10), (0, 10)), ((10, 10), (0, 10)), ((5, 15_000), (0, 15_000))]
)
def test_interval_and_p_agree(pair):
    effect = ExactEffect(*pair)
    low, high = effect.interval(0.95)
    assert -1 <= low < effect.estimate + 1e-12 and effect.estimate - 1e-12 < high <= 1
    width = high - low
    for end, side in ((low, -1), (high, 1)):
        if abs(end) < 1:
            assert effect.p_value(end + side * 0.01 * width) < 0.05
            assert effect.p_value(end - side * 0.01 * width) > 0.05
    assert (effect.p_value() <= 0.05) == (not low <= 0 <= high)


def test_it_is_wider_than_the_score_interval_but_not_by_much():
    pair = (2, 40), (9, 45)
    exact, score = ExactEffect(*pair).interval(0.95), ScoreEffect(*pair).interval(0.95)
    assert exact[0] < score[0] < score[1] < exact[1]
    assert exact == pytest.approx(score, abs=0.02)


def test_reversing_the_arms():
    there, back = ExactEffect((7, 12), (1, 10)), ExactEffect((1, 10), (7, 12))
    assert back.estimate == -there.estimate
    assert back.p_value() == pytest.approx(there.p_value(), rel=1e-3)
    assert back.interval(0.9) == pytest.approx([-end for end in reversed(there.interval(0.9))], abs=1e-3)
    assert back.chance_above(0.1) == pytest.approx(1 - there.chance_above(-0.1), abs=1e-3)


def test_nothing_at_all():
    effect = ExactEffect((0, 10), (0, 10))
    assert (effect.p_value(), effect.chance_above(), effect.se) == (1.0, 0.5, 0.0)


def test_its_statistic_is_that_of_the_score_method():
    x1, x0 = np.arange(13.0), np.arange(10.0)
    for difference in (-0.4, 0.0, 0.25):
        found = _scores(x1[:, None], 12, x0[None, :], 9, difference)
        expected = [[ScoreEffect((int(a), 12), (int(b), 9)).statistic(difference) for b in x0] for a in x1]
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


def test_feasible_where_one_side_of_the_counts_is_small():
    assert feasible((3, 15_000), (0, 15_000))
    assert feasible((40, 80), (30, 70))
    assert not feasible((5_000, 15_000), (0, 15_000))
