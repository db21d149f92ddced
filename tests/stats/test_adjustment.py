import math

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from impact.stats.adjustment import TOO_FEW_ROWS, cuped, lin, lin_parts, missing_by_indicator, slopes
from impact.stats.effects import NotEstimable, difference
from impact.stats.moments import MomentTable

Y = {"y": 1.0}


@pytest.fixture
def table(reference):
    data = reference["data"]["cuped"]
    arm = np.repeat(["b", "t"], [len(data["control"]["y"]), len(data["treatment"]["y"])])
    columns = {name: np.array(data["control"][name] + data["treatment"][name]) for name in "yx"}
    return MomentTable.from_arrays(columns, arm)


def test_cuped_of_the_reference(reference, table):
    gold = reference["expected"]["cuped"]["gold_cuped_pooled_theta"]
    effect = cuped(table, Y, ["x"], "t", "b")
    found = effect.estimate, effect.se, effect.df, effect.p_value(), *effect.interval(0.95)
    assert found == pytest.approx([*(gold[k] for k in ("estimate", "se", "df", "p")), *gold["ci"]], rel=1e-9)
    assert slopes(table, Y, ["x"]) == {"x": pytest.approx(gold["theta"], rel=1e-12)}


def test_lin_of_the_reference(reference, table):
    gold = reference["expected"]["cuped"]["gold_lin_sufficient_stats"]
    parts = lin_parts(table, Y, ["x"], "t", "b")
    assert parts.effect.estimate == pytest.approx(gold["estimate"], rel=1e-9)
    # the reference leaves the leverage out of both errors; ours has it
    assert math.sqrt(parts.residual) == pytest.approx(gold["se_finite_population"], rel=1e-9)
    without = math.sqrt(parts.residual + parts.superpopulation)
    assert without == pytest.approx(gold["se_superpopulation"], rel=1e-9)
    assert parts.effect.se == pytest.approx(math.sqrt(parts.residual + parts.leverage + parts.superpopulation))
    assert parts.effect.df == pytest.approx(gold["df_satterthwaite"], rel=1e-2)


def made(seed, n=240, strata=("",), offset=0.0):
    rng = np.random.default_rng(seed)
    arm, stratum = rng.choice(["t", "b", "o"], n), rng.choice(strata, n)
    x, z = rng.exponential(1, n), rng.normal(0, 1e-4, n)
    y = rng.normal(0, 1, n) + np.where(arm == "t", 2.0, 1.0) * x + 3e4 * z + 0.4 * (arm == "t")
    return {"y": y + offset, "x": x + offset, "z": z}, arm, stratum


@given(st.integers(0, 2**31), st.sampled_from([0.0, 1e7]))
@settings(max_examples=40, deadline=None)
def test_lin_is_least_squares_with_interactions(seed, offset):
    columns, arm, _ = made(seed, offset=offset)
    plain, *_ = made(seed)
    found = lin(MomentTable.from_arrays(columns, arm), Y, ["x", "z"], "t", "b")
    mine = (arm == "t") | (arm == "b")
    centred = [plain[name][mine] - plain[name].mean() for name in "xz"]
    treated = (arm[mine] == "t") * 1.0
    design = np.column_stack([np.ones(mine.sum()), treated, *centred, *(treated * column for column in centred)])
    fitted = sm.OLS(plain["y"][mine], design).fit()
    assert found.estimate == pytest.approx(fitted.params[1], rel=1e-6)
    # each arm's own residual variance, leverage included: least squares arm by arm
    variance = 0.0
    for one in ("t", "b"):
        rows = arm == one
        own = np.column_stack([np.ones(rows.sum()), *(plain[name][rows] - plain[name].mean() for name in "xz")])
        variance += sm.OLS(plain["y"][rows], own).fit().cov_params()[0, 0]
    parts = lin_parts(MomentTable.from_arrays(columns, arm), Y, ["x", "z"], "t", "b")
    assert parts.residual + parts.leverage == pytest.approx(variance, rel=1e-6)


def test_lin_within_cells_is_the_shares_sum():
    columns, arm, stratum = made(1, 600, ("L", "H"))
    whole = lin(MomentTable.from_arrays(columns, arm, stratum), Y, ["x"], "t", "b")
    estimate = square = 0.0
    for one in ("L", "H"):
        rows = stratum == one
        part = lin(MomentTable.from_arrays({k: v[rows] for k, v in columns.items()}, arm[rows]), Y, ["x"], "t", "b")
        estimate += rows.mean() * part.estimate
        square += rows.mean() ** 2 * part.se**2
    assert (whole.estimate, whole.se) == pytest.approx((estimate, math.sqrt(square)), rel=1e-9)


