import numpy as np
import pytest
from scipy import stats

from impact.stats.adjustment import lin_parts
from impact.stats.effects import difference
from impact.stats.lift import lift, lift_of, proportion_lift
from impact.stats.moments import MomentTable
from impact.stats.proportions import ScoreEffect
from impact.stats.ratio_sets import fieller
from impact.stats.ratios import ratio_parts

Y = {"y": 1.0}


def test_means_of_the_reference(reference):
    data, gold = reference["data"]["means"], reference["expected"]["means"]["gold"]
    arm = np.repeat(["b", "t"], [len(data["control"]), len(data["treatment"])])
    table = MomentTable.from_arrays({"y": data["control"] + data["treatment"]}, arm)
    effect = difference(table, Y, "t", "b")
    found = lift(table, Y, "t", "b", effect, 0.95)
    assert found.estimate == pytest.approx(gold["rel"], rel=1e-9)
    assert found.set.bounds == pytest.approx(gold["rel_ci_fieller"], rel=1e-9)


def test_proportions_of_the_reference(reference):
    data, gold = reference["data"]["proportions"], reference["expected"]["proportions"]["gold"]
    rows = {arm: np.arange(given["n"]) < given["x"] for arm, given in data.items()}
    arm = np.repeat(["b", "t"], [1000, 980])
    table = MomentTable.from_arrays({"y": np.concatenate([rows["control"], rows["treatment"]])}, arm)
    # the reference divides by n and takes the normal quantile
    means, n = [0.112, 141 / 980], (1000, 980)
    expected = fieller(
        means[1],
        means[0],
        *(p * (1 - p) / k for p, k in zip(means[::-1], n[::-1], strict=True)),
        0.0,
        float(stats.norm.ppf(0.975)),
    )
    assert expected.shifted(-1.0).bounds == pytest.approx(gold["rel_ci_fieller"], rel=1e-9)
    found = lift(table, Y, "t", "b", difference(table, Y, "t", "b"), 0.95)
    assert found.estimate == pytest.approx(gold["rel"], rel=1e-9)
    assert found.set.bounds == pytest.approx(gold["rel_ci_fieller"], rel=2e-2)
    score = proportion_lift(ScoreEffect((141, 980), (112, 1000)), 0.95)
    theirs = reference["expected"]["proportions"]["intervals"]["ratio_ci_score"]
    assert score.set.bounds == pytest.approx([end - 1 for end in theirs], rel=1e-7)


def test_ratios_of_the_reference(reference):
    data, gold = reference["data"]["ratio"], reference["expected"]["ratio"]["gold"]
    arm = np.repeat(["b", "t"], [len(data["control"]["numer"]), len(data["treatment"]["numer"])])
    columns = {name: np.array(data["control"][name] + data["treatment"][name]) for name in ("numer", "denom")}
    parts = ratio_parts(MomentTable.from_arrays(columns, arm), {"numer": 1.0}, {"denom": 1.0}, "t", "b")
    found = lift_of(parts.means, parts.effect, 0.95)
    assert found.estimate == pytest.approx(gold["rel"], rel=1e-9)
    assert found.set.bounds == pytest.approx(gold["rel_ci_fieller"], rel=1e-9)


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_it_never_contradicts_the_absolute_effect(seed, offset):
    rng = np.random.default_rng(seed)
    arm, stratum, x = rng.choice(["t", "b"], 200), rng.choice(["L", "H"], 200), rng.normal(0, 1, 200)
    y = rng.normal(3, 1, 200) + x + 0.28 * (arm == "t") + offset
    table = MomentTable.from_arrays({"y": y, "x": x}, arm, stratum)
    effect, parts = difference(table, Y, "t", "b"), lin_parts(table, Y, ["x"], "t", "b")
    for one, found in (
        (effect, lift(table, Y, "t", "b", effect, 0.95)),
        (parts.effect, lift_of(parts.means, parts.effect, 0.95)),
    ):
        assert (0.0 in found.set) == (one.p_value() > 0.05)
        assert found.estimate in found.set


def test_adjusted_means_and_their_covariance_make_the_adjusted_effect():
    rng = np.random.default_rng(0)
    arm, x = rng.choice(["t", "b"], 200), rng.normal(50, 1, 200)
    table = MomentTable.from_arrays({"y": x * np.where(arm == "t", 3, 1) + rng.normal(0, 1, 200), "x": x}, arm)
    parts = lin_parts(table, Y, ["x"], "t", "b")
    means = parts.means
    assert means.treated - means.baseline == pytest.approx(parts.effect.estimate)
    assert means.v_treated + means.v_baseline - 2 * means.covariance == pytest.approx(parts.effect.se**2)
    assert (means.treated, means.baseline) == pytest.approx((150, 50), abs=1.5)


def test_no_share_of_nothing_or_of_a_loss():
    for baseline in ([0.0, 0.0, 0.0], [-2.0, -1.0, -3.0]):
        table = MomentTable.from_arrays({"y": [1.0, 2.0, 3.0, *baseline]}, ["t"] * 3 + ["b"] * 3)
        assert lift(table, Y, "t", "b", difference(table, Y, "t", "b"), 0.95) is None
    assert proportion_lift(ScoreEffect((3, 10), (0, 10)), 0.95) is None
    few = MomentTable.from_arrays({"y": [1.0, 2.0, 3.0]}, ["t", "t", "b"])
    assert lift(few, Y, "t", "b", difference(table, Y, "t", "b"), 0.95) is None
