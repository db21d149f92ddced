"""A report is reviewed by one person and signed by another; what is withheld is signed by nobody."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from experiments.models import Experiment
from impact.analysis.models import Analysis
from impact.reports.models import Report
from impact.reports.signing import review_report, sign_report, waiting_reports
from tests.conftest import Caller, enter, signed_in
from tests.dashboard.test_views import withheld
from tests.reports.board import frozen, schedule
from workspaces.errors import Refusal
from workspaces.models import AuditEntry, Membership, Workspace


@pytest.fixture
def reviewer(workspace: Workspace) -> Membership:
    return enter(workspace, "rita@example.com", "analyst", "data science")


@pytest.fixture
def signer(workspace: Workspace) -> Membership:
    return enter(workspace, "otto@example.com", "viewer", "finance")


@pytest.fixture
def report(workspace: Workspace, analysed: Analysis) -> Report:
    return frozen(schedule(workspace))


def refused(code: str, take: Any, report: Report, membership: Membership) -> str:
    with pytest.raises(Refusal) as found:
        take(report=report, membership=membership)
    assert found.value.code == code
    return found.value.detail


def test_two_people_put_their_names_under_it(report: Report, reviewer: Membership, signer: Membership) -> None:
    before = (report.content, report.sha256)
    assert [step for _, step in waiting_reports(reviewer)] == ["review"] and waiting_reports(signer) == []
    assert review_report(report=report, membership=reviewer).status == "reviewed"
    assert [step for _, step in waiting_reports(signer)] == ["sign"] and waiting_reports(reviewer) == []
    sign_report(report=report, membership=signer)
    stored = Report.objects.get()
    assert (stored.status, stored.reviewed_by, stored.signed_by) == ("signed", reviewer.person, signer.person)
    assert (stored.content, stored.sha256) == before
    found = AuditEntry.objects.filter(action__in=["review report", "sign report"]).order_by("number")
    assert [(one.action, one.subject, one.actor) for one in found] == [
        ("review report", "1", "rita@example.com"),
        ("sign report", "1", "otto@example.com"),
    ]


@pytest.mark.parametrize(
    ("role", "signs_for"), [("viewer", "data science"), ("viewer", "finance"), ("admin", "business"), ("admin", "")]
)
def test_not_everybody_reviews(workspace: Workspace, report: Report, role: str, signs_for: str) -> None:
    refused("may-not-review", review_report, report, enter(workspace, "x@example.com", role, signs_for))


@pytest.mark.parametrize("signs_for", ["business", "data science", ""])
def test_only_finance_signs(workspace: Workspace, report: Report, reviewer: Membership, signs_for: str) -> None:
    review_report(report=report, membership=reviewer)
    refused("may-not-sign", sign_report, report, enter(workspace, "x@example.com", "admin", signs_for))


def test_nobody_signs_what_they_reviewed(workspace: Workspace, report: Report) -> None:
    both = enter(workspace, "both@example.com", "analyst", "finance")
    review_report(report=report, membership=both)
    assert waiting_reports(both) == []
    refused("may-not-sign", sign_report, report, both)
    found = Report.objects.get()
    found.status, found.signed_by = "signed", both.person
    with pytest.raises(IntegrityError), transaction.atomic():
        found.save()


def test_one_step_after_the_other_and_once(report: Report, reviewer: Membership, signer: Membership) -> None:
    assert "must be reviewed" in refused("wrong-status", sign_report, report, signer)
    review_report(report=report, membership=reviewer)
    refused("wrong-status", review_report, report, reviewer)
    sign_report(report=report, membership=signer)
    refused("wrong-status", sign_report, report, signer)


def test_anothers_member_does_neither(report: Report, reviewer: Membership, other_workspace: Workspace) -> None:
    other = enter(other_workspace, "otis@example.com", "admin", "finance")
    refused("may-not-review", review_report, report, other)
    review_report(report=report, membership=reviewer)
    refused("may-not-sign", sign_report, report, other)


def test_what_is_withheld_is_signed_by_nobody(
    workspace: Workspace, tmp_path: Path, reviewer: Membership, signer: Membership
) -> None:
    withheld(workspace, tmp_path)
    report = frozen(schedule(workspace, experiments=[Experiment.objects.get().key]))
    review_report(report=report, membership=reviewer)
    assert "withheld" in refused("figure-withheld", sign_report, report, signer)
    page = signed_in(signer).get("/w/mobile/reports/1").content.decode()
    assert "It can&#x27;t be signed" in page or "It can't be signed" in page
    assert "Sign for finance" not in page


def test_what_was_altered_is_signed_by_nobody(report: Report, reviewer: Membership) -> None:
    Report.objects.update(content=report.content | {"name": "Other"})
    refused("report-altered", review_report, report, reviewer)


def test_the_page_asks_twice(report: Report, reviewer: Membership, signer: Membership) -> None:
    client = signed_in(reviewer)
    assert "I checked these figures" in client.get("/w/mobile/reports/1").content.decode()
    said = client.post("/w/mobile/reports/1/review", follow=True).content.decode()
    assert "Nothing was signed" in said and Report.objects.get().status == "draft"
    said = client.post("/w/mobile/reports/1/review", {"confirmed": "1"}, follow=True).content.decode()
    assert "Report 1 is reviewed." in said and "Rita" in said and "Sign for finance" not in said
    client = signed_in(signer)
    assert "somebody else has reviewed it" in client.get("/w/mobile/").content.decode()
    said = client.post("/w/mobile/reports/1/sign", {"confirmed": "1"}, follow=True).content.decode()
    assert "Report 1 is signed." in said and "Otto" in said


def test_a_key_reads_the_names_and_signs_nothing(
    api: Caller, report: Report, reviewer: Membership, signer: Membership
) -> None:
    review_report(report=report, membership=reviewer)
    sign_report(report=report, membership=signer)
    body = api.get("/reports/1").body
    assert body["status"] == "signed"
    assert (body["names"]["reviewed"]["name"], body["names"]["signed"]["name"]) == ("Rita", "Otto")
    for step in ("review", "sign"):
        assert api.post(f"/reports/1/{step}").status_code == 404
