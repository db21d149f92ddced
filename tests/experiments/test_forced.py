"""Decisions that no draw settles: the holdout, safety, and what was settled elsewhere."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from experiments import randomization
from experiments.models import Assignment, Decision, Experiment, Holdout
from impact.config.declarations import apply_files
from tests.conftest import DECLARED, START, Caller, decided, decision_row
from tests.experiments.design import decide, declared, running_with, told
from workspaces.models import Workspace

BY_CLUSTER = {"cluster": "household", "cool_down": {"days": 30, "of": "cluster"}}
CHAMPION = {"key": "now", "decision_point": "offer", "role": "champion"}


# holdout


def test_the_holdout_gets_the_baseline_before_any_draw(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    apply_files(workspace, [DECLARED / "churn.yaml", DECLARED / "holdout.yaml"], "test")
    running_with(workspace, tmp_path, policies=[CHAMPION | {"kind": "fixed", "action": "credit"}])
    answers = decided(api, [decision_row(f"c{number}") for number in range(100)])
    held = {a["decision"]["unit_id"] for a in answers if a["decision"]["mode"] == "holdout"}
    assert held == {f"c{n}" for n in range(100) if randomization.within("holdout-1", f"c{n}", 500_000)}
    assert 30 < len(held) < 70
    for decision in Decision.objects.filter(mode="holdout").select_related("action"):
        assert (decision.action.key, decision.propensity, decision.assignment, decision.draw) == ("none", 1, None, None)
    assert not Assignment.objects.filter(unit_id__in=held).exists()


def test_a_holdout_holds_from_its_beginning_to_its_end(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    declared(workspace, tmp_path)
    Holdout.objects.create(
        workspace=workspace, key="h", unit_type="customer", share_ppm=500_000, salt="holdout-1",
        valid_from=START + timedelta(days=1), valid_until=START + timedelta(days=2),
    )  # fmt: skip
    unit = next(f"c{n}" for n in range(64) if randomization.within("holdout-1", f"c{n}", 500_000))
    modes = [decide(api, unit, day=day)["mode"] for day in (0.999, 1, 1.999, 2)]
    assert modes == ["policy", "holdout", "holdout", "policy"]


def test_a_holdout_of_another_unit_type_holds_nobody(api: Caller, workspace: Workspace, running: Experiment) -> None:
    Holdout.objects.create(
        workspace=workspace, key="h", unit_type="machine", share_ppm=500_000, salt="holdout-1", valid_from=START
    )
    assert {a["decision"]["mode"] for a in decided(api, [decision_row(f"c{n}") for n in range(20)])} == {"randomized"}


# safety


def test_safety_is_never_randomized(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    point = {"safety": {"above": 0.9, "action": "credit"}}
    running_with(workspace, tmp_path, point=point)
    assert decide(api, "below", 0.9)["mode"] == "randomized"
    forced = decide(api, "above", 0.91)
    assert told(forced) == ("forced_safety", "credit", 1.0, None)
    assert forced["probabilities"] == {"none": 0, "bonus": 0, "credit": 1}
    assert not Assignment.objects.filter(unit_id="above").exists()


def test_safety_leaves_the_arm_of_who_has_one(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    running_with(workspace, tmp_path, point={"safety": {"above": 0.9, "action": "credit"}})
    first = decide(api, "c1")
    assert told(decide(api, "c1", 0.95, day=1))[:3] == ("forced_safety", "credit", 1.0)
    assert told(decide(api, "c1", 0.3, day=2)) == told(first)


# settled elsewhere


@pytest.mark.parametrize("mode", ["forced_capacity", "manual", "fallback"])
def test_what_was_settled_elsewhere_is_recorded_as_such(api: Caller, running: Experiment, mode: str) -> None:
    forced = {"mode": mode, "action": "credit", "reason": "no crew"}
    answer = decide(api, "c1", forced=forced)
    assert told(answer) == (mode, "credit", 1.0, None)
    assert answer["probabilities"] == {"none": 0, "bonus": 0, "credit": 1}
    assert Decision.objects.get().candidates["credit"] == {"probability": 1.0, "reason": "no crew"}
    assert not Assignment.objects.exists()
    assert decide(api, "c1", forced=forced)["replayed"]


def test_what_was_settled_elsewhere_leaves_the_arm(api: Caller, running: Experiment) -> None:
    first = decide(api, "c1")
    forced = {"mode": "manual", "action": "credit"}
    assert told(decide(api, "c1", day=1, forced=forced)) == ("manual", "credit", 1.0, None)
    assert told(decide(api, "c1", day=2)) == told(first)


def test_what_was_settled_elsewhere_is_above_the_rules(api: Caller, running: Experiment) -> None:
    answer = decide(api, "c1", 0.05, forced={"mode": "manual", "action": "bonus"})
    assert told(answer)[:3] == ("manual", "bonus", 1.0)
    assert "bonus" not in answer["ineligible"] and "credit" in answer["ineligible"]


@pytest.mark.parametrize(
    ("forced", "pointer"),
    [
        ({"mode": "manual", "action": "gift"}, "/forced/action"),
        ({"mode": "randomized", "action": "bonus"}, "/forced/mode"),
        ({"mode": "manual"}, "/forced/action"),
        ({"mode": "manual", "action": "bonus", "why": "x"}, "/forced/why"),
    ],
)
def test_refuses_what_cannot_have_been_settled(api: Caller, running: Experiment, forced: Any, pointer: str) -> None:
    answer = api.post("/decisions", decision_row("c1", forced=forced))
    assert answer.status_code == 422 and answer.body["errors"][0]["pointer"] == pointer
    assert not Decision.objects.exists()
