import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from impact.stats.effects import (
    NO_VARIANCE,
    TOO_FEW_ROWS,
    NotEstimable,
    TEffect,
    arm_means,
    difference,
    estimable,
    projected,
)
from impact.stats.moments import MomentTable

Y = {"y": 1.0}
NET = {"value": 1.0, "cost": -1.0}


def two_arms(treated, baseline, **kwargs):
    arm = np.repeat(["t", "b"], [len(treated), len(baseline)])
    return difference(MomentTable.from_arrays({"y": np.concatenate([treated, baseline])}, arm, **kwargs), Y, "t", "b")


def test_welch_of_the_reference(reference):
    data, expected = reference["data"]["means"], reference["expected"]["means"]["gold"]
    effect = two_arms(data["treatment"], data["control"])
    found = effect.estimate, effect.se, effect.df, effect.estimate / effect.se, effect.p_value(), *effect.interval(0.95)
    assert found == pytest.approx(
        [*(expected[k] for k in ("estimate", "se", "df", "t", "p")), *expected["ci"]], rel=1e-9
    )
    assert effect.method == "welch"


def test_welch_on_a_proportion_of_the_reference(reference):
    data, expected = reference["data"]["proportions"], reference["expected"]["proportions"]["gold"]["welch_on_01"]
    rows = {arm: np.arange(given["n"]) < given["x"] for arm, given in data.items()}
    effect = two_arms(rows["treatment"], rows["control"])
    found = effect.estimate, effect.se, effect.df, effect.p_value(), *effect.interval(0.95)
    assert found == pytest.approx([*(expected[k] for k in ("estimate", "se", "df", "p")), *expected["ci"]], rel=1e-9)


numbers = st.lists(st.integers(-1000, 1000).map(lambda i: i / 8), min_size=2, max_size=30)


@pytest.mark.filterwarnings("ignore:Precision loss")
@given(numbers, numbers, st.sampled_from([0.0, 1e8, -1e10, 1e12]), st.floats(0.5, 0.999))
@settings(deadline=None)
def test_agrees_with_scipy_at_any_offset(treated, baseline, offset, level):
    effect = two_arms(np.array(treated) + offset, np.array(baseline) + offset)
    if np.ptp(treated) == np.ptp(baseline) == 0:
        assert (effect.se, effect.estimate) == (0, treated[0] - baseline[0])
        return
    expected = stats.ttest_ind(treated, baseline, equal_var=False)
    assert effect.df == pytest.approx(expected.df, rel=1e-9)
    assert effect.p_value() == pytest.approx(expected.pvalue, rel=1e-7, abs=1e-300)
    assert effect.interval(level) == pytest.approx(expected.confidence_interval(level), rel=1e-9, abs=1e-9)


@given(st.integers(0, 2**31))
@settings(max_examples=40, deadline=None)
def test_stratified_is_the_sum_over_cells(seed):
    rng = np.random.default_rng(seed)
    n = 120
    arm, stratum, phase = rng.choice(["t", "b", "o"], n), rng.choice(["L", "M"], n), rng.choice(["1", "2"], n)
    # two rows at least in every cell, since with fewer the cells are merged
    arm[:24], stratum[:24], phase[:24] = np.array([*product("tbo", "LM", "12")] * 2).T
    y = rng.exponential(10, n) + 1e9
    effect = difference(MomentTable.from_arrays({"y": y}, arm, stratum, phase), Y, "t", "b")
    estimate = variance = spread = 0.0
    for s in "LM":
        for p in "12":
            cell = (stratum == s) & (phase == p)
            w = cell.mean()
            t, b = y[cell & (arm == "t")] - 1e9, y[cell & (arm == "b")] - 1e9
            assert min(len(t), len(b)) >= 2
            estimate += w * (t.mean() - b.mean())
            for sample in (t, b):
                v = sample.var(ddof=1) / len(sample)
                variance += w**2 * v
                spread += w**4 * v**2 / (len(sample) - 1)
    assert effect.method == "stratified"
    assert effect.estimate == pytest.approx(estimate, rel=1e-6)
    assert (effect.se, effect.df) == pytest.approx((math.sqrt(variance), variance**2 / spread), rel=1e-6)


def nist():
    folder = __import__("importlib.resources").resources.files("scipy.stats") / "tests/data/nist_anova"
    return sorted(file.name for file in folder.iterdir() if file.name.endswith(".dat"))


@pytest.mark.parametrize("name", nist())
def test_nist_certified_one_way_analysis(name):
    """Within the digits that the data have in double precision, and exact against the rationals in any case."""
    from fractions import Fraction
    from importlib.resources import files

    lines = (files("scipy.stats") / "tests/data/nist_anova" / name).read_text().splitlines()
    certified = [line.split() for line in lines if line.startswith(("Between", "Within"))]
    expected = float(certified[0][-1])
    rows = [line.split() for line in lines[60:] if line.strip()]
    labels, y = [row[0] for row in rows], np.array([float(row[1]) for row in rows])
    table = MomentTable.from_arrays({"y": y}, labels)
    grand = sum(m.n * m.mean[0] for m in table.cells.values()) / table.n
    between = sum(m.n * (m.mean[0] - grand) ** 2 for m in table.cells.values())
    within = sum(m.comoments[0, 0] for m in table.cells.values())
    k = len(table.cells)
    f = between / (k - 1) / (within / (table.n - k))
    leading = 13 if name in ("SmLs07.dat", "SmLs08.dat", "SmLs09.dat") else 7 if name[:5] == "SmLs0" else 0
    assert f == pytest.approx(expected, rel=1e-2 if leading == 13 else 1e-8 if leading == 7 else 1e-9)

    exact = [Fraction(value) for value in y]
    parts = [[v for v, label in zip(exact, labels, strict=True) if label == one] for one in sorted(set(labels))]
    means = [sum(part) / len(part) for part in parts]
    left = sum((v - mean) ** 2 for part, mean in zip(parts, means, strict=True) for v in part)
    assert within == pytest.approx(float(left), rel=1e-9)


