"""Both stories loaded from their rows: every figure of the reference, through the whole analysis."""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest

from impact.analysis.services import analyze
from impact.figures.sentences import completed
from tests.conftest import DECLARED, loaded
from workspaces.models import Workspace

REFERENCE = DECLARED.parent / "reference"
STORIES = json.loads((REFERENCE / "stories.json").read_text())
A, B = STORIES["story_a"], STORIES["story_b"]
FAILURE = B["costs"]["failure"]


def rows(name: str, **only: str) -> str:
    """The story's rows, of which only those with these values."""
    with gzip.open(REFERENCE / name, "rt", newline="") as file:
        found = [row for row in csv.DictReader(file) if all(row[key] == value for key, value in only.items())]
    text = io.StringIO()
    writer = csv.DictWriter(text, found[0])
    writer.writeheader()
    writer.writerows(found)
    return text.getvalue()


def agrees(block: Any, wanted: Any) -> None:
    half = (wanted["ci"][1] - wanted["ci"][0]) / 2 if "ci" in wanted else 0.0
    assert block["effect"] == pytest.approx(wanted["effect"], rel=1e-6)
    assert block["se"] == pytest.approx(wanted["se"], rel=1e-6)
    assert block["df"] == pytest.approx(wanted["df"], rel=1e-6)
    assert block["p_value"] == pytest.approx(wanted.get("p_value", wanted.get("p")), rel=1e-6)
    if "ci" in wanted:
        assert block["ci"] == pytest.approx(wanted["ci"], abs=1e-6 * half)
    if "p_gt_0" in wanted:
        assert block["p_gt_0"] == pytest.approx(wanted["p_gt_0"], rel=1e-6)


def by_arm(comparisons: list[Any]) -> dict[str, Any]:
    return {one["arm"]: one for one in comparisons}


def churn_incentives(workspace: Workspace, folder: Path, **spec: Any) -> dict[str, Any]:
    story = {
        "experiment": "churn-incentives",
        "unit": {"column": "unit_id"},
        "arm": {"column": "arm", "baseline": "none"},
        "metrics": [
            {"key": "churn", "column": "churned", "kind": "proportion", "role": "driver", "direction": "decrease"}
        ],
        "value": {"column": "churned", "multiply": -300},
        "cost": {"column": "cost"},
        "weights": {"none": 1, "bonus": 1, "credit": 1},
        "segments": ["band"],
    }
    return analyze(experiment=loaded(workspace, folder, rows("story_a.csv.gz"), **(story | spec))).document


@pytest.mark.slow
def test_story_a_within_score_bands(workspace: Workspace, tmp_path: Path) -> None:
    document = churn_incentives(workspace, tmp_path, strata=["band"])
    assert document["maturity"]["mature"] == 45_000
    [churn], money = document["metrics"], document["money"]
    assert [(arm["arm"], arm["n"], round(arm["total"])) for arm in churn["arms"]] == [
        ("bonus", 15_000, 3_120), ("credit", 15_000, 2_850), ("none", 15_000, 3_300),
    ]  # fmt: skip
    for arm, block in by_arm(churn["comparisons"]).items():
        agrees(block, A["churn"][arm])
    for arm, block in by_arm(money["comparisons"]).items():
        wanted = A["net"][arm]
        agrees(block["net"], wanted)
        assert block["net"]["method"] == "stratified"
        assert block["break_even"]["effect"] == pytest.approx(wanted["break_even_churn_effect"], rel=1e-9)
        assert {name: round(block["total"][name], 6) for name in ("n", "value", "cost", "net")} == {
            name: round(amount, 6) for name, amount in wanted["total_on_arm"].items()
        }
    for segment in document["segments"]:
        for arm, block in by_arm(segment["comparisons"]).items():
            agrees(block, A["net_by_band"][f"{segment['value']} {arm}"])
    assert [(one["arm"], one["level"]) for one in document["verdicts"]] == [("bonus", "likely"), ("credit", "harmful")]
    assert [check["id"] for check in document["checks"] if not check["passed"] and check["severity"] == "block"] == []
    sentence = completed(document)["verdict"]["sentence"].replace("\u00a0", " ")
    assert sentence == (
        "bonus earned 1.90 EUR per unit more than none, between \u22120.81 and 4.61: likely, not proven."
        " credit lost 8.50 EUR."
    )
    assert "churn moved the right way, profit is not proven." in completed(document)["verdict"]["next_step"]


@pytest.mark.slow
def test_story_a_without_strata(workspace: Workspace, tmp_path: Path) -> None:
    document = churn_incentives(workspace, tmp_path)
    for arm, block in by_arm(document["money"]["comparisons"]).items():
        agrees(block["net"], A["net_ignoring_strata"][arm])
        assert block["net"]["method"] == "welch"


