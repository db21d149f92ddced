"""Invariants 4 to 6 of the design, each by its number: what is forced, who enters, who is held out."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from hypothesis import given

from experiments import randomization
from experiments.models import CapacityCounter, Decision, Experiment
from experiments.selectors import experiment_named
from experiments.services.lifecycle import change_status
from tests.conftest import START, Caller, decided, decision_row, stored_examples
from tests.experiments.design import EXPERIMENT, POINT, apply, declared, running_with
from tests.experiments.invariants.visits import (
    DESIGNS,
    FIRST_VISITS,
    RANDOM,
    SAFETY,
    VISITS,
    decisions_of,
    rows_of,
    start,
)
from workspaces.errors import Refusal
from workspaces.models import Workspace


@stored_examples
@given(visits=VISITS)
def test_4_forced_decisions_have_propensity_1_and_no_draw(
    api: Caller, workspace: Workspace, tmp_path_factory: pytest.TempPathFactory, visits: list[Any]
) -> None:
    if not Experiment.objects.exists():
        folder = tmp_path_factory.mktemp("declared")
        running_with(workspace, folder, point={"safety": {"above": 0.4, "action": "bonus"}}, policies=[RANDOM])
    rows = rows_of(visits)
    decided(api, rows)
    for decision in decisions_of(rows):
        forced = decision.score is not None and decision.score > 0.4
        assert (decision.mode == "forced_safety") == forced
        if forced:
            assert decision.action is not None
            assert (decision.action.key, decision.propensity, decision.draw) == ("bonus", 1, None)
            assert decision.assignment is None


@stored_examples
@given(visits=VISITS)
def test_4_what_is_used_up_is_forced_with_propensity_1_and_never_exceeded(
    api: Caller, workspace: Workspace, tmp_path_factory: pytest.TempPathFactory, visits: list[Any]
) -> None:
    if not Experiment.objects.exists():
        point, experiment, more = DESIGNS["capacity"]
        running_with(workspace, tmp_path_factory.mktemp("declared"), point=point, experiment=experiment, **more)
    rows = rows_of(visits)
    decided(api, rows)
    for decision in decisions_of(rows):
        assert decision.action is not None
        if decision.mode == "forced_capacity":
            assert (decision.action.key, decision.propensity, decision.draw) == ("none", 1, None)
            assert decision.candidates["bonus"] == {"refused": "capacity"}
    assert all(counter.taken <= 2 for counter in CapacityCounter.objects.all())
    taken = Decision.objects.filter(action__key="bonus").count()
    assert taken == sum(counter.taken for counter in CapacityCounter.objects.all())


@pytest.mark.parametrize("mode", ["forced_safety", "forced_capacity", "manual", "fallback"])
def test_4_the_database_keeps_no_forced_decision_with_another_propensity(
    api: Caller, running: Experiment, mode: str
) -> None:
    decided(api, [decision_row("c1")])
    with pytest.raises(IntegrityError), transaction.atomic():
        Decision.objects.update(mode=mode, propensity=0.5)
    Decision.objects.update(mode=mode, propensity=1)


@stored_examples
@given(visits=FIRST_VISITS)
def test_5_who_enters_depends_on_no_arm(design: Experiment, api: Caller, visits: list[Any]) -> None:
    """The rules alone decide, not the arm that would have been drawn, so the arms are alike."""
    rows = rows_of(visits)
    decided(api, rows)
    arms = {arm.action.key if arm.action else "credit" for arm in design.arms.select_related("action")}
    for decision, row in zip(decisions_of(rows), rows, strict=True):
        prediction = row["prediction"]
        may = prediction["score"] >= 0.1 and ("credit" not in arms or prediction["features"]["plan"] == "basic")
        traffic = randomization.within(design.traffic_salt, key_of(design, row), design.phases.last().traffic_ppm)
        ordinary = decision.mode in ("randomized", "policy")
        assert (decision.assignment is not None) == (ordinary and may and traffic)


def key_of(experiment: Experiment, row: Any) -> str:
    match experiment.randomizes:
        case "episode":
            return f"{row['unit_id']}#1"
        case "cluster":
            return str(row["cluster_id"])
        case "cluster-period":
            return f"{row['cluster_id']}#{(datetime.fromisoformat(row['at']) - START).days // 90 + 1}"
    return str(row["unit_id"])


@pytest.mark.parametrize(("seconds", "status"), [(-1, 200), (0, 200), (60, 200), (61, 422)])
def test_5_features_are_older_than_the_decision(api: Caller, running: Experiment, seconds: int, status: int) -> None:
    row = decision_row("c1")
    row["prediction"]["predicted_at"] = (START + timedelta(seconds=seconds)).isoformat()
    assert api.post("/decisions", row).status_code == status


def test_6_one_experiment_runs_in_a_layer(workspace: Workspace, running: Experiment, tmp_path: Path) -> None:
    workspace.refresh_from_db()
    apply(workspace, tmp_path, experiments=[EXPERIMENT | {"key": "second"}])
    second = experiment_named(workspace, "second")
    for step in (None, "pause"):
        if step:
            change_status(experiment=running, step=step, actor="test")
        with pytest.raises(Refusal) as refusal:
            start(second)
        assert refusal.value.code == "layer-taken"
        second.refresh_from_db()
        assert (second.status, second.phases.count()) == ("draft", 0)
    change_status(experiment=running, step="close", actor="test")
    assert start(second).status == "running"
    with pytest.raises(Refusal) as refusal:
        change_status(experiment=running, step="resume", actor="test")
    assert refusal.value.code == "wrong-status"


@stored_examples
@given(visits=VISITS)
def test_6_holdout_units_get_nothing_but_the_baseline(
    api: Caller, workspace: Workspace, tmp_path_factory: pytest.TempPathFactory, visits: list[Any]
) -> None:
    if not Experiment.objects.exists():
        point, experiment, more = DESIGNS["holdout"]
        folder = tmp_path_factory.mktemp("declared")
        running_with(workspace, folder, point=point | SAFETY, experiment=experiment, **more)
    rows = rows_of(visits)
    decided(api, rows)
    for decision in decisions_of(rows):
        held = randomization.within("h1", decision.unit_id, 500_000)
        assert held or decision.mode != "holdout"
        if held:
            assert decision.action is not None
            assert (decision.action.key, decision.propensity, decision.assignment) == ("none", 1, None)


def test_6_a_holdout_is_refused_where_safety_forces_another_action(workspace: Workspace, tmp_path: Path) -> None:
    declared(workspace, tmp_path, point={"safety": {"above": 0.9, "action": "bonus"}})
    with pytest.raises(Refusal):
        apply(workspace, tmp_path, holdouts=DESIGNS["holdout"][2]["holdouts"])


def test_6_safety_that_would_force_another_action_is_refused_beside_a_holdout(
    workspace: Workspace, tmp_path: Path
) -> None:
    holdouts = DESIGNS["holdout"][2]["holdouts"]
    declared(workspace, tmp_path, holdouts=holdouts)
    with pytest.raises(Refusal) as refusal:
        apply(workspace, tmp_path, decision_points=[POINT | {"safety": {"above": 0.9, "action": "bonus"}}])
    assert (refusal.value.code, refusal.value.pointer) == ("invalid-declaration", "/safety/action")
    apply(workspace, tmp_path, decision_points=[POINT | {"safety": {"above": 0.9, "action": "none"}}])


def test_6_a_holdout_that_is_over_refuses_nothing(workspace: Workspace, tmp_path: Path) -> None:
    (holdout,) = DESIGNS["holdout"][2]["holdouts"]
    over = holdout | {"valid_from": START - timedelta(days=9), "valid_until": START - timedelta(days=1)}
    declared(workspace, tmp_path, holdouts=[over])
    apply(workspace, tmp_path, decision_points=[POINT | {"safety": {"above": 0.9, "action": "bonus"}}])
