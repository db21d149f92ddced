"""Comparisons from moments: the estimator that the design asks for, and agreement with scipy on the same rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace
from scipy import stats
from statsmodels.stats.proportion import test_proportions_2indep as by_statsmodels

from impact.agreements.plan import Term
from impact.analysis.metrics import metric_block
from impact.analysis.segments import segment_blocks
from impact.analysis.services import analyze
from impact.stats import multiplicity
from impact.stats.beliefs import expected_loss
from impact.stats.clusters import ClusterSums, cr2
from impact.stats.effects import TEffect, difference
from impact.stats.exact import ExactEffect
from impact.stats.lift import proportion_lift
from impact.stats.margins import non_inferiority
from impact.stats.moments import MomentTable
from impact.stats.proportions import ScoreEffect
from impact.stats.roi import roi, stratified
from impact.stats.sequences import always_valid
from tests.analysis.ground import WORTH, Ground, agrees, on, plan
from tests.conftest import csv_of, loaded
from workspaces.models import Workspace

by_statsmodels.__test__ = False
RANDOM = np.random.default_rng(7)
N = 240
ROWS: dict[str, Any] = {
    "unit": np.arange(N),
    "arm": np.array(["a", "b", "c"])[np.arange(N) % 3],
    "band": np.array(["low", "high"])[np.arange(N) // 3 % 2],
    "store": np.arange(N) // 3 % 40,
    "age": RANDOM.integers(20, 70, N),
}
ROWS["y"] = np.round(ROWS["age"] / 10 + (ROWS["arm"] == "b") + RANDOM.exponential(2, N), 3)
ROWS["yes"] = (RANDOM.random(N) < np.where(ROWS["arm"] == "c", 0.6, 0.3)).astype(int)
ROWS["spent"] = np.round(np.where(ROWS["arm"] == "a", 0, 1 + RANDOM.random(N)), 3)
TEXT = csv_of({name: list(column) for name, column in ROWS.items()})


def document(workspace: Workspace, folder: Path, **spec: Any) -> dict[str, Any]:
    return analyze(experiment=loaded(workspace, folder, TEXT, **spec)).document


def of_arm(arm: str, column: str = "y") -> Any:
    return ROWS[column][ROWS["arm"] == arm]


def table(*columns: str, **labels: Any) -> MomentTable:
    return MomentTable.from_arrays({name: ROWS[name] for name in columns}, ROWS["arm"], **labels)


def test_a_mean_is_compared_by_welch(workspace: Workspace, tmp_path: Path) -> None:
    [b, c] = document(workspace, tmp_path)["metrics"][0]["comparisons"]
    for block, arm in ((b, "b"), (c, "c")):
        welch = stats.ttest_ind(of_arm(arm), of_arm("a"), equal_var=False)
        assert block["p_value"] == pytest.approx(welch.pvalue, rel=1e-9)
        assert block["df"] == pytest.approx(welch.df, rel=1e-9)
        assert block["ci"] == pytest.approx(welch.confidence_interval(0.95), rel=1e-9)
        assert block["method"] == "welch"
        agrees(block, difference(table("y"), {"y": 1.0}, arm, "a"))


def test_arms_have_their_moments(workspace: Workspace, tmp_path: Path) -> None:
    for arm in document(workspace, tmp_path)["metrics"][0]["arms"]:
        rows = of_arm(arm["arm"])
        assert arm["n"] == 80
        assert arm["mean"] == pytest.approx(rows.mean(), rel=1e-12)
        assert arm["variance"] == pytest.approx(rows.var(ddof=1), rel=1e-12)
        assert arm["total"] == pytest.approx(rows.sum(), rel=1e-12)


def test_strata_are_compared_within(workspace: Workspace, tmp_path: Path) -> None:
    [b, _] = document(workspace, tmp_path, strata=["band"])["metrics"][0]["comparisons"]
    agrees(b, difference(table("y", stratum=ROWS["band"]), {"y": 1.0}, "b", "a"))
    assert b["method"] == "stratified"


def test_a_proportion_is_compared_by_score(workspace: Workspace, tmp_path: Path) -> None:
    metrics = [{"key": "yes", "column": "yes", "kind": "proportion"}]
    [b, c] = document(workspace, tmp_path, metrics=metrics)["metrics"][0]["comparisons"]
    for block, arm in ((b, "b"), (c, "c")):
        treated, baseline = (int(of_arm(one, "yes").sum()) for one in (arm, "a"))
        agrees(block, ScoreEffect((treated, 80), (baseline, 80)))
        test = by_statsmodels(treated, 80, baseline, 80, method="score", return_results=True)
        assert block["p_value"] == pytest.approx(test.pvalue, rel=1e-9)
        assert (block["method"], block["df"]) == ("score", None)


def test_a_proportion_in_strata_is_the_cell_sum(workspace: Workspace, tmp_path: Path) -> None:
    metrics = [{"key": "yes", "column": "yes", "kind": "proportion"}]
    [b, _] = document(workspace, tmp_path, metrics=metrics, strata=["band"])["metrics"][0]["comparisons"]
    agrees(b, difference(table("yes", stratum=ROWS["band"]), {"yes": 1.0}, "b", "a"))


def test_clusters_are_compared_by_cr2(workspace: Workspace, tmp_path: Path) -> None:
    found = document(workspace, tmp_path, cluster={"column": "store"}, value={"column": "y"}, cost={"column": "spent"})
    sums = ClusterSums.from_arrays({"value": ROWS["y"], "cost": ROWS["spent"]}, ROWS["arm"], ROWS["store"])
    [b, _] = found["money"]["comparisons"]
    agrees(b["net"], cr2(sums, {"value": 1.0, "cost": -1.0}, "b", "a"))
    assert (b["net"]["method"], b["net"]["lift"]) == ("cluster_cr2", None)


def test_net_is_value_minus_cost_of_the_same_row(workspace: Workspace, tmp_path: Path) -> None:
    money = document(workspace, tmp_path, value={"column": "y", "multiply": 3}, cost={"column": "spent"})["money"]
    rows = MomentTable.from_arrays({"value": 3 * ROWS["y"], "cost": ROWS["spent"]}, ROWS["arm"])
    for block in money["comparisons"]:
        agrees(block["net"], difference(rows, {"value": 1.0, "cost": -1.0}, block["arm"], "a"))
        agrees(block["value"], difference(rows, {"value": 1.0}, block["arm"], "a"))
        agrees(block["cost"], difference(rows, {"cost": 1.0}, block["arm"], "a"))
        total = block["total"]
        assert total["n"] == 80
        assert total["net"] == pytest.approx(80 * block["net"]["effect"], rel=1e-12)
        assert total["value"] - total["cost"] == pytest.approx(total["net"], rel=1e-9)
        assert total["net_ci"] == pytest.approx([80 * end for end in block["net"]["ci"]], rel=1e-12)
        wanted = roi(stratified(rows, block["arm"], "a"), 0.95, 0.0)
        assert block["roi"]["status"] == wanted.status == "shown"
        assert block["roi"]["point"] == pytest.approx(wanted.point, rel=1e-9)
        assert block["roi"]["set"] == {"kind": "interval", "bounds": pytest.approx(wanted.set.bounds, rel=1e-9)}
        assert block["roi"]["p_above_target"] == pytest.approx(wanted.p_above_target, rel=1e-9)
        assert sum(block["roi"]["quadrants"].values()) == pytest.approx(1)


def test_break_even_is_the_extra_cost_over_the_value_of_one(workspace: Workspace, tmp_path: Path) -> None:
    metrics = [{"key": "yes", "column": "yes", "kind": "proportion", "direction": "decrease"}]
    found = document(
        workspace, tmp_path, metrics=metrics, value={"column": "yes", "multiply": -20}, cost={"b": 1.5, "c": 4.0}
    )
    assert [block["break_even"] for block in found["money"]["comparisons"]] == [
        {"metric": "yes", "effect": pytest.approx(1.5 / 20)},
        {"metric": "yes", "effect": pytest.approx(4 / 20)},
    ]


def test_holm_is_over_the_arms_and_the_interval_agrees(workspace: Workspace, tmp_path: Path) -> None:
    blocks = document(workspace, tmp_path, comparisons="all")["metrics"][0]["comparisons"]
    raw = [block["p_value"] for block in blocks]
    adjusted = multiplicity.holm(raw)
    for block, p in zip(blocks, adjusted, strict=True):
        assert block["p_adjusted"] == pytest.approx(p, rel=1e-12)
        effect = difference(table("y"), {"y": 1.0}, block["arm"], block["baseline"])
        assert isinstance(effect, TEffect)
        level = multiplicity.adjusted_level(0.05, block["p_value"], p)
        assert block["ci_adjusted"] == pytest.approx(effect.interval(level), rel=1e-9)
        low, high = block["ci_adjusted"]
        assert (low > 0 or high < 0) == (p <= 0.05)


def test_drivers_are_one_family_and_other_metrics_each_their_own(workspace: Workspace, tmp_path: Path) -> None:
    metrics = [
        {"key": "one", "column": "y", "kind": "mean", "role": "driver"},
        {"key": "two", "column": "yes", "kind": "mean", "role": "driver"},
        {"key": "three", "column": "age", "kind": "mean", "role": "secondary"},
    ]
    found = document(workspace, tmp_path, metrics=metrics, value={"column": "y"})
    of = {metric["key"]: metric["comparisons"] for metric in found["metrics"]}
    for family in (of["one"] + of["two"], of["three"], [block["net"] for block in found["money"]["comparisons"]]):
        assert [block["p_adjusted"] for block in family] == pytest.approx(
            multiplicity.holm([block["p_value"] for block in family]), rel=1e-12
        )


def test_segments_are_adjusted_by_benjamini_and_hochberg(workspace: Workspace, tmp_path: Path) -> None:
    segments = document(workspace, tmp_path, segments=["band"])["segments"]
    blocks = [block for segment in segments for block in segment["comparisons"]]
    assert [block["p_adjusted"] for block in blocks] == pytest.approx(
        stats.false_discovery_control([block["p_value"] for block in blocks]), rel=1e-12
    )
    low = ROWS["band"] == "low"
    rows = MomentTable.from_arrays({"y": ROWS["y"][low]}, ROWS["arm"][low])
    agrees(segments[1]["comparisons"][0], difference(rows, {"y": 1.0}, "b", "a"))


def test_lift_is_relative_to_the_baselines_mean(workspace: Workspace, tmp_path: Path) -> None:
    for block in document(workspace, tmp_path)["metrics"][0]["comparisons"]:
        assert block["lift"] == pytest.approx(block["effect"] / of_arm("a").mean(), rel=1e-9)
        assert (block["lift_ci"][0] > 0) == (block["ci"][0] > 0)


def test_the_adjusted_figure_is_beside_the_other(workspace: Workspace, tmp_path: Path) -> None:
    plain = document(workspace, tmp_path)["metrics"][0]["comparisons"][0]
    block = document(workspace, tmp_path, covariates=["age"], experiment="second")["metrics"][0]["comparisons"][0]
    assert block["effect"] == plain["effect"] and plain["adjusted"] is None
    x, treated = ROWS["age"].astype(float), ROWS["arm"] == "b"
    pair = treated | (ROWS["arm"] == "a")
    centre = x.mean()
    design = np.column_stack([np.ones(N), treated, x - centre, treated * (x - centre)])[pair]
    coefficients = np.linalg.lstsq(design, ROWS["y"][pair], rcond=None)[0]
    assert block["adjusted"]["effect"] == pytest.approx(coefficients[1], rel=1e-9)
    assert block["adjusted"]["variance_reduction"] == pytest.approx(
        1 - (block["adjusted"]["se"] / block["se"]) ** 2, rel=1e-12
    )
    assert 0 < block["adjusted"]["variance_reduction"] < 1


def test_too_few_rows_for_covariates_are_said(workspace: Workspace, tmp_path: Path) -> None:
    rows = csv_of({"unit": list(range(12)), "arm": ["a", "b"] * 6, "x": list(range(12)), "y": [1, 3, 2] * 4})
    found = analyze(experiment=loaded(workspace, tmp_path, rows, covariates=["x"])).document
    adjusted = found["metrics"][0]["comparisons"][0]["adjusted"]
    assert (adjusted["effect"], adjusted["reason"]) == (None, "too few rows in an arm for its covariates")


@pytest.mark.parametrize(
    ("ys", "reason"),
    [([1, 2, 3], "fewer than two rows in an arm"), ([2, 2, 2, 2], "no variance in either arm")],
)
def test_what_cant_be_estimated_says_why(workspace: Workspace, tmp_path: Path, ys: list[int], reason: str) -> None:
    rows = csv_of({"unit": list(range(len(ys))), "arm": ["a", "a", "b", "b"][: len(ys)], "y": ys})
    [block] = analyze(experiment=loaded(workspace, tmp_path, rows)).document["metrics"][0]["comparisons"]
    assert (block["status"], block["reason"]) == ("not_estimable", reason)
    assert {block[name] for name in ("effect", "se", "p_value", "p_adjusted", "lift", "method")} == {None}


def test_rows_needed_prove_an_effect_of_this_size(workspace: Workspace, tmp_path: Path) -> None:
    [b, _] = document(workspace, tmp_path)["metrics"][0]["comparisons"]
    distance = stats.norm.ppf(1 - 0.025 / 2) + stats.norm.ppf(0.8)
    assert b["rows_needed"] == int(np.ceil(80 * (distance * b["se"] / b["effect"]) ** 2))


def test_only_live_experiments_have_an_always_valid_reading(
    workspace: Workspace, ground: Ground, tmp_path: Path
) -> None:
    assert document(workspace, tmp_path)["metrics"][0]["comparisons"][0]["always_valid"] is None
    for number in range(40):
        ground.row(f"u{number}", ("none", "bonus")[number % 2])
        ground.outcome(f"u{number}", 1, number % 5)
    ground.feed(400)
    block = analyze(experiment=ground.experiment, as_of=on(400)).document["money"]["comparisons"][0]["net"]
    effect = TEffect(block["effect"], block["se"], block["df"], "welch")
    # planned for 1,000 rows an arm
    wanted = always_valid(effect, block["se"] * (20 / 1000) ** 0.5, 0.95)
    assert block["always_valid"]["ci"] == pytest.approx(wanted.interval, rel=1e-9)
    assert block["always_valid"]["p_value"] == pytest.approx(wanted.p_value, rel=1e-9)
    assert block["always_valid"]["ci"][0] < block["ci"][0]


def test_score_bands_are_shown_from_the_lowest(ground: Ground) -> None:
    for number in range(12):
        ground.row(f"u{number}", ("none", "bonus")[number % 2], segments={"score_band": "HLM"[number // 4]})
        ground.outcome(f"u{number}", 1, number)
    ground.feed(400)
    planned = plan(value=[WORTH], segments=["score_band"], agreed_segments=["score_band"], bands=["L", "M", "H"])
    blocks = segment_blocks(planned, ground.measured(planned))
    assert [(one["value"], one["exploratory"], one["n"]) for one in blocks] == [
        ("L", False, 4),
        ("M", False, 4),
        ("H", False, 4),
    ]


@pytest.mark.parametrize(("first", "second"), [(0, 1), (1, 0)])
def test_a_proportion_of_all_or_nothing_is_exact_with_its_score_interval_beside(
    workspace: Workspace, tmp_path: Path, first: int, second: int
) -> None:
    rows = csv_of({"unit": list(range(40)), "arm": ["a", "b"] * 20, "y": [first, second] * 20})
    metrics = [{"key": "y", "column": "y", "kind": "proportion"}]
    [block] = analyze(experiment=loaded(workspace, tmp_path, rows, metrics=metrics)).document["metrics"][0][
        "comparisons"
    ]
    counts = (20 * second, 20), (20 * first, 20)
    agrees(block, ExactEffect(*counts))
    assert block["method_reason"] == "0 successes or failures in an arm, fewer than 5"
    assert block["warnings"] == ["rejects less often than alpha"]
    [beside] = block["beside"]
    assert (beside["method"], tuple(beside["ci"])) == ("score", ScoreEffect(*counts).interval(0.95))


def test_heavy_tails_are_said_beside_the_figure(workspace: Workspace, tmp_path: Path) -> None:
    y = [1000 if n % 50 == 0 else n % 3 for n in range(200)]
    rows = csv_of({"unit": list(range(200)), "arm": [["a", "b"][n // 2 % 2] for n in range(200)], "y": y})
    [block] = analyze(experiment=loaded(workspace, tmp_path, rows)).document["metrics"][0]["comparisons"]
    sides = [[y[n] for n in range(200) if n // 2 % 2 == side] for side in (0, 1)]
    skew = max(abs(stats.skew(side)) for side in sides) - 2 * (6 / 100) ** 0.5
    assert block["warnings"] == [f"heavy tails: {355 * skew**2:.0f} rows an arm for a normal mean"]


def test_the_family_is_stated(workspace: Workspace, tmp_path: Path) -> None:
    found = document(workspace, tmp_path, value={"column": "y"}, segments=["band"])
    assert [block["net"]["family"] for block in found["money"]["comparisons"]] == 2 * [
        {"name": "net value", "comparisons": 2, "correction": "holm"}
    ]
    assert found["segments"][0]["comparisons"][0]["family"] == {
        "name": "band", "comparisons": 4, "correction": "benjamini_hochberg",
    }  # fmt: skip


def test_expected_loss_stands_beside_the_net_value(workspace: Workspace, tmp_path: Path) -> None:
    for block in document(workspace, tmp_path, value={"column": "y"}, cost={"column": "spent"})["money"]["comparisons"]:
        net = block["net"]
        effect = TEffect(net["effect"], net["se"], net["df"], "welch")
        assert net["expected_loss"] == pytest.approx(expected_loss(effect, net["df"]), rel=1e-12)


def test_the_lift_of_a_proportion_agrees_with_its_score_test(workspace: Workspace, tmp_path: Path) -> None:
    metrics = [{"key": "yes", "column": "yes", "kind": "proportion"}]
    for block in document(workspace, tmp_path, metrics=metrics)["metrics"][0]["comparisons"]:
        treated, baseline = (int(of_arm(one, "yes").sum()) for one in (block["arm"], "a"))
        wanted = proportion_lift(ScoreEffect((treated, 80), (baseline, 80)), 0.95)
        assert wanted and block["lift_ci"] == pytest.approx(wanted.set.bounds, rel=1e-9)


@pytest.mark.parametrize(("margin", "status"), [(50.0, "kept"), (0.0, "open")])
def test_a_guardrail_says_whether_its_margin_was_kept(ground: Ground, margin: float, status: str) -> None:
    for number in range(60):
        ground.row(f"u{number}", ("none", "bonus")[number % 2])
        ground.outcome(f"u{number}", 1, number % 7)
    ground.feed(400)
    planned = plan(term=Term(outcome="churned"))
    planned = replace(planned, metrics=[replace(planned.metrics[0], role="guardrail", margin=margin)])
    block = metric_block(planned, planned.metrics[0], ground.measured(planned).families["m"], 1)
    [comparison] = block["comparisons"]
    effect = TEffect(comparison["effect"], comparison["se"], comparison["df"], "welch")
    assert comparison["non_inferiority"] == {"margin": margin} | non_inferiority(effect, margin, "less", 0.95)._asdict()
    assert comparison["non_inferiority"]["status"] == status


def test_a_proportion_that_isnt_one_is_compared_as_a_mean_and_said(ground: Ground) -> None:
    for number in range(60):
        ground.row(f"u{number}", ("none", "bonus")[number % 2])
        ground.outcome(f"u{number}", 1, number % 3)
    ground.feed(400)
    planned = plan(term=Term(outcome="churned"), kind="proportion")
    [block] = metric_block(planned, planned.metrics[0], ground.measured(planned).families["m"], 1)["comparisons"]
    assert (block["method"], block["warnings"]) == ("welch", ["not 0 or 1 in every row: compared as a mean"])
