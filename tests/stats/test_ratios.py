import numpy as np
import pytest

from impact.stats.adjustment import TOO_FEW_ROWS as TOO_FEW_FOR_COVARIATES
from impact.stats.adjustment import lin
from impact.stats.clusters import ClusterSums
from impact.stats.effects import TOO_FEW_ROWS, NotEstimable, difference
from impact.stats.moments import MomentTable
from impact.stats.ratios import ratio, ratio_parts

ABOVE, BELOW = {"numer": 1.0}, {"denom": 1.0}


def table_of(data):
    arm = np.repeat(["b", "t"], [len(data["control"]["numer"]), len(data["treatment"]["numer"])])
    columns = {name: np.array(data["control"][name] + data["treatment"][name]) for name in ("numer", "denom")}
    return MomentTable.from_arrays(columns, arm)


def test_reference(reference):
    gold = reference["expected"]["ratio"]["gold"]
    parts = ratio_parts(table_of(reference["data"]["ratio"]), ABOVE, BELOW, "t", "b")
    effect = parts.effect
    found = effect.estimate, effect.se, effect.df, effect.p_value(), *effect.interval(0.95)
    assert found == pytest.approx([*(gold[k] for k in ("estimate", "se", "df", "p")), *gold["ci"]], rel=1e-9)
    assert [parts.means.baseline, parts.means.treated] == pytest.approx(gold["arm_ratios"], rel=1e-12)


def test_clusters_of_the_reference_as_a_ratio_of_sums(reference):
    gold = reference["expected"]["clustered"]["gold_delta_ratio_of_sums"]
    rows = np.array(reference["data"]["clustered"]["rows"])
    keys = [(cluster, arm) for cluster, arm in sorted({(row[0], row[1]) for row in rows})]
    sums = [rows[(rows[:, 0] == cluster) & (rows[:, 1] == arm), 2] for cluster, arm in keys]
    table = MomentTable.from_arrays(
        {"numer": [part.sum() for part in sums], "denom": [len(part) for part in sums]},
        [str(int(arm)) for _, arm in keys],
    )
    effect = ratio(table, ABOVE, BELOW, "1", "0")
    found = effect.estimate, effect.se, effect.df, effect.p_value(), *effect.interval(0.95)
    assert found == pytest.approx([*(gold[k] for k in ("estimate", "se", "df", "p")), *gold["ci"]], rel=1e-9)


def test_totals_of_clusters_are_the_rows_of_that_ratio(reference):
    gold = reference["expected"]["clustered"]["gold_delta_ratio_of_sums"]
    rows = np.array(reference["data"]["clustered"]["rows"])
    columns = {"numer": rows[:, 2], "denom": np.ones(len(rows))}
    arm, cluster = rows[:, 1].astype(int), rows[:, 0].astype(int)
    # a stratum that divides the clusters must not divide their draws
    for stratum in (None, np.arange(len(rows)) % 2):
        sums = ClusterSums.from_arrays(columns, arm, cluster, stratum)
        effect = ratio(sums.totals(), ABOVE, BELOW, "1", "0")
        assert (effect.estimate, effect.se) == pytest.approx((gold["estimate"], gold["se"]), rel=1e-9)


def made(seed, n=300):
    rng = np.random.default_rng(seed)
    arm, stratum, before = rng.choice(["t", "b", "o"], n), rng.choice(["L", "H"], n), rng.normal(0, 1, n)
    denom = 1.0 + rng.poisson(3, n)
    numer = denom * (5 + 0.5 * (arm == "t")) + rng.normal(0, 2, n) + 2 * before
    return {"numer": numer, "denom": denom, "before": before}, arm, stratum


def test_over_a_constant_it_is_the_difference():
    columns, arm, stratum = made(0)
    columns["denom"] = np.full(300, 4.0)
    table = MomentTable.from_arrays(columns, arm, stratum)
    found, plain = ratio(table, ABOVE, BELOW, "t", "b"), difference(table, {"numer": 0.25}, "t", "b")
    assert (found.estimate, found.se, found.df) == pytest.approx((plain.estimate, plain.se, plain.df), rel=1e-9)
    adjusted = ratio(table, ABOVE, BELOW, "t", "b", ["before"])
    expected = lin(table, {"numer": 0.25}, ["before"], "t", "b")
    assert (adjusted.estimate, adjusted.se) == pytest.approx((expected.estimate, expected.se), rel=1e-9)


def test_strata_weigh_by_their_share_of_all_rows():
    columns, arm, stratum = made(1)
    found = ratio(MomentTable.from_arrays(columns, arm, stratum), ABOVE, BELOW, "t", "b")
    weights = {s: (stratum == s).mean() for s in "LH"}
    means = {
        (a, name): sum(w * columns[name][(arm == a) & (stratum == s)].mean() for s, w in weights.items())
        for a in "tb"
        for name in ("numer", "denom")
    }
    assert found.estimate == pytest.approx(
        means["t", "numer"] / means["t", "denom"] - means["b", "numer"] / means["b", "denom"]
    )


def test_a_covariate_narrows_it():
    columns, arm, _ = made(2, 3_000)
    table = MomentTable.from_arrays(columns, arm)
    plain, adjusted = ratio(table, ABOVE, BELOW, "t", "b"), ratio(table, ABOVE, BELOW, "t", "b", ["before"])
    assert adjusted.se < 0.85 * plain.se
    assert adjusted.estimate == pytest.approx(0.5, abs=4 * adjusted.se)


@pytest.mark.parametrize("offset", [1e8, -1e10])
def test_a_huge_offset_of_both_costs_no_digits(offset):
    columns, arm, _ = made(3)
    numer = np.round(columns["numer"] * 64) / 64
    plain = difference(MomentTable.from_arrays({"numer": numer}, arm), {"numer": 1.0}, "t", "b")
    table = MomentTable.from_arrays({"numer": numer + offset, "denom": np.full(300, 2.0)}, arm)
    found = ratio(table, ABOVE, BELOW, "t", "b")
    assert found.se == pytest.approx(plain.se / 2, rel=1e-7)


def test_reasons():
    columns, arm, _ = made(4, 40)
    near = MomentTable.from_arrays({"numer": columns["numer"], "denom": np.tile([1.0, -1.0], 20)}, arm)
    assert ratio(near, ABOVE, BELOW, "t", "b").reason.startswith("the denominator isn't firmly away from 0 in arm")
    none = MomentTable.from_arrays({"numer": columns["numer"], "denom": np.zeros(40)}, arm)
    assert "isn't firmly away from 0" in ratio(none, ABOVE, BELOW, "t", "b").reason
    few = MomentTable.from_arrays({"numer": [1.0, 2.0], "denom": [1.0, 2.0]}, ["t", "b"])
    assert ratio(few, ABOVE, BELOW, "t", "b") == NotEstimable(TOO_FEW_ROWS)
    short = MomentTable.from_arrays(columns, arm)
    assert ratio(short, ABOVE, BELOW, "t", "b", ["before"]) == NotEstimable(TOO_FEW_FOR_COVARIATES)
