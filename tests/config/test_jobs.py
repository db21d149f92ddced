"""The tick and the drain: what is due by time is enqueued, what is due is done, nothing holds up the rest."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from experiments.models import Experiment
from impact.analysis.models import Analysis
from impact.config import jobs
from impact.reports.models import Report
from tests.conftest import START, Caller, decision_row, signed_in
from tests.reports.board import schedule
from workspaces import clock
from workspaces.models import Job, Membership, Workspace
from workspaces.services.jobs import ATTEMPTS, enqueue


@pytest.fixture
def tick(drain: Callable[[], None]) -> Callable[[], None]:
    """As drain does, on the test's own connection."""
    return jobs.tick


def test_every_kind_has_a_function() -> None:
    assert set(jobs.KINDS) == {
        "alarm",
        "analyze",
        "decide-file",
        "deliver",
        "digest",
        "drift",
        "holdout-effect",
        "import",
        "load",
        "report",
    }
    assert all(callable(work) for work in jobs.KINDS.values())


def test_a_day_later_there_is_an_analysis_and_what_is_due_is_reported(
    workspace: Workspace, running: Experiment, api: Caller, tick: Callable[[], None]
) -> None:
    api.post("/decisions", decision_row("c1"))
    schedule(workspace, next_run_at=START + timedelta(hours=12))
    tick()
    assert not Job.objects.exists()
    workspace.refresh_from_db()
    clock.advance(workspace, START + timedelta(days=1))
    tick()
    done = [("analyze", "done"), ("deliver", "done"), ("deliver", "done"), ("drift", "done"), ("report", "done")]
    assert sorted((job.kind, job.state) for job in Job.objects.all()) == done
    assert (Analysis.objects.count(), Report.objects.count()) == (1, 1)
    tick()
    assert Job.objects.count() == 5


def test_a_kind_that_nobody_knows_fails_with_its_reason_and_holds_up_nothing(
    workspace: Workspace, mate: Membership, running: Experiment, drain: Callable[[], None]
) -> None:
    strange = enqueue(workspace=workspace, kind="uplift", key="from a newer version")
    late = enqueue(
        workspace=workspace, kind="analyze", key="1", arguments={"experiment": "offers", "as_of": START.isoformat()}
    )
    for _ in range(ATTEMPTS):
        Job.objects.filter(state="queued").update(due_at=clock.server_now() - timedelta(seconds=1))
        drain()
    strange.refresh_from_db()
    late.refresh_from_db()
    assert (strange.state, strange.attempts) == ("failed", ATTEMPTS)
    assert strange.error == "LookupError: nothing here does jobs of the kind 'uplift'"
    assert late.state == "done"
    page = signed_in(mate).get("/w/mobile/jobs").content.decode()
    assert "uplift" in page and "nothing here does jobs" in page
