"""The report's job: from the tick to the files and the mails."""

from __future__ import annotations

from collections.abc import Callable

from django.core import mail

from impact.analysis.models import Analysis
from impact.reports.services import claim_due_schedules
from tests.reports.board import schedule
from workspaces.models import Job, Workspace


def test_makes_writes_and_sends(workspace: Workspace, analysed: Analysis, drain: Callable[[], None]) -> None:
    schedule(workspace)
    claim_due_schedules()
    drain()
    job = Job.objects.get(kind="report")
    assert (job.state, job.progress, job.result["report"]) == ("done", 1.0, 1)
    assert [path.rsplit("/", 1)[-1] for path in job.result["files"]] == ["report-0001.html", "report-0001.pdf"]
    assert len(mail.outbox) == 2
