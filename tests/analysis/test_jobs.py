"""Analyses as jobs: asked for once, done by the worker, due once a day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from experiments.models import Experiment
from experiments.services.lifecycle import change_status
from impact.analysis.models import Analysis
from impact.analysis.queue import enqueue_analysis, enqueue_due_analyses
from impact.analysis.services import analyze
from tests.conftest import START, Caller, caller, loaded, played
from workspaces import clock
from workspaces.errors import Refusal
from workspaces.models import Job, Workspace


def keys() -> list[str]:
    return list(Job.objects.order_by("created_at").values_list("key", flat=True))


def test_a_job_analyses(running: Experiment, drain: Callable[[], None]) -> None:
    job = enqueue_analysis(experiment=running, as_of=START)
    drain()
    job.refresh_from_db()
    analysis = Analysis.objects.get()
    assert (job.state, job.progress, job.error) == (Job.State.DONE, 1.0, "")
    assert job.result == {"analysis": str(analysis.pk), "level": "withheld"}
    assert analysis.as_of == START


def test_asking_twice_is_asking_once(running: Experiment) -> None:
    first = enqueue_analysis(experiment=running, as_of=START)
    elsewhere = START.astimezone(timezone(timedelta(hours=9)))
    assert enqueue_analysis(experiment=running, as_of=elsewhere) == first
    assert enqueue_analysis(experiment=running, as_of=START + timedelta(seconds=1)) != first


def test_a_draft_cant_be_asked_for(churn: Experiment) -> None:
    with pytest.raises(Refusal) as refused:
        enqueue_analysis(experiment=churn, as_of=START)
    assert refused.value.code == "not-started"
    assert not Job.objects.exists()


def test_what_cant_be_analysed_fails_with_its_reason(running: Experiment, drain: Callable[[], None]) -> None:
    job = enqueue_analysis(experiment=running, as_of=START)
    Experiment.objects.filter(pk=running.pk).update(plan=None)
    drain()
    job.refresh_from_db()
    assert (job.state, job.attempts) == (Job.State.FAILED, 1)
    assert job.error == "not-started: offers has not started, so there is nothing to analyse."


def moved_to(workspace: Workspace, at: datetime) -> None:
    clock.advance(workspace, at)
    enqueue_due_analyses()


def test_one_analysis_a_day_is_due(running: Experiment) -> None:
    moved_to(running.workspace, START + timedelta(hours=17))
    assert keys() == []
    midnight = START.replace(hour=0) + timedelta(days=1)
    for hours in (0, 1, 23):
        moved_to(running.workspace, midnight + timedelta(hours=hours))
    assert keys() == ["offers, as of 2026-01-06 00:00:00 UTC"]
    moved_to(running.workspace, midnight + timedelta(days=3, hours=5))
    assert keys()[1:] == ["offers, as of 2026-01-09 00:00:00 UTC"]


@pytest.mark.parametrize(("step", "due"), [("pause", True), ("close", True), ("abort", False)])
def test_analyses_are_due_while_an_experiment_lives(running: Experiment, step: str, due: bool) -> None:
    change_status(experiment=running, step=step, actor="test")
    moved_to(running.workspace, START + timedelta(days=2))
    assert bool(keys()) is due


def test_none_is_due_after_the_final_one(workspace: Workspace, api: Caller, churn: Experiment) -> None:
    experiment = played(workspace, api, churn)
    assert analyze(experiment=experiment).final
    moved_to(workspace, START + timedelta(days=120))
    assert keys() == []


def test_none_is_due_of_what_was_loaded(workspace: Workspace, tmp_path: Path) -> None:
    loaded(workspace, tmp_path, "unit,arm,y\n1,a,1\n2,b,2\n")
    moved_to(workspace, START + timedelta(days=3))
    assert keys() == []


def test_the_api_asks_for_an_analysis(api: Caller, running: Experiment, drain: Callable[[], None]) -> None:
    answer = api.post("/experiments/offers/analyses")
    assert (answer.status_code, answer.body["kind"], answer.body["state"]) == (202, "analyze", "queued")
    drain()
    assert api.get(f"/jobs/{answer.body['id']}").body["state"] == "done"
    assert api.get("/experiments/offers/results").body["experiment"] == "offers"


def test_the_api_refuses(api: Caller, churn: Experiment, other_workspace: Workspace) -> None:
    answer = api.post("/experiments/offers/analyses")
    assert (answer.status_code, answer.body["code"]) == (409, "not-started")
    assert api.post("/experiments/nothing/analyses").status_code == 404
    assert caller(other_workspace).post("/experiments/offers/analyses").status_code == 404
    assert caller(churn.workspace, "read").post("/experiments/offers/analyses").status_code == 403
