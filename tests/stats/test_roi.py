import math

import numpy as np
import pytest
from scipy import integrate, stats

from impact.stats.adjustment import lin
from impact.stats.clusters import ClusterSums, cr2
from impact.stats.effects import NotEstimable, TEffect, difference
from impact.stats.moments import MomentTable
from impact.stats.roi import (
    acceptability,
    both_above,
    chance_above,
    clustered,
    covariate_adjusted,
    normal_chance,
    quadrants,
    roi,
    stratified,
)


@pytest.fixture
def table(reference):
    data = reference["data"]["roi"]
    arm = np.repeat(["b", "t"], [len(data["control"]["value"]), len(data["treatment"]["value"])])
    columns = {name: np.array(data["control"][name] + data["treatment"][name]) for name in ("value", "cost")}
    return MomentTable.from_arrays(columns, arm)


def test_reference(reference, table):
    expected = reference["expected"]["roi"]
    gold, estimate = expected["gold_roi"], stratified(table, "t", "b")
    value, cost = estimate({"value": 1.0}), estimate({"cost": 1.0})
    assert (value.estimate, value.se) == pytest.approx((gold["delta_value"], gold["se_delta_value"]), rel=1e-9)
    assert (cost.estimate, cost.se) == pytest.approx((gold["delta_cost"], gold["se_delta_cost"]), rel=1e-9)
    found = roi(estimate, 0.95)
    assert found.point == pytest.approx(gold["roi"], rel=1e-9)
    assert found.set.bounds == pytest.approx(gold["roi_ci_inversion_welch_t"], rel=1e-9)
    assert found.status == "shown"
    # the reference's g is at the normal quantile, ours at the one of t on the cost
    at_normal = (stats.norm.ppf(0.975) / cost.quantile(0.95)) ** 2
    assert found.g * at_normal == pytest.approx(gold["fieller_g"], rel=1e-9)
    assert cost.estimate / cost.se == pytest.approx(gold["denominator_t"], rel=1e-9)


def test_net_benefit_at_each_target_of_the_reference(reference, table):
    estimate = stratified(table, "t", "b")
    for target, expected in reference["expected"]["roi"]["gold_net_benefit_at_target_roi"].items():
        benefit = estimate({"value": 1.0, "cost": -(1 + float(target))})
        found = benefit.estimate, benefit.se, benefit.df, benefit.p_value(), *benefit.interval(0.95)
        assert found == pytest.approx(
            [*(expected[k] for k in ("estimate", "se", "df", "p")), *expected["ci"]], rel=1e-9
        )
        flat = expected["prob_roi_gt_target_normal_flat"]
        assert normal_chance(benefit) == pytest.approx(flat, rel=1e-9)
        # with the extra cost 14 standard errors above 0, both together are as likely as the first alone
        assert chance_above(estimate, estimate({"cost": 1.0}), float(target)) == pytest.approx(flat, rel=1e-6)
    curve = acceptability(estimate, [0.0, 0.25, 0.5, 1.0])
    assert curve == sorted(curve, reverse=True)


def made(value, cost, n=400, seed=0):
    """Incremental value and cost, with noise of size 1 in both."""
    rng = np.random.default_rng(seed)
    arm = np.tile(["t", "b"], n)
    noise = rng.normal(0, 1, (2, 2 * n))
    for row in noise:
        for one in ("t", "b"):
            row[arm == one] -= row[arm == one].mean()
    columns = {"value": noise[0] + value * (arm == "t"), "cost": noise[1] + cost * (arm == "t")}
    return stratified(MomentTable.from_arrays(columns, arm), "t", "b")


@pytest.mark.parametrize(
    ("cost", "status", "kind"),
    [
        (1.0, "shown", "interval"),
        (0.2, "interval_only", "interval"),
        (0.05, "not_defined", "rays"),
        (-1.0, "not_defined", "interval"),
    ],
)
def test_gates(cost, status, kind):
    found = roi(made(2.0, cost), 0.95)
    assert (found.status, found.set.kind) == (status, kind)
    assert (found.point is None) == (cost < 0)
    assert sum(found.quadrants) == pytest.approx(1)


def test_whole_line_where_neither_differs_from_zero():
    found = roi(made(0.02, 0.02), 0.95)
    assert (found.status, found.set.kind) == ("not_defined", "line")


def test_roi_of_a_cost_that_does_not_vary_is_the_interval_of_the_value():
    rng = np.random.default_rng(1)
    arm = np.tile(["t", "b"], 200)
    table = MomentTable.from_arrays({"value": rng.normal(3, 2, 400), "cost": 1.7 * (arm == "t")}, arm)
    found, value = roi(stratified(table, "t", "b"), 0.95), difference(table, {"value": 1.0}, "t", "b")
    assert found.set.bounds == pytest.approx([end / 1.7 - 1 for end in value.interval(0.95)], rel=1e-9)
    assert (found.g, found.status) == (0, "shown")
    assert found.p_above_target == pytest.approx(stats.norm.cdf((value.estimate - 1.7) / value.se))
    assert found.quadrants.more_value_more_cost == pytest.approx(normal_chance(value))


