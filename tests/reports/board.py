"""A schedule about the churn experiment, and reports made from it."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import datetime, timedelta
from typing import Any

from impact.reports.models import Report, ReportSchedule
from impact.reports.services import freeze_report
from tests.conftest import START
from workspaces.models import Workspace

DUE = START + timedelta(days=95)


def schedule(workspace: Workspace, key: str = "board", **changes: Any) -> ReportSchedule:
    """A monthly report about the offers, in English, to two people."""
    content: dict[str, Any] = {
        "name": "Offers", "audience": "for the CFO", "experiments": ["offers"],
        "calendar": {"every": "month", "day": 1, "at": "07:00"}, "time_zone": "Europe/Berlin", "language": "en",
        "recipients": ["cfo@example.com", "coo@example.com"], "next_run_at": START,
    }  # fmt: skip
    return ReportSchedule.objects.create(workspace=workspace, key=key, **(content | changes))


def frozen(schedule: ReportSchedule, due_at: datetime = DUE) -> Report:
    return freeze_report(schedule=schedule, due_at=due_at, writing=nullcontext)
