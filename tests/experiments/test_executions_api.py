"""POST /executions: what was really done about a decision."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from experiments.models import Execution, Experiment
from tests.conftest import START, Caller, caller, decision_row
from workspaces.models import Quarantine, Workspace

AT = START.isoformat()


@pytest.fixture
def decision(api: Caller, running: Experiment) -> str:
    return str(api.post("/decisions", decision_row("c1")).body["decision_id"])


def row(decision: str, event: str = "x1", **changes: Any) -> dict[str, Any]:
    sent = {"source": "crm", "event_id": event, "decision_id": decision, "status": "delivered"}
    return sent | {"occurred_at": AT, "at": AT} | changes


def post(api: Caller, *rows: Any) -> list[Any]:
    answer = api.post("/executions", {"executions": list(rows)})
    assert answer.status_code == 200
    results: list[Any] = answer.body["results"]
    return results


@pytest.mark.parametrize(
    "status", ["activated", "delivered", "accepted", "declined", "failed", "overridden", "expired"]
)
def test_works(api: Caller, decision: str, status: str) -> None:
    more = {"executed_action": "credit", "actor": "agent 7", "reason": "asked for it", "external_ref": "t-1"}
    (result,) = post(api, row(decision, status=status, **more))
    stored = Execution.objects.get()
    assert (result["status"], result["id"]) == ("accepted", str(stored.pk))
    assert (str(stored.decision_id), stored.status, stored.occurred_at) == (decision, status, START)
    assert {name: getattr(stored, name) for name in more} == more


def test_a_decision_has_many(api: Caller, decision: str) -> None:
    results = post(api, row(decision, "x1"), row(decision, "x2", status="accepted"), row(decision, "x3"))
    assert {result["status"] for result in results} == {"accepted"}


def test_replays(api: Caller, decision: str) -> None:
    (first,) = post(api, row(decision))
    assert post(api, row(decision)) == [first | {"status": "duplicate"}]
    (conflict,) = post(api, row(decision, status="failed"))
    assert (conflict["status"], conflict["code"]) == ("quarantined", "event-conflict")
    assert Execution.objects.get().status == "delivered"


@pytest.mark.parametrize("unknown", ["01930000-0000-7000-8000-000000000000", "nonsense"])
def test_an_unknown_decision_waits_in_quarantine(api: Caller, decision: str, unknown: str) -> None:
    (result,) = post(api, row(unknown))
    assert (result["status"], result["code"], result["pointer"]) == (
        "quarantined", "unknown-decision", "/decision_id",
    )  # fmt: skip
    assert (Quarantine.objects.get().kind, Execution.objects.count()) == ("execution", 0)


def test_a_strangers_decision_is_unknown(decision: str, other_workspace: Workspace) -> None:
    (result,) = post(caller(other_workspace), row(decision))
    assert result["code"] == "unknown-decision"
    assert not Execution.objects.exists()


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"status": "done"}, "/status"),
        ({"status": None}, "/status"),
        ({"status": "overridden"}, "/executed_action"),
        ({"status": "overridden", "executed_action": "No Action"}, "/executed_action"),
        ({"status": "overridden", "executed_action": "none", "reason": "asked"}, "/actor"),
        ({"status": "overridden", "executed_action": "none", "actor": "agent 7"}, "/reason"),
        ({"decision_id": ""}, "/decision_id"),
        ({"occurred_at": "2026-01-05"}, "/occurred_at"),
        ({"actor": "a\u200bb"}, "/actor"),
        ({"reason": "x" * 10_001}, "/reason"),
        ({"unit_id": "c1"}, "/unit_id"),
    ],
)
def test_refuses(api: Caller, decision: str, changes: dict[str, Any], pointer: str) -> None:
    (result,) = post(api, row(decision, **changes))
    assert (result["status"], result["code"], result["pointer"]) == ("rejected", "invalid-field", pointer)
    assert not Execution.objects.exists()


def test_nothing_is_executed_in_the_future(api: Caller, decision: str) -> None:
    (result,) = post(api, row(decision, occurred_at=(START + timedelta(days=1)).isoformat()))
    assert (result["status"], result["code"]) == ("quarantined", "future-event")


def test_needs_the_scope(workspace: Workspace, decision: str) -> None:
    answer = caller(workspace, "decide").post("/executions", {"executions": [row(decision)]})
    assert answer.status_code == 403
