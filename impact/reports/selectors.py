"""Reading reports."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db.models import Max

from impact.ledger.selectors import uuid_of
from impact.reports.models import BenefitClaim, Report, ReportSchedule
from workspaces.errors import Missing
from workspaces.models import Workspace

BESIDE = ("workspace", "schedule", "reviewed_by", "signed_by", "restated_by")


def reports_of(workspace: Workspace) -> Any:
    return Report.objects.within(workspace)


def report_numbered(workspace: Workspace, number: str) -> Report:
    if number.isdecimal() and len(number) < 10:
        report = reports_of(workspace).filter(number=int(number)).select_related(*BESIDE).first()
        if report is not None:
            return report
    raise Missing("report", number)


def deliveries_of(report: Report) -> Any:
    """The report's mails, by address."""
    return report.deliveries.select_related("job").order_by("recipient")


def schedules_of(workspace: Workspace) -> Any:
    """Schedules, the next first, each with the number of its last report."""
    found = ReportSchedule.objects.within(workspace).annotate(last_number=Max("reports__number"))
    return found.order_by("paused", "next_run_at", "key").prefetch_related("unsubscriptions")


def schedule_named(workspace: Workspace, key: str) -> ReportSchedule:
    found = ReportSchedule.objects.within(workspace).filter(key=key).select_related("workspace").first()
    if found is None:
        raise Missing("schedule of reports", key)
    return found


def claims_of(workspace: Workspace) -> Any:
    """Claims of benefit, the newest first."""
    found = BenefitClaim.objects.within(workspace).select_related("experiment", "report", "claimed_by")
    return found.defer("report__content").order_by("-claimed_at", "pk")


def claims_on(workspace: Workspace, day: date) -> Any:
    """What counts on a day: nothing before its cut-off, nothing beyond its expiry."""
    return claims_of(workspace).filter(from_on__lte=day, until_on__gt=day)


def claim_named(workspace: Workspace, id: str) -> BenefitClaim:
    found: BenefitClaim | None = claims_of(workspace).filter(pk=uuid_of(id)).first()
    if found is None:
        raise Missing("claim", id)
    return found
