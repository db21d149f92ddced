"""GET and POST /claims, GET /claims/{id}, POST /claims/{id}/withdraw."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from impact.reports.models import BenefitClaim, Report
from tests.conftest import Caller, caller, enter
from tests.reports.board import finance, frozen, schedule, signed, stated
from tests.reports.test_claims import again
from workspaces.models import AuditEntry, Workspace

OTTO = "otto@example.com"


@pytest.fixture
def report(workspace: Workspace, api: Caller, tmp_path: Path) -> Report:
    stated(workspace, api, tmp_path)
    return signed(frozen(schedule(workspace)))


def body(**changes: Any) -> dict[str, Any]:
    return {"report": 1, "experiment": "offers", "claimed_by": OTTO} | changes


def test_claims_lists_and_shows(report: Report, api: Caller) -> None:
    made = api.post("/claims", body())
    assert made.status_code == 200
    claim = BenefitClaim.objects.get()
    assert (made.body["amount"], made.body["status"]) == (str(claim.amount), "claimed")
    assert (made.body["claimed_by"], made.body["from_on"]) == ("Otto", "2026-04-06")
    assert made.body["claimed_through"].startswith("key imp_")
    assert AuditEntry.objects.get(action="claim benefit").actor == made.body["claimed_through"]
    assert api.get(f"/claims/{claim.pk}").body == made.body
    listed = api.get("/claims").body
    assert listed["claims"] == [made.body] and listed["next"] is None
    [held] = listed["against_holdout"]
    assert held == {"population": "customer", "amount": str(claim.amount), "withheld": False, "measured": None}


def test_the_same_again_gives_the_first_answer(report: Report, api: Caller) -> None:
    first = api.post("/claims", body()).body
    second = api.post("/claims", body())
    assert (second.status_code, second.body) == (200, first)
    other = api.post("/claims", body(rule="beside", reason="on top of the others"))
    assert (other.status_code, other.body["code"]) == (409, "claimed-already")
    assert BenefitClaim.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"report": 7}, 404, "not-found"),
        ({"experiment": "nothing"}, 404, "not-found"),
        ({"claimed_by": "nobody@example.com"}, 404, "not-found"),
        ({"claimed_by": "bob@example.com"}, 403, "may-not-claim"),
        ({"report": "1"}, 422, "invalid"),
        ({"amount": 5}, 422, "invalid"),
    ],
)
def test_refuses(report: Report, api: Caller, changes: Any, status: int, code: str) -> None:
    enter(report.workspace, "bob@example.com", "admin", "business")
    answer = api.post("/claims", body(**changes))
    assert (answer.status_code, answer.body["code"].startswith(code)) == (status, True), answer.body
    assert not BenefitClaim.objects.exists()


def test_two_on_the_same_need_a_rule(report: Report, api: Caller) -> None:
    api.post("/claims", body())
    later = again(report)
    answer = api.post("/claims", body(report=later.number))
    assert (answer.status_code, answer.body["code"]) == (409, "overlapping-claim")
    answer = api.post("/claims", body(report=later.number, rule="instead", reason="it was measured anew"))
    assert (answer.status_code, answer.body["overlap_rule"]) == (200, "instead")
    pages = [api.get("/claims", limit="1").body]
    pages.append(api.get("/claims", limit="1", cursor=pages[0]["next"]).body)
    assert [one["claims"][0]["status"] for one in pages] == ["replaced", "claimed"]


def test_needs_its_scope(report: Report, workspace: Workspace) -> None:
    reader = caller(workspace, "read")
    assert reader.get("/claims").status_code == 200
    for path, sent in (("/claims", body()), ("/claims/x/withdraw", {"withdrawn_by": OTTO})):
        assert reader.post(path, sent).body["code"] == "scope-missing"
    assert caller(workspace, "log").get("/claims").body["code"] == "scope-missing"


def test_ends_once(report: Report, api: Caller) -> None:
    address = f"/claims/{api.post('/claims', body()).body['id']}"
    enter(report.workspace, "bob@example.com", "admin", "business")
    assert api.post(f"{address}/withdraw", {"withdrawn_by": "bob@example.com"}).body["code"] == "may-not-claim"
    ended = api.post(f"{address}/withdraw", {"withdrawn_by": OTTO})
    assert (ended.status_code, ended.body["status"]) == (200, "withdrawn")
    assert api.post(f"{address}/withdraw", {"withdrawn_by": OTTO}).body == ended.body
    assert AuditEntry.objects.filter(action="withdraw claim").count() == 1
    assert "against_holdout" not in api.get("/claims").body


def test_anothers_is_missing(report: Report, api: Caller, other_workspace: Workspace) -> None:
    id = api.post("/claims", body()).body["id"]
    finance(other_workspace)
    stranger = caller(other_workspace)
    assert stranger.get("/claims").body["claims"] == []
    assert stranger.get(f"/claims/{id}").status_code == 404
    assert stranger.get("/claims/nonsense").status_code == 404
    assert stranger.post(f"/claims/{id}/withdraw", {"withdrawn_by": OTTO}).status_code == 404
    assert stranger.post("/claims", body()).status_code == 404
    assert BenefitClaim.objects.get().status == "claimed"
