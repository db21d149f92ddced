"""GET /claims and GET /claims/{id}."""

from __future__ import annotations

from pathlib import Path

import pytest

from impact.reports.claims import claim_benefit, withdraw_claim
from impact.reports.models import BenefitClaim, Report
from tests.conftest import Caller, caller
from tests.reports.board import finance, frozen, schedule, signed, stated
from tests.reports.test_claims import again
from workspaces.models import Workspace


@pytest.fixture
def report(workspace: Workspace, api: Caller, tmp_path: Path) -> Report:
    stated(workspace, api, tmp_path)
    return signed(frozen(schedule(workspace)))


@pytest.fixture
def claim(report: Report) -> BenefitClaim:
    return claim_benefit(report=report, key="offers", membership=finance(report.workspace))


def test_lists_and_shows(claim: BenefitClaim, api: Caller) -> None:
    shown = api.get(f"/claims/{claim.pk}").body
    assert (shown["amount"], shown["status"], shown["from_on"]) == (str(claim.amount), "claimed", "2026-04-06")
    assert shown["claimed_by"] == claim.claimed_by.name
    listed = api.get("/claims").body
    assert listed["claims"] == [shown] and listed["next"] is None
    [held] = listed["against_holdout"]
    assert held == {"population": "customer", "amount": str(claim.amount), "withheld": False, "measured": None}


def test_pages_and_tells_what_was_replaced(claim: BenefitClaim, api: Caller) -> None:
    member = finance(claim.workspace)
    claim_benefit(
        report=again(claim.report), key="offers", membership=member, rule="instead", reason="it was measured anew"
    )
    pages = [api.get("/claims", limit="1").body]
    pages.append(api.get("/claims", limit="1", cursor=pages[0]["next"]).body)
    assert [one["claims"][0]["status"] for one in pages] == ["replaced", "claimed"]


def test_what_was_withdrawn_is_held_against_nothing(claim: BenefitClaim, api: Caller) -> None:
    withdraw_claim(claim=claim, membership=finance(claim.workspace))
    body = api.get("/claims").body
    assert body["claims"][0]["status"] == "withdrawn" and "against_holdout" not in body


def test_no_key_claims(report: Report, api: Caller) -> None:
    assert api.post("/claims", {"report": 1, "experiment": "offers"}).status_code == 405
    assert not BenefitClaim.objects.exists()


def test_needs_its_scope(claim: BenefitClaim, workspace: Workspace) -> None:
    assert caller(workspace, "read").get("/claims").status_code == 200
    assert caller(workspace, "log").get("/claims").body["code"] == "scope-missing"


def test_anothers_is_missing(claim: BenefitClaim, other_workspace: Workspace) -> None:
    stranger = caller(other_workspace)
    assert stranger.get("/claims").body["claims"] == []
    assert stranger.get(f"/claims/{claim.pk}").status_code == 404
    assert stranger.get("/claims/nonsense").status_code == 404
