"""Reports: claimed once, frozen with a number, and whatever comes later changes neither."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from experiments.models import Experiment
from impact.analysis.models import Analysis
from impact.analysis.services import analyze
from impact.reports.models import Report, ReportSchedule
from impact.reports.rendering import html_of, pdf_of
from impact.reports.services import claim_due_schedules, freeze_report
from tests.conftest import START, Caller, played, race
from tests.reports.board import DUE, frozen, schedule
from workspaces import clock
from workspaces.canonical import digest
from workspaces.models import Job, Workspace


def test_what_is_due_becomes_one_job(workspace: Workspace) -> None:
    made = schedule(workspace)
    claim_due_schedules()
    claim_due_schedules()
    job = Job.objects.within(workspace).get()
    assert (job.kind, job.key) == ("report", "board, due 2026-01-05 06:00 UTC")
    assert job.arguments == {"schedule": "board", "due_at": START.isoformat()}
    made.refresh_from_db()
    assert made.next_run_at.isoformat() == "2026-02-01T06:00:00+00:00"


def test_what_is_not_due_waits(workspace: Workspace, real_workspace: Workspace) -> None:
    schedule(workspace, next_run_at=START + timedelta(seconds=1))
    schedule(real_workspace, next_run_at=clock.server_now() + timedelta(hours=1))
    claim_due_schedules()
    assert not Job.objects.exists()
    clock.advance(workspace, START + timedelta(seconds=1))
    claim_due_schedules()
    assert Job.objects.get().workspace == workspace


def test_runs_that_were_missed_are_made_up_for_by_one(workspace: Workspace) -> None:
    schedule(workspace)
    clock.advance(workspace, START + timedelta(days=200))
    claim_due_schedules()
    assert Job.objects.get().key == "board, due 2026-07-01 05:00 UTC"
    assert ReportSchedule.objects.get().next_run_at.isoformat() == "2026-08-01T05:00:00+00:00"


@pytest.mark.django_db(transaction=True)
def test_of_many_who_freeze_at_once_all_get_the_same(workspace: Workspace, churn: Experiment) -> None:
    made = schedule(workspace)

    def freeze(place: int) -> Any:
        mine = ReportSchedule.objects.select_related("workspace").get(pk=made.pk)
        return freeze_report(schedule=mine, due_at=DUE, writing=transaction.atomic).pk

    assert len(set(race(4, freeze))) == 1
    assert Report.objects.get().number == 1


def test_numbers_go_on_over_all_schedules(workspace: Workspace, other_workspace: Workspace, churn: Experiment) -> None:
    board, plant = schedule(workspace), schedule(workspace, "plant")
    found = [frozen(board), frozen(plant), frozen(board, DUE + timedelta(days=30)), frozen(schedule(other_workspace))]
    assert [report.number for report in found] == [1, 2, 3, 1]
    assert [report.previous and report.previous.number for report in found] == [None, None, 1, None]
    assert found[2].content["previous"] == {"number": 1, "sha256": found[0].sha256}


def test_says_what_changed_since_the_report_before(workspace: Workspace, api: Caller, churn: Experiment) -> None:
    made = schedule(workspace)
    assert frozen(made).content["experiments"][0].get("changed") is None
    running = played(workspace, api, churn)
    analyze(experiment=running, as_of=START + timedelta(days=30))
    early = frozen(made, DUE + timedelta(days=1))
    assert early.content["experiments"][0]["changed"] is None
    analyze(experiment=running)
    later = frozen(made, DUE + timedelta(days=2))
    changed = later.content["experiments"][0]["changed"]
    assert changed["title"] == "Since report 2"
    assert changed["lines"][0] == "120 more rows count"
    assert "Since report 2" in html_of(later) and changed["lines"][0] in html_of(later)
    again = frozen(made, DUE + timedelta(days=3))
    assert again.content["experiments"][0]["changed"]["lines"] == ["nothing"]


def test_holds_the_figures_the_digest_and_who_signed(workspace: Workspace, analysed: Analysis) -> None:
    report = frozen(schedule(workspace))
    [offers] = report.content["experiments"]
    assert report.sha256 == digest(report.content)
    assert offers["results"]["money"] == analysed.document["money"]
    assert offers["results"]["analysis_id"] == str(analysed.pk)
    agreed = next(point["text"] for point in offers["points"] if point["title"] == "Agreed, reached")
    who, *reached = agreed.splitlines()
    assert who == (
        "Bea-Mobile (business), 5 January 2026; Dan-Mobile (data science), 5 January 2026; "
        "Fin-Mobile (finance), 5 January 2026"
    )
    assert "Rows in the smallest arm: agreed 1,000, came 57 (reached: no)" in reached
    japanese = frozen(schedule(workspace, "ja", language="ja")).content["experiments"][0]["points"]
    assert "Fin-Mobile（財務）、2026年1月5日" in next(
        point["text"] for point in japanese if point["title"] == "合意と達成"
    )
    assert report.content["workspace"]["simulated"] is True
    assert report.content["audit_head"]


def test_stays_as_it_was_when_new_analyses_come(workspace: Workspace, churn: Experiment, api: Caller) -> None:
    made = schedule(workspace)
    before = frozen(made)
    assert before.content["experiments"][0]["results"] is None
    pages = html_of(before), pdf_of(before)
    analyze(experiment=played(workspace, api, churn))
    ReportSchedule.objects.update(name="Other", recipients=[])
    again = frozen(ReportSchedule.objects.select_related("workspace").get())
    assert (again.pk, again.number, again.sha256, again.content) == (
        before.pk, before.number, before.sha256, before.content,
    )  # fmt: skip
    stored = Report.objects.select_related("workspace").get()
    assert (html_of(stored), pdf_of(stored)) == pages
    newer = frozen(made, DUE + timedelta(days=30))
    assert (newer.number, newer.previous) == (2, before)
    assert newer.content["experiments"][0]["results"] is not None


def test_an_experiment_of_the_list_that_is_gone_is_left_out(workspace: Workspace, churn: Experiment) -> None:
    report = frozen(schedule(workspace, experiments=["gone", "offers"]))
    assert [one["key"] for one in report.content["experiments"]] == ["offers"]
