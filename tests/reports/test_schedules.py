"""Schedules on the page: a preview that leaves nothing, a report at once, and rest."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail

from impact.analysis.models import Analysis
from impact.reports.models import Report, ReportSchedule
from impact.reports.services import claim_due_schedules
from tests.conftest import START, enter, signed_in
from tests.reports.board import frozen, schedule
from workspaces import clock
from workspaces.canonical import digest
from workspaces.models import AuditEntry, Job, Membership, Workspace

AT = "/w/mobile/reports/schedules/board"


@pytest.fixture
def analyst(workspace: Workspace) -> Membership:
    return enter(workspace, "ana@example.com", "analyst")


def acts(workspace: Workspace) -> list[tuple[str, str, str]]:
    """What was done about reports: who, what, which."""
    entries = AuditEntry.objects.within(workspace).filter(action__endswith=" report").order_by("number")
    return list(entries.values_list("actor", "action", "subject"))


def test_a_preview_has_the_figures_no_number_and_is_kept_nowhere(
    mate: Membership, workspace: Workspace, analysed: Analysis
) -> None:
    made = schedule(workspace)
    page = signed_in(mate).get(f"{AT}/preview").content.decode()
    assert "Preview" in page and "It has no number" in page and "140.11" in page
    assert "sha256 </p>" not in page and "Report None" not in page
    assert not Report.objects.exists()
    assert frozen(made).number == 1


def test_one_made_now_is_frozen_numbered_audited_and_not_mailed(
    analyst: Membership, workspace: Workspace, analysed: Analysis
) -> None:
    schedule(workspace)
    client = signed_in(analyst)
    answer = client.post(f"{AT}/make")
    assert answer["Location"] == "/w/mobile/reports/1"
    client.post(f"{AT}/make")
    report = Report.objects.get()
    assert (report.number, report.sha256) == (1, digest(report.content))
    assert report.due_at == clock.now(workspace).replace(second=0, microsecond=0)
    assert acts(workspace) == [("ana@example.com", "make report", "1")]
    assert mail.outbox == [] and not report.deliveries.exists()
    assert client.get(f"{AT}/make").status_code == 302
    assert Report.objects.count() == 1


def test_a_paused_schedule_makes_nothing_and_goes_on_without_what_it_missed(
    analyst: Membership, workspace: Workspace
) -> None:
    schedule(workspace)
    client = signed_in(analyst)
    client.post(f"{AT}/pause")
    client.post(f"{AT}/pause")
    claim_due_schedules()
    assert not Job.objects.exists()
    page = client.get("/w/mobile/reports").content.decode()
    assert f"{AT}/resume" in page and f"{AT}/pause" not in page and "paused" in page
    clock.advance(workspace, START + timedelta(days=40))
    client.post(f"{AT}/resume")
    client.post(f"{AT}/resume")
    claim_due_schedules()
    assert not Job.objects.exists()
    assert ReportSchedule.objects.get().next_run_at.isoformat() == "2026-03-01T06:00:00+00:00"
    actor = "ana@example.com"
    assert acts(workspace) == [(actor, "pause report", "board"), (actor, "resume report", "board")]


def test_getting_a_step_changes_nothing(analyst: Membership, workspace: Workspace) -> None:
    schedule(workspace)
    assert signed_in(analyst).get(f"{AT}/pause").status_code == 302
    assert not ReportSchedule.objects.get().paused


@pytest.mark.parametrize("step", ["make", "pause", "resume"])
def test_viewers_strangers_and_unknown_schedules_are_refused(
    step: str, analyst: Membership, mate: Membership, stranger: Membership, workspace: Workspace
) -> None:
    schedule(workspace)
    enter(workspace, "vera@example.com", "viewer")
    viewer = signed_in(Membership.objects.get(person__email="vera@example.com"))
    assert viewer.post(f"{AT}/{step}").status_code == 403
    assert f"{AT}/make" not in viewer.get("/w/mobile/reports").content.decode()
    assert signed_in(stranger).post(f"{AT}/{step}").status_code == 404
    assert signed_in(analyst).post(f"/w/mobile/reports/schedules/none/{step}").status_code == 404
    assert not Report.objects.exists() and not ReportSchedule.objects.get().paused


def test_the_list_says_language_and_last_number(mate: Membership, workspace: Workspace, analysed: Analysis) -> None:
    made = schedule(workspace, language="ja")
    assert "Last report" in signed_in(mate).get("/w/mobile/reports").content.decode()
    frozen(made)
    page = signed_in(mate).get("/w/mobile/reports").content.decode()
    assert "日本語</span>" in page and '<a href="/w/mobile/reports/1">Report 1</a>' in page