def test_story_a(story_a, stories):
    expected = stories["story_a"]
    retained = 1 - story_a["churned"]
    table = MomentTable.from_arrays(
        {"value": 300 * retained, "cost": story_a["cost"], "churned": story_a["churned"]},
        story_a["arm"],
        story_a["band"],
    )
    flat = MomentTable.from_arrays({"value": 300 * retained, "cost": story_a["cost"]}, story_a["arm"])
    for arm in ("bonus", "credit"):
        compare(difference(table, {"churned": 1.0}, arm, "none"), expected["churn"][arm])
        compare(difference(table, NET, arm, "none"), expected["net"][arm])
        compare(difference(flat, NET, arm, "none"), expected["net_ignoring_strata"][arm])
        for band in "LMH":
            rows = story_a["band"] == band
            one = MomentTable.from_arrays(
                {"value": 300 * retained[rows], "cost": story_a["cost"][rows]}, story_a["arm"][rows]
            )
            compare(difference(one, NET, arm, "none"), expected["net_by_band"][f"{band} {arm}"])


def test_story_b(story_b, stories):
    for band in ("low", "high"):
        rows = story_b["band"] == band
        expected = stories["story_b"][band]
        saving = MomentTable.from_arrays({"y": -story_b["cost"][rows]}, story_b["arm"][rows], story_b["line"][rows])
        compare(difference(saving, Y, "wait", "stop"), expected["saving of waiting"])
        flat = MomentTable.from_arrays({"y": -story_b["cost"][rows]}, story_b["arm"][rows])
        compare(difference(flat, Y, "wait", "stop"), expected["saving of waiting, ignoring lines (Welch)"])


def compare(effect, expected):
    p = expected.get("p_value", expected.get("p"))
    found = effect.estimate, effect.se, effect.df, *effect.interval(0.95), effect.p_value()
    assert found == pytest.approx([expected["effect"], expected["se"], expected["df"], *expected["ci"], p], rel=1e-9)
    if "p_gt_0" in expected:
        assert effect.chance_above() == pytest.approx(expected["p_gt_0"], rel=1e-9)


def test_projection_adds_the_mix_of_cells():
    rng = np.random.default_rng(3)
    arm, stratum = np.tile(["t", "b"], 100), np.repeat(["L", "H"], 100)
    y = rng.normal(0, 1, 200) + 3 * ((arm == "t") & (stratum == "H"))
    table = MomentTable.from_arrays({"y": y}, arm, stratum)
    now, later = difference(table, Y, "t", "b"), projected(table, Y, "t", "b")
    cells = [y[(stratum == s) & (arm == "t")].mean() - y[(stratum == s) & (arm == "b")].mean() for s in ("L", "H")]
    assert later.estimate == now.estimate
    assert later.se**2 - now.se**2 == pytest.approx(np.var(cells) / 200)


def test_reversing_the_arms_reverses_the_effect():
    rng = np.random.default_rng(4)
    treated, baseline = rng.normal(1, 1, 20), rng.normal(0, 2, 30)
    there, back = two_arms(treated, baseline), two_arms(baseline, treated)
    assert back.estimate == -there.estimate
    assert back.interval(0.9) == pytest.approx([-end for end in reversed(there.interval(0.9))])
    assert back.chance_above(0.3) == pytest.approx(1 - there.chance_above(-0.3))


def test_p_interval_and_chance_agree():
    effect = TEffect(2.0, 1.0, 12.0, "welch")
    low, high = effect.interval(0.9)
    assert effect.p_value(low) == pytest.approx(0.1)
    assert effect.chance_above(low) == pytest.approx(0.95)
    assert effect.chance_above(high) == pytest.approx(0.05)


@pytest.mark.parametrize(("treated", "baseline"), [([1.0], [2.0, 3.0]), ([1.0, 2.0], [3.0]), ([1.0, 2.0], [])])
def test_too_few_rows(treated, baseline):
    assert two_arms(treated, baseline) == NotEstimable(TOO_FEW_ROWS)
    arm = np.repeat(["t", "b"], [len(treated), len(baseline)])
    table = MomentTable.from_arrays({"y": [*treated, *baseline]}, arm)
    assert projected(table, Y, "t", "b") == arm_means(table, Y, "t", "b") == NotEstimable(TOO_FEW_ROWS)


def test_two_rows_an_arm_are_enough():
    effect = two_arms([1.0, 2.0], [5.0, 5.5])
    expected = stats.ttest_ind([1.0, 2.0], [5.0, 5.5], equal_var=False)
    assert effect.p_value() == pytest.approx(expected.pvalue)


def test_no_variance_is_said_and_never_a_p_value():
    effect = two_arms([3.0] * 5, [1.0] * 4)
    assert (effect.estimate, effect.se, effect.interval(0.95)) == (2.0, 0.0, (2.0, 2.0))
    assert math.isnan(effect.p_value())
    assert (effect.chance_above(1.0), effect.chance_above(2.5)) == (1.0, 0.0)
    assert estimable(effect) == NotEstimable(NO_VARIANCE)
    assert estimable(two_arms([3.0, 4.0], [1.0, 1.0])).se > 0
    assert estimable(NotEstimable("x")) == NotEstimable("x")
