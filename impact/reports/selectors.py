"""Reading reports."""

from __future__ import annotations

from typing import Any

from impact.reports.models import Report
from workspaces.errors import Missing
from workspaces.models import Workspace


def reports_of(workspace: Workspace) -> Any:
    return Report.objects.within(workspace)


def report_numbered(workspace: Workspace, number: str) -> Report:
    if number.isdecimal() and len(number) < 10:
        report = reports_of(workspace).filter(number=int(number)).select_related("workspace", "schedule").first()
        if report is not None:
            return report
    raise Missing("report", number)
