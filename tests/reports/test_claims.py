"""Benefit is claimed from a signed report, once, until it expires; two claims on the same need a rule."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from impact.analysis.models import Analysis
from impact.dashboard.claimed import claimed_by
from impact.reports.claims import claim_benefit, withdraw_claim
from impact.reports.models import BenefitClaim, Report
from impact.reports.selectors import claims_on
from tests.conftest import Caller, enter, signed_in
from tests.reports.board import DUE, finance, frozen, schedule, signed, stated
from workspaces import clock
from workspaces.canonical import digest
from workspaces.errors import Missing, Refusal
from workspaces.models import AuditEntry, Membership, Workspace


@pytest.fixture
def analysis(workspace: Workspace, api: Caller, tmp_path: Path) -> Analysis:
    return stated(workspace, api, tmp_path)


@pytest.fixture
def report(workspace: Workspace, analysis: Analysis) -> Report:
    return signed(frozen(schedule(workspace)))


def again(report: Report, days: int = 30) -> Report:
    """A later signed report about the same."""
    later = frozen(report.schedule, DUE + timedelta(days=days))
    Report.objects.filter(pk=later.pk).update(
        status="signed", reviewed_by=report.reviewed_by, signed_by=report.signed_by
    )
    return Report.objects.select_related("workspace", "schedule").get(pk=later.pk)


def refused(code: str, **arguments: Any) -> None:
    with pytest.raises(Refusal) as found:
        claim_benefit(**({"key": "offers"} | arguments))
    assert found.value.code == code


def test_books_what_the_statement_says(workspace: Workspace, report: Report, analysis: Analysis) -> None:
    claim = claim_benefit(report=report, key="offers", membership=finance(workspace))
    booked = analysis.document["value_statement"]["booked"]
    claim.refresh_from_db()
    assert claim.amount == Decimal(str(round(booked["base"]["gross_per_year"], 2)))
    assert (claim.scope, claim.population, claim.metric) == ("offer", "customer", "net value")
    assert (claim.option, claim.against, claim.currency) == ("bonus", "none", "EUR")
    assert (claim.from_on, claim.until_on) == (date(2026, 4, 6), date(2027, 4, 6))
    assert claim.low < claim.amount < claim.high
    assert AuditEntry.objects.filter(action="claim benefit").get().subject == "offers, report 1"


def test_nothing_counts_beyond_its_expiry(workspace: Workspace, report: Report) -> None:
    claim_benefit(report=report, key="offers", membership=finance(workspace))
    days = [date(2026, 4, 5), date(2026, 4, 6), date(2027, 4, 5), date(2027, 4, 6)]
    assert [claims_on(workspace, day).count() for day in days] == [0, 1, 1, 0]
    assert claimed_by(workspace, "en") is not None
    clock.advance(workspace, DUE + timedelta(days=400))
    assert claimed_by(workspace, "en") is None
    assert BenefitClaim.objects.get().state_on(date(2027, 4, 6)) == "expired"


def test_expires_when_agreed(workspace: Workspace, api: Caller, tmp_path: Path) -> None:
    stated(workspace, api, tmp_path, expires_months=6)
    claim = claim_benefit(report=signed(frozen(schedule(workspace))), key="offers", membership=finance(workspace))
    assert claim.until_on == date(2026, 10, 6)


def test_only_finance_claims_and_only_from_what_is_signed(
    workspace: Workspace, analysis: Analysis, other_workspace: Workspace
) -> None:
    report = frozen(schedule(workspace))
    refused("wrong-status", report=report, membership=finance(workspace))
    report = signed(report)
    for member in (
        enter(workspace, "x@example.com", "admin", "business"),
        enter(other_workspace, "y@example.com", "admin", "finance"),
    ):
        refused("may-not-claim", report=report, membership=member)
    with pytest.raises(Missing):
        claim_benefit(report=report, key="nothing", membership=finance(workspace))


def test_without_a_spread_nothing_is_booked(workspace: Workspace, analysed: Analysis) -> None:
    report = signed(frozen(schedule(workspace)))
    refused("not-booked", report=report, membership=finance(workspace))
    assert "Nothing is booked" in signed_in(finance(workspace)).get("/w/mobile/reports/1").content.decode()


def test_the_same_report_is_claimed_from_once(workspace: Workspace, report: Report) -> None:
    claim_benefit(report=report, key="offers", membership=finance(workspace))
    refused("claimed-already", report=report, membership=finance(workspace), rule="beside", reason="for another year")


def test_two_on_the_same_need_a_rule(workspace: Workspace, report: Report) -> None:
    first = claim_benefit(report=report, key="offers", membership=finance(workspace))
    later = again(report)
    refused("overlapping-claim", report=later, membership=finance(workspace))
    refused("overlapping-claim", report=later, membership=finance(workspace), rule="half", reason="as was agreed")
    refused("no-reason", report=later, membership=finance(workspace), rule="beside", reason="because")
    assert BenefitClaim.objects.count() == 1
    second = claim_benefit(
        report=later, key="offers", membership=finance(workspace), rule="instead", reason="it was measured anew"
    )
    first.refresh_from_db()
    assert (first.status, second.overlap_rule) == ("replaced", "instead")
    assert claims_on(workspace, second.from_on).get() == second


def test_beside_both_count_losers_too(workspace: Workspace, report: Report) -> None:
    first = claim_benefit(report=report, key="offers", membership=finance(workspace))
    later = again(report)
    statement = later.content["experiments"][0]["results"]["value_statement"]
    for case, amount in (("low", -9e6), ("base", -8e6), ("high", -7e6)):
        statement["booked"][case]["gross_per_year"] = amount
    later.sha256 = digest(later.content)
    later.save()
    loser = claim_benefit(
        report=later, key="offers", membership=finance(workspace), rule="beside", reason="on top of the other"
    )
    assert loser.amount == Decimal("-8000000.00")
    clock.advance(workspace, DUE)
    said = claimed_by(workspace, "en")
    assert said is not None and (said["count"], said["losing"]) == (2, 1)
    assert said["amount"] == f"\u2212{8_000_000 - round(first.amount):,}\u00a0EUR"
    home = signed_in(finance(workspace)).get("/w/mobile/").content.decode()
    assert (
        "all 2 programmes" in home and "1 of them losing" in home and "not held against the global holdout yet" in home
    )


def test_what_is_withdrawn_counts_no_more(workspace: Workspace, report: Report) -> None:
    claim = claim_benefit(report=report, key="offers", membership=finance(workspace))
    clock.advance(workspace, DUE + timedelta(days=10))
    with pytest.raises(Refusal):
        withdraw_claim(claim=claim, membership=enter(workspace, "x@example.com", "admin", "business"))
    ended = withdraw_claim(claim=claim, membership=finance(workspace))
    assert (ended.status, ended.until_on) == ("withdrawn", date(2026, 4, 20))
    with pytest.raises(Refusal):
        withdraw_claim(claim=claim, membership=finance(workspace))
    assert claims_on(workspace, date(2026, 4, 19)).count() == 1 and claimed_by(workspace, "en") is None


def test_by_hand(workspace: Workspace, report: Report, mate: Membership, stranger: Membership) -> None:
    client = signed_in(finance(workspace))
    assert "Nothing is claimed." in client.get("/w/mobile/claims").content.decode()
    assert "Claim it" in client.get("/w/mobile/reports/1").content.decode()
    assert "Claim it" not in signed_in(mate).get("/w/mobile/reports/1").content.decode()
    said = client.post("/w/mobile/reports/1/claim", {"key": "offers"}, follow=True).content.decode()
    assert "Nothing was claimed" in said and not BenefitClaim.objects.exists()
    said = client.post("/w/mobile/reports/1/claim", {"key": "offers", "confirmed": "1"}, follow=True).content.decode()
    assert "bonus, compared with none" in said
    again(report)
    assert "This one instead" in client.get("/w/mobile/reports/2").content.decode()
    address = f"/w/mobile/claims/{BenefitClaim.objects.get().pk}/withdraw"
    assert signed_in(stranger).get(address).status_code == 404
    assert "may not claim" in signed_in(mate).post(address, follow=True).content.decode()
    assert "Withdraw the claim of Offers?" in client.get(address).content.decode()
    assert "withdrawn" in client.post(address, follow=True).content.decode()


@pytest.mark.parametrize("many", [1, 3])
def test_the_list_asks_as_often_for_many(
    workspace: Workspace, report: Report, many: int, django_assert_num_queries: Any
) -> None:
    client = signed_in(finance(workspace))
    claim_benefit(report=report, key="offers", membership=finance(workspace))
    for place in range(1, many):
        claim_benefit(
            report=again(report, 30 * place), key="offers", membership=finance(workspace), rule="beside",
            reason="on top of the others",
        )  # fmt: skip
    with django_assert_num_queries(5):
        assert client.get("/w/mobile/claims").content.decode().count("Withdraw") >= many
