"""Reports as jobs: freeze, render, and a job of its own for each mail."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from impact.reports.deliveries import address_report
from impact.reports.models import ReportSchedule
from impact.reports.rendering import write_files
from impact.reports.services import REPORT, freeze_report
from workspaces.services.jobs import Attempt

__all__ = ["REPORT", "report_job"]


def report_job(attempt: Attempt) -> dict[str, Any]:
    """Make the report that is due, and have it sent."""
    arguments = attempt.job.arguments
    schedule = (
        ReportSchedule.objects.within(attempt.workspace).select_related("workspace").get(key=arguments["schedule"])
    )
    report = freeze_report(
        schedule=schedule, due_at=datetime.fromisoformat(arguments["due_at"]), writing=attempt.writing
    )
    attempt.progress(0.5, f"rendering report {report.number}")
    paths = write_files(report)
    address_report(report)
    return {"report": report.number, "files": [str(path) for path in paths]}
