"""What may be declared about reports."""

from __future__ import annotations

from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator, validate_email

from experiments.models import Experiment
from impact.reports.calendar import check_calendar, next_run
from impact.reports.models import ReportSchedule
from workspaces import clock
from workspaces.declarations import Change, Declaration, Declared, declare_row, differences
from workspaces.errors import Missing, Refusal
from workspaces.models import Workspace
from workspaces.strict import Key, Text


class CalendarDeclared(Declared):
    """Every day, week (day 1 is Monday) or month, at a wall-clock time."""

    every: Literal["day", "week", "month"]
    at: str
    day: int = 1


class ReportDeclared(Declared):
    key: Key
    name: Text
    experiments: list[Key]
    calendar: CalendarDeclared
    time_zone: str
    language: Literal["en", "ja"] = "en"
    audience: Text = ""
    recipients: list[str] = []


def declare_report(workspace: Workspace, declared: ReportDeclared, actor: str) -> Change:
    calendar: dict[str, Any] = {
        "every": declared.calendar.every,
        "day": declared.calendar.day,
        "at": declared.calendar.at,
    }
    try:
        check_calendar(calendar)
    except ValueError as error:
        raise Refusal("invalid-declaration", str(error), "/calendar") from error
    try:
        ZoneInfo(declared.time_zone)
    except (ValueError, OSError, ZoneInfoNotFoundError) as error:
        said = f"time_zone == {declared.time_zone!r} is no zone like Europe/Berlin"
        raise Refusal("invalid-declaration", said, "/time_zone") from error
    for place, recipient in enumerate(declared.recipients):
        try:
            validate_email(recipient)
            MaxLengthValidator(254)(recipient)
        except ValidationError as error:
            raise Refusal("invalid-declaration", f"{recipient!r} is no address", f"/recipients/{place}") from error
    known = set(Experiment.objects.within(workspace).values_list("key", flat=True))
    for place, key in enumerate(declared.experiments):
        if key not in known:
            raise Missing("experiment", key, f"/experiments/{place}")
    content: dict[str, Any] = {
        "name": declared.name,
        "audience": declared.audience,
        "experiments": declared.experiments,
        "calendar": calendar,
        "time_zone": declared.time_zone,
        "language": declared.language,
        "recipients": declared.recipients,
    }
    current = ReportSchedule.objects.within(workspace).filter(key=declared.key).first()
    if current is None or {"calendar", "time_zone"} & set(differences(current, content)):
        content["next_run_at"] = next_run(calendar, declared.time_zone, clock.now(workspace))
    return declare_row("report", ReportSchedule, workspace, declared.key, content, actor)


DECLARATIONS = (Declaration("reports", ReportDeclared, declare_report),)