def apart(text: str) -> str:
    """The file's cost holds what a failure costs, which the agreement counts as negative value."""
    found = list(csv.DictReader(io.StringIO(text)))
    changed = io.StringIO()
    writer = csv.DictWriter(changed, found[0])
    writer.writeheader()
    writer.writerows(row | {"cost": float(row["cost"]) - FAILURE * int(row["failed"])} for row in found)
    return changed.getvalue()


def maintenance(workspace: Workspace, folder: Path, only: dict[str, str], **spec: Any) -> dict[str, Any]:
    story = {
        "experiment": "maintenance-timing",
        "unit": {"column": "episode"},
        "arm": {"column": "arm", "baseline": "stop"},
        "metrics": [
            {
                "key": "downtime", "column": "unplanned_minutes", "kind": "mean", "role": "driver",
                "direction": "decrease", "unit": "minutes",
            },
            {"key": "planned", "column": "planned_minutes", "kind": "mean", "direction": "decrease"},
        ],
        "value": {"column": "failed", "multiply": -FAILURE},
        "cost": {"column": "cost"},
        "weights": {"stop": 1, "wait": 1},
    }  # fmt: skip
    found = apart(rows("story_b.csv.gz", **only))
    return analyze(experiment=loaded(workspace, folder, found, **(story | spec))).document


def test_story_b_within_line_and_band(workspace: Workspace, tmp_path: Path) -> None:
    document = maintenance(workspace, tmp_path, {}, strata=["line", "band"], segments=["band"])
    [whole] = document["money"]["comparisons"]
    agrees(whole["net"], B["policy"]["always wait vs always stop"])
    assert document["maturity"]["mature"] == 480
    found = {segment["value"]: segment["comparisons"][0] for segment in document["segments"]}
    for band in ("low", "high"):
        agrees(found[band], B[band]["saving of waiting"])


@pytest.mark.parametrize("band", ["low", "high"])
def test_story_b_in_one_band(workspace: Workspace, tmp_path: Path, band: str) -> None:
    document = maintenance(workspace, tmp_path, {"band": band}, strata=["line"])
    [block] = document["money"]["comparisons"]
    agrees(block["net"], B[band]["saving of waiting"])
    minutes = {arm["arm"]: arm["mean"] for arm in document["metrics"][0]["arms"]}
    assert minutes == pytest.approx(B[band]["unplanned_minutes"], rel=1e-12)
    costs = {arm["arm"]: -arm["net"] for arm in document["money"]["arms"]}
    assert costs == pytest.approx(B[band]["mean_cost"], rel=1e-12)


@pytest.mark.parametrize("band", ["low", "high"])
def test_story_b_without_lines(workspace: Workspace, tmp_path: Path, band: str) -> None:
    [block] = maintenance(workspace, tmp_path, {"band": band})["money"]["comparisons"]
    agrees(block["net"], B[band]["saving of waiting, ignoring lines (Welch)"])


@pytest.mark.parametrize("band", ["low", "high"])
def test_story_b_by_clusters_as_a_sensitivity(workspace: Workspace, tmp_path: Path, band: str) -> None:
    document = maintenance(workspace, tmp_path, {"band": band}, cluster={"column": "line"})
    [block] = document["money"]["comparisons"]
    agrees(block["net"], B[band]["saving of waiting, clusters = lines, CR2"])
    assert block["net"]["method"] == "cluster_cr2"


def test_story_b_says_that_downtime_and_money_disagree(workspace: Workspace, tmp_path: Path) -> None:
    document = maintenance(workspace, tmp_path, {"band": "low"}, strata=["line"])
    [check] = [check for check in document["checks"] if check["id"] == "driver_and_money"]
    assert not check["passed"] and check["numbers"] == {"disagreeing": [{"arm": "wait", "metric": "downtime"}]}
    assert document["verdict"] == {"level": "unclear", "arm": None, "because": ["driver_and_money"]}
    assert [(one["arm"], one["level"]) for one in document["verdicts"]] == [("wait", "proven")]


def test_story_b_does_not_say_that_waiting_loses_money(workspace: Workspace, tmp_path: Path) -> None:
    """Waiting saves 4,198.57 an episode and makes unplanned downtime worse, not the other way round."""
    document = maintenance(workspace, tmp_path, {"band": "low"}, strata=["line"])
    sentence = completed(document)["verdict"]["sentence"]
    assert sentence == "No arm wins: wait earns money and makes downtime worse."
