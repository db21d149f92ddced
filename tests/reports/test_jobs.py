"""The report's job: from the tick to the mail; what goes wrong is tried again and makes no second report."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core import mail

from impact.analysis.models import Analysis
from impact.reports.models import Report
from impact.reports.services import claim_due_schedules
from tests.reports.board import schedule
from workspaces import clock
from workspaces.models import Job, Workspace


def test_makes_writes_and_sends(workspace: Workspace, analysed: Analysis, drain: Callable[[], None]) -> None:
    schedule(workspace)
    claim_due_schedules()
    drain()
    job = Job.objects.get(kind="report")
    assert (job.state, job.progress, job.result["report"]) == ("done", 1.0, 1)
    assert [path.rsplit("/", 1)[-1] for path in job.result["files"]] == ["report-0001.html", "report-0001.pdf"]
    assert len(mail.outbox) == 2


def test_a_mail_that_fails_is_tried_again_with_the_same_report(
    workspace: Workspace, analysed: Analysis, drain: Callable[[], None], settings: Any
) -> None:
    schedule(workspace)
    claim_due_schedules()
    settings.EMAIL_BACKEND = "tests.reports.test_delivery.Fussy"
    drain()
    job = Job.objects.get(kind="report")
    assert job.state == "queued" and "SMTPRecipientsRefused" in job.error
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    Job.objects.update(due_at=clock.server_now())
    drain()
    job.refresh_from_db()
    assert (job.state, job.attempts, job.error) == ("done", 2, "")
    assert [report.number for report in Report.objects.all()] == [1]
    assert sorted(message.to[0] for message in mail.outbox) == ["cfo@example.com", "coo@example.com"]
