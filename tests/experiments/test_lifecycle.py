"""The life of an experiment: every step from every status, and who did it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from experiments.models import Experiment, Phase, Status
from experiments.selectors import experiment_named
from experiments.services import lifecycle
from experiments.services.lifecycle import STEPS, change_status, pause_experiment, start_experiment
from tests.conftest import START, Caller, caller
from tests.experiments.design import POINT, THREE_ARMS, apply, declared
from tests.experiments.invariants.visits import start
from workspaces import clock
from workspaces.canonical import digest
from workspaces.errors import Refusal
from workspaces.models import AuditEntry, Workspace

PLAN = {"arms": [], "alpha": 0.05}
# what may follow on what, as the design has it
ALLOWED = {
    ("draft", "agree"): "agreed",
    ("agreed", "start"): "running",
    ("running", "pause"): "paused",
    ("paused", "resume"): "running",
    ("running", "close"): "closed",
    ("paused", "close"): "closed",
    ("closed", "conclude"): "decided",
    ("running", "abort"): "aborted",
    ("paused", "abort"): "aborted",
    ("decided", "archive"): "archived",
    ("aborted", "archive"): "archived",
}
BY_API = ("pause", "resume", "close", "conclude", "abort", "archive")


def put(experiment: Experiment, status: str) -> None:
    plan = {} if status in ("draft", "agreed") else {"plan": PLAN, "plan_sha256": digest(PLAN)}
    Experiment.objects.filter(pk=experiment.pk).update(status=status, **plan)


def take(experiment: Experiment, step: str) -> Experiment:
    if step == "start":
        return start_experiment(experiment=experiment, plan=PLAN, plan_sha256=digest(PLAN), actor="ann")
    return change_status(experiment=experiment, step=step, actor="ann", reason="because")


@pytest.mark.parametrize("status", Status.values)
@pytest.mark.parametrize("step", STEPS)
def test_a_step_is_taken_or_refused(workspace: Workspace, churn: Experiment, status: str, step: str) -> None:
    put(churn, status)
    before = AuditEntry.objects.within(workspace).count()
    after = ALLOWED.get((status, step))
    if after:
        assert take(churn, step).status == after
        entry = AuditEntry.objects.within(workspace).latest("number")
        assert (entry.actor, entry.action, entry.subject) == ("ann", f"{step} experiment", "offers")
    else:
        with pytest.raises(Refusal) as refusal:
            take(churn, step)
        assert refusal.value.code == "wrong-status"
        assert status in refusal.value.detail
        assert AuditEntry.objects.within(workspace).count() == before
    assert Experiment.objects.get().status == (after or status)


@pytest.mark.parametrize("status", Status.values)
@pytest.mark.parametrize("step", BY_API)
def test_the_api_answers_why_not(api: Caller, churn: Experiment, status: str, step: str) -> None:
    put(churn, status)
    answer = api.post(f"/experiments/offers/{step}", {"reason": "because"})
    after = ALLOWED.get((status, step))
    if after:
        assert (answer.status_code, answer.body["status"], answer.body["key"]) == (200, after, "offers")
    else:
        assert (answer.status_code, answer.body["code"]) == (409, "wrong-status")


def test_a_start_keeps_the_plan_and_opens_the_first_phase(workspace: Workspace, churn: Experiment) -> None:
    change_status(experiment=churn, step="agree", actor="ann")
    clock.advance(workspace, START + timedelta(days=3))
    started = take(churn, "start")
    assert (started.plan, started.plan_sha256) == (PLAN, digest(PLAN))
    assert started.started_at == START + timedelta(days=3)
    phase = Phase.objects.get()
    assert (phase.number, phase.weights, phase.traffic_ppm) == (1, {"none": 1, "bonus": 1}, 1_000_000)
    assert phase.opened_at == started.started_at


def test_a_start_demands_the_digest_of_the_plan(churn: Experiment) -> None:
    change_status(experiment=churn, step="agree", actor="ann")
    with pytest.raises(Refusal) as refusal:
        start_experiment(experiment=churn, plan=PLAN | {"alpha": 0.1}, plan_sha256=digest(PLAN), actor="ann")
    assert refusal.value.code == "no-agreement"
    assert not Phase.objects.exists()


@pytest.mark.parametrize("status", [one for one in Status.values if one not in ("draft", "agreed")])
def test_the_database_keeps_none_that_runs_without_a_plan(churn: Experiment, status: str) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Experiment.objects.update(status=status)


def test_the_start_over_the_api_asks_for_the_agreement(api: Caller, churn: Experiment) -> None:
    answer = api.post("/experiments/offers/start")
    assert (answer.status_code, answer.body["code"]) == (409, "no-agreement")
    assert "business, data science, finance" in answer.body["detail"]


def test_a_pause_keeps_its_reason_until_it_is_over(running: Experiment) -> None:
    assert pause_experiment(experiment=running, actor="guardrail", reason="churn rose").pause_reason == "churn rose"
    assert change_status(experiment=running, step="resume", actor="ann").pause_reason == ""


@pytest.mark.parametrize("step", ["close", "abort", "pause"])
def test_the_reason_is_in_the_audit_trail(workspace: Workspace, running: Experiment, step: str) -> None:
    change_status(experiment=running, step=step, actor="ann", reason="because")
    entry = AuditEntry.objects.within(workspace).latest("number")
    after = {"status": STEPS[step][1], "plan": running.plan_sha256, "reason": "because"}
    assert entry.after_sha256 == digest(after)


def test_the_end_of_enrolment_is_kept(workspace: Workspace, running: Experiment) -> None:
    clock.advance(workspace, START + timedelta(days=30))
    change_status(experiment=running, step="close", actor="ann")
    assert experiment_named(workspace, "offers").closed_at == START + timedelta(days=30)


@pytest.mark.parametrize(
    ("body", "status"), [({}, 200), ({"reason": "x" * 300}, 200), ({"reason": "x" * 301}, 422), ({"why": "x"}, 422)]
)
def test_a_reason_has_its_length(api: Caller, running: Experiment, body: Any, status: int) -> None:
    assert api.post("/experiments/offers/pause", body).status_code == status


def test_a_step_may_come_without_a_body(api: Caller, running: Experiment) -> None:
    assert api.raw("/experiments/offers/pause", b"").body["status"] == "paused"


def test_steps_know_every_status() -> None:
    assert {after for _, after in STEPS.values()} | {"draft"} == set(Status.values)
    assert {(before, step) for step, (befores, _) in STEPS.items() for before in befores} == set(ALLOWED)
    assert all(lifecycle.STEPS[step][1] == after for (_, step), after in ALLOWED.items())


def test_experiments_are_listed(api: Caller, running: Experiment, other_workspace: Workspace) -> None:
    body = api.get("/experiments").body
    assert body["experiments"] == [
        {
            "key": "offers", "name": "Offers", "status": "running", "origin": "live", "randomize": "unit",
            "layer": "offer", "arms": ["none", "bonus"], "baseline": "none", "phases": [
                {"number": 1, "opened_at": START.isoformat(), "weights": {"none": 1, "bonus": 1}, "traffic": 1.0}
            ],
        }
    ]  # fmt: skip
    assert caller(other_workspace).get("/experiments").body == {"experiments": [], "next": None}


def test_starts_no_arm_that_its_point_has_no_more(workspace: Workspace, tmp_path: Path) -> None:
    experiment = declared(workspace, tmp_path, experiment={"arms": THREE_ARMS})
    apply(workspace, tmp_path, decision_points=[POINT | {"candidates": ["none", "bonus"], "eligibility": []}])
    with pytest.raises(Refusal, match="offer has no candidate credit any more; declare it again") as refusal:
        start(experiment)
    assert refusal.value.code == "wrong-status"
    experiment.refresh_from_db()
    assert (experiment.status, experiment.phases.count()) == ("draft", 0)


def test_starts_no_clusters_that_nobody_sends_any_more(workspace: Workspace, tmp_path: Path) -> None:
    experiment = declared(workspace, tmp_path, point={"cluster": "household"}, experiment={"randomize": "cluster"})
    apply(workspace, tmp_path, decision_points=[POINT])
    with pytest.raises(Refusal, match="offer has no cluster any more"):
        start(experiment)
