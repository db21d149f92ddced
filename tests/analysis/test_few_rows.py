"""Comparisons of few rows or clusters: judged against the other draws that there might have been."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from impact.analysis.services import analyze, differing
from impact.stats.redraws import keys_of_rows, redrawn
from tests.analysis.ground import agrees
from tests.conftest import csv_of, loaded
from workspaces.models import Workspace


def small(workspace: Workspace, folder: Path, rows: int = 24, **spec: Any) -> Any:
    """An experiment with few rows, skewed, and its document's only comparison."""
    columns = {"unit": list(range(rows)), "arm": ["a", "b"] * (rows // 2), "y": [(n * n) % 17 for n in range(rows)]}
    found = analyze(experiment=loaded(workspace, folder, csv_of(columns | spec.pop("columns", {})), **spec)).document
    return found, found["metrics"][0]["comparisons"][0]


def test_few_rows_are_judged_against_other_draws(workspace: Workspace, tmp_path: Path) -> None:
    _, block = small(workspace, tmp_path, 16)
    keys = keys_of_rows([(n * n) % 17 for n in range(16)], ["a", "b"] * 8)
    agrees(block, redrawn(keys, "b", "a", seed=0))
    assert block["method_reason"] == "8 rows in an arm, fewer than 20"
    assert (block["df"], block["lift"], block["lift_ci"]) == (None, None, None)


def test_few_rows_are_redrawn_within_their_strata(workspace: Workspace, tmp_path: Path) -> None:
    band = [["low", "high"][n // 8] for n in range(16)]
    _, block = small(workspace, tmp_path, 16, columns={"band": band}, strata=["band"])
    keys = keys_of_rows([(n * n) % 17 for n in range(16)], ["a", "b"] * 8, band)
    agrees(block, redrawn(keys, "b", "a", seed=0))


def test_draws_come_from_the_plan_and_are_the_same_again(workspace: Workspace, tmp_path: Path) -> None:
    experiment = loaded(workspace, tmp_path, csv_of({
        "unit": list(range(30)), "arm": ["a", "b"] * 15, "y": [(n * n) % 17 for n in range(30)],
    }))  # fmt: skip
    analysis = analyze(experiment=experiment)
    assert analysis.document["metrics"][0]["comparisons"][0]["method"] == "randomization"
    assert differing(analysis) == []


def test_too_few_draws_for_an_interval_are_said(workspace: Workspace, tmp_path: Path) -> None:
    _, block = small(workspace, tmp_path, 4)
    assert (block["status"], block["reason"]) == (
        "not_estimable", "too few possible draws of the arms for an interval",
    )  # fmt: skip


def test_money_of_few_rows_says_that_its_set_is_for_normal_rows(workspace: Workspace, tmp_path: Path) -> None:
    found, _ = small(workspace, tmp_path, 16, value={"column": "y"}, cost={"b": 1.0})
    [block] = found["money"]["comparisons"]
    assert block["net"]["method"] == "randomization"
    assert (block["cost"]["effect"], block["cost"]["se"]) == (1.0, 0.0)
    assert block["total"]["cost"] == 8.0
    assert block["roi"]["warnings"][-1] == "8 rows in an arm, fewer than 20: holds for normal rows"


def test_few_clusters_are_redrawn_and_some_have_the_bootstrap_beside(workspace: Workspace, tmp_path: Path) -> None:
    for clusters, method, beside in ((12, "randomization", []), (24, "cluster_cr2", ["wild_bootstrap"])):
        rows = {
            "unit": list(range(240)), "store": [n % clusters for n in range(240)],
            "arm": [["a", "b"][n % clusters % 2] for n in range(240)], "y": [(n * n) % 19 for n in range(240)],
        }  # fmt: skip
        spec = {"cluster": {"column": "store"}, "experiment": f"stores-{clusters}"}
        found = analyze(experiment=loaded(workspace, tmp_path, csv_of(rows), **spec)).document
        [block] = found["metrics"][0]["comparisons"]
        assert (block["method"], [one["method"] for one in block["beside"]]) == (method, beside)
        assert "clusters" in block["method_reason"]
        assert block["p_value"] is not None
