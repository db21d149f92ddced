"""Declaring reports: when, about what, for whom; refused with what is wrong and where."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from experiments.models import Experiment
from impact.reports.declarations import ReportDeclared, declare_report
from impact.reports.models import ReportSchedule
from tests.conftest import START
from workspaces.declarations import Change
from workspaces.errors import Refusal
from workspaces.models import Workspace

BOARD = {
    "key": "board", "name": "Offers", "experiments": ["offers"], "time_zone": "Europe/Berlin",
    "calendar": {"every": "month", "at": "07:00"}, "recipients": ["cfo@example.com"],
}  # fmt: skip


def declare(workspace: Workspace, **changes: Any) -> Change:
    return declare_report(workspace, msgspec.convert(BOARD | changes, ReportDeclared), "test")


def test_is_declared_and_due_next_month(workspace: Workspace, churn: Experiment) -> None:
    assert declare(workspace).did == "created"
    made = ReportSchedule.objects.within(workspace).get()
    assert (made.name, made.language, made.recipients) == ("Offers", "en", ["cfo@example.com"])
    assert made.next_run_at == datetime(2026, 2, 1, 6, tzinfo=UTC)
    assert declare(workspace).did == "unchanged"


def test_another_calendar_or_zone_moves_what_is_due(workspace: Workspace, churn: Experiment) -> None:
    declare(workspace)
    declare(workspace, calendar={"every": "day", "at": "07:00"})
    assert ReportSchedule.objects.get().next_run_at == START.replace(day=6)
    declare(workspace, calendar={"every": "day", "at": "07:00"}, time_zone="Asia/Tokyo")
    assert ReportSchedule.objects.get().next_run_at == START + timedelta(hours=16)


def test_another_name_does_not(workspace: Workspace, churn: Experiment) -> None:
    declare(workspace)
    ReportSchedule.objects.update(next_run_at=START)
    assert declare(workspace, name="Bonuses").did == "changed"
    assert (ReportSchedule.objects.get().name, ReportSchedule.objects.get().next_run_at) == ("Bonuses", START)


@pytest.mark.parametrize(
    ("changes", "code", "pointer"),
    [
        ({"calendar": {"every": "week", "day": 8, "at": "07:00"}}, "invalid-declaration", "/calendar"),
        ({"calendar": {"every": "day", "at": "soon"}}, "invalid-declaration", "/calendar"),
        ({"time_zone": "Mars/Olympus"}, "invalid-declaration", "/time_zone"),
        ({"time_zone": "Europe"}, "invalid-declaration", "/time_zone"),
        ({"time_zone": "../../etc/passwd"}, "invalid-declaration", "/time_zone"),
        ({"time_zone": ""}, "invalid-declaration", "/time_zone"),
        ({"recipients": ["cfo@example.com", "cfo"]}, "invalid-declaration", "/recipients/1"),
        ({"recipients": ["a@b.example\nBcc: all@b.example"]}, "invalid-declaration", "/recipients/0"),
        ({"experiments": ["offers", "none"]}, "not-found", "/experiments/1"),
    ],
)
def test_is_refused(workspace: Workspace, churn: Experiment, changes: dict[str, Any], code: str, pointer: str) -> None:
    with pytest.raises(Refusal) as refusal:
        declare(workspace, **changes)
    assert (refusal.value.code, refusal.value.pointer) == (code, pointer)
    assert not ReportSchedule.objects.exists()


def test_anothers_experiment_is_missing(churn: Experiment, other_workspace: Workspace) -> None:
    with pytest.raises(Refusal) as refusal:
        declare(other_workspace)
    assert refusal.value.code == "not-found"