def test_without_covariates_it_is_the_stratified_difference():
    columns, arm, stratum = made(2, 400, ("L", "H"))
    table = MomentTable.from_arrays(columns, arm, stratum)
    for adjusted in (lin(table, Y, [], "t", "b"), cuped(table, Y, [], "t", "b")):
        plain = difference(table, Y, "t", "b")
        assert (adjusted.estimate, adjusted.se, adjusted.df) == pytest.approx((plain.estimate, plain.se, plain.df))


@pytest.mark.parametrize("estimate", [lin, cuped])
def test_singular_covariates_and_scales_change_nothing(estimate):
    columns, arm, _ = made(3)
    columns |= {
        "twice": 2 * columns["x"],
        "level": np.full(240, 7.0),
        "tiny": 1e-9 * columns["z"],
        "huge": 1e9 * columns["z"],
    }
    table = MomentTable.from_arrays(columns, arm)
    plain = estimate(table, Y, ["x", "z"], "t", "b")
    for covariates in (["x", "z", "twice"], ["x", "z", "level"], ["x", "tiny"], ["huge", "x"]):
        found = estimate(table, Y, covariates, "t", "b")
        assert (found.estimate, found.se) == pytest.approx((plain.estimate, plain.se), rel=1e-7)


def test_cuped_is_one_slope_over_all_arms_within_cells():
    columns, arm, stratum = made(4, 300, ("L", "H"))
    columns["y"] += 50 * (stratum == "H")
    columns["x"] += 50 * (stratum == "H")
    found = slopes(MomentTable.from_arrays(columns, arm, stratum), Y, ["x"])["x"]
    within = {name: columns[name].copy() for name in "xy"}
    for one in ("L", "H"):
        for name in "xy":
            within[name][stratum == one] -= within[name][stratum == one].mean()
    assert found == pytest.approx(within["x"] @ within["y"] / (within["x"] @ within["x"]))


def test_the_baseline_has_one_adjusted_mean_whoever_it_is_compared_with():
    columns, arm, _ = made(5, 300)
    table = MomentTable.from_arrays(columns, arm)
    one, other = (lin_parts(table, Y, ["x"], treated, "b").means.baseline for treated in ("t", "o"))
    assert one == pytest.approx(other, rel=1e-12)


def test_missing_values_become_an_indicator():
    found = missing_by_indicator("x", [1.0, math.nan, 3.0, math.nan])
    assert {name: list(values) for name, values in found.items()} == {"x": [-1, 0, 1, 0], "x_missing": [0, 1, 0, 1]}
    assert list(missing_by_indicator("x", [math.nan])["x"]) == [0]
    rng = np.random.default_rng(0)
    arm, x = rng.choice(["t", "b"], 400), rng.normal(5, 1, 400)
    y, gone = 2 * x + rng.normal(0, 0.1, 400), rng.random(400) < 0.3
    columns = missing_by_indicator("x", np.where(gone, math.nan, x))
    table = MomentTable.from_arrays({"y": y} | columns, arm)
    assert lin(table, Y, list(columns), "t", "b").se < 0.8 * difference(table, Y, "t", "b").se


def test_an_outcome_that_the_covariate_explains_is_exact():
    columns, arm, _ = made(6)
    effect = lin(MomentTable.from_arrays({"y": 3 * columns["x"], "x": columns["x"]}, arm), Y, ["x"], "t", "b")
    assert (effect.estimate, effect.se) == (pytest.approx(0, abs=1e-12), 0)


@pytest.mark.parametrize("estimate", [lin, cuped])
def test_too_few_rows(estimate):
    columns, arm, _ = made(7, 90)
    table = MomentTable.from_arrays({**columns, **{f"x{i}": columns["x"] for i in range(4)}}, arm)
    assert estimate(table, Y, ["x0", "x1", "x2", "x3"], "t", "b") == NotEstimable(TOO_FEW_ROWS)
    few = MomentTable.from_arrays({"y": np.arange(38.0), "x": np.arange(38.0)}, ["t", "b"] * 19)
    assert estimate(few, Y, ["x"], "t", "b") == NotEstimable(TOO_FEW_ROWS)


def test_thin_cells_are_merged_before_adjusting():
    columns, arm, stratum = made(8, 200)
    stratum = np.where(np.arange(200) < 10, "few", "many")
    table = MomentTable.from_arrays(columns, arm, stratum)
    flat = MomentTable.from_arrays(columns, arm)
    assert lin(table, Y, ["x"], "t", "b").se == pytest.approx(lin(flat, Y, ["x"], "t", "b").se)


def test_co_moments_that_were_not_aggregated_are_an_error():
    columns, arm, _ = made(9)
    table = MomentTable.from_arrays(columns, arm)
    for moments in table.cells.values():
        moments.comoments[0, 1] = moments.comoments[1, 0] = np.nan
    with pytest.raises(ValueError, match="weren't aggregated"):
        lin(table, Y, ["x"], "t", "b")
    assert lin(table, Y, ["z"], "t", "b").se > 0