def test_a_saving_that_earns():
    quadrant = roi(made(1.0, -1.0), 0.95).quadrants
    assert quadrant.more_value_less_cost == pytest.approx(1)


def test_chance_needs_the_extra_cost_to_be_positive():
    value, cost = TEffect(1.0, 1.0, math.inf, "x"), TEffect(0.5, 1.0, math.inf, "x")

    def estimate(contrast):
        v, c = contrast.get("value", 0.0), contrast.get("cost", 0.0)
        return TEffect(v + 0.5 * c, math.hypot(v, c), math.inf, "x")

    draws = np.random.default_rng(0).normal([[1.0], [0.5]], 1, (2, 1_000_000))
    for target in (0.0, 1.0, -0.5):
        expected = ((draws[0] > (1 + target) * draws[1]) & (draws[1] > 0)).mean()
        assert chance_above(estimate, cost, target) == pytest.approx(expected, abs=2e-3)
    table = quadrants(value, cost, 0.0)
    assert table.more_value_more_cost == pytest.approx(((draws[0] > 0) & (draws[1] > 0)).mean(), abs=2e-3)


@pytest.mark.parametrize("correlation", [-1.0, -0.999, -0.4, 0.0, 0.7, 0.9999, 1.0])
@pytest.mark.parametrize("h", [-2.0, 0.0, 0.3, 4.0])
@pytest.mark.parametrize("k", [-1.0, 0.0, 0.3, 6.0])
def test_both_above_is_the_bivariate_normal(h, k, correlation):
    if abs(correlation) == 1:
        expected = stats.norm.cdf(min(h, k)) if correlation > 0 else max(0, stats.norm.cdf(h) + stats.norm.cdf(k) - 1)
    else:
        rest = math.sqrt(1 - correlation**2)
        x = np.linspace(-9, h, 200_001)
        expected = integrate.simpson(stats.norm.pdf(x) * stats.norm.cdf((k - correlation * x) / rest), x=x)
    assert both_above(h, k, correlation) == pytest.approx(expected, rel=1e-9, abs=1e-13)


def test_the_set_holds_the_rois_whose_net_benefit_is_not_rejected():
    rng = np.random.default_rng(2)
    n = 600
    arm, stratum, cluster = np.tile(["t", "b"], n // 2), np.repeat(["L", "H"], n // 2), np.arange(n) // 10
    arm = np.where(cluster % 2, "t", "b")
    before = rng.normal(0, 1, n)
    columns = {
        "value": rng.normal(0, 2, n) + before + 1.5 * (arm == "t"),
        "cost": rng.gamma(2, 1, n) + 1.0 * (arm == "t"),
        "before": before,
    }
    table = MomentTable.from_arrays(columns, arm, stratum)
    sums = ClusterSums.from_arrays(columns, arm, cluster)
    for estimate, direct in (
        (stratified(table, "t", "b"), lambda c: difference(table, c, "t", "b")),
        (covariate_adjusted(table, ["before"], "t", "b"), lambda c: lin(table, c, ["before"], "t", "b")),
        (clustered(sums, "t", "b"), lambda c: cr2(sums, c, "t", "b")),
    ):
        for level in (0.95, 0.995):
            found = roi(estimate, level)
            for x in np.linspace(-3, 6, 31):
                p = direct({"value": 1.0, "cost": -(1 + x)}).p_value()
                assert (x in found.set) == (p > 1 - level)


def test_story_a(story_a):
    """The credit costs 17.50 a customer and brings back 9.00: the ROI is firmly negative."""
    columns = {"value": 300 * (1 - story_a["churned"]), "cost": story_a["cost"]}
    table = MomentTable.from_arrays(columns, story_a["arm"], story_a["band"])
    found = roi(stratified(table, "credit", "none"), 0.95)
    assert found.point == pytest.approx(9.0 / 17.5 - 1)
    assert found.set.bounds[1] < 0 and found.status == "shown"
    assert found.p_above_target < 1e-9


def test_reasons():
    few = MomentTable.from_arrays({"value": [1.0], "cost": [1.0]}, ["t"])
    assert roi(stratified(few, "t", "b"), 0.95) == NotEstimable("fewer than two rows in an arm")
    assert acceptability(stratified(few, "t", "b"), [0.0]) == NotEstimable("fewer than two rows in an arm")
    flat = MomentTable.from_arrays({"value": [1.0] * 4, "cost": [1.0] * 4}, ["t", "b"] * 2)
    assert roi(stratified(flat, "t", "b"), 0.95) == NotEstimable("neither value nor cost varies in either arm")
