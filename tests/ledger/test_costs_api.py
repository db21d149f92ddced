"""POST /costs: money spent, in the workspace's currency."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from experiments.models import Experiment
from impact.ledger.models import Cost
from tests.conftest import START, Caller, caller, decision_row
from workspaces.models import Quarantine, Workspace

AT = START.isoformat()


def row(event: str = "k1", **changes: Any) -> dict[str, Any]:
    sent = {"source": "crm", "event_id": event, "category": "contact", "unit_id": "c1", "amount": "2.35"}
    return sent | {"currency": "EUR", "occurred_at": AT, "at": AT} | changes


def post(api: Caller, *rows: Any) -> list[Any]:
    answer = api.post("/costs", {"costs": list(rows)})
    assert answer.status_code == 200
    results: list[Any] = answer.body["results"]
    return results


def test_works(api: Caller, running: Experiment) -> None:
    decision = api.post("/decisions", decision_row("c7")).body["decision_id"]
    results = post(api, row("k1"), row("k2", unit_id=None, decision_id=decision, estimated=True))
    assert [result["status"] for result in results] == ["accepted", "accepted"]
    first, second = Cost.objects.order_by("event_id")
    assert (first.unit_id, first.category, first.amount, first.currency, first.estimated) == (
        "c1", "contact", 2.35, "EUR", False,
    )  # fmt: skip
    assert (second.unit_id, str(second.decision_id), second.estimated) == ("c7", decision, True)


def test_replays(api: Caller) -> None:
    (first,) = post(api, row())
    assert post(api, row()) == [first | {"status": "duplicate"}]
    assert post(api, row(estimated=True))[0]["code"] == "event-conflict"
    assert Cost.objects.get().estimated is False


def test_an_outcome_may_have_the_event_id_of_a_cost(api: Caller) -> None:
    outcome = {key: value for key, value in row().items() if key not in ("category", "amount")}
    assert post(api, row())[0]["status"] == "accepted"
    answer = api.post("/outcomes", {"outcomes": [outcome | {"type": "spend", "value": 1}]})
    assert answer.body["accepted"] == 1


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"amount": "two"}, "/amount"),
        ({"amount": "NaN"}, "/amount"),
        ({"amount": None}, "/amount"),
        ({"amount": "0.1234567890123456"}, "/amount"),
        ({"amount": 1e15}, "/amount"),
        ({"currency": None}, "/currency"),
        ({"currency": "Euro"}, "/currency"),
        ({"decision_id": "nonsense"}, "/unit_id"),
        ({"unit_id": None}, "/unit_id"),
        ({"estimated": "yes"}, "/estimated"),
        ({"category": "a\u200bb"}, "/category"),
        ({"value": 1}, "/value"),
    ],
)
def test_refuses(api: Caller, changes: dict[str, Any], pointer: str) -> None:
    (result,) = post(api, row(**changes))
    assert (result["status"], result["code"], result["pointer"]) == ("rejected", "invalid-field", pointer)
    assert not Cost.objects.exists()


@pytest.mark.parametrize("name", ["amount", "currency", "category", "occurred_at"])
def test_refuses_a_cost_without(api: Caller, name: str) -> None:
    (result,) = post(api, {key: value for key, value in row().items() if key != name})
    assert (result["status"], result["pointer"]) == ("rejected", f"/{name}")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"currency": "USD"}, "other-currency"),
        ({"occurred_at": (START + timedelta(days=1)).isoformat()}, "future-event"),
        ({"unit_id": None, "decision_id": "nonsense"}, "unknown-decision"),
    ],
)
def test_keeps_in_quarantine(api: Caller, changes: dict[str, Any], code: str) -> None:
    (result,) = post(api, row(**changes))
    assert (result["status"], result["code"]) == ("quarantined", code)
    assert (Quarantine.objects.get().kind, Cost.objects.count()) == ("cost", 0)


def test_a_strangers_decision_looks_unknown(api: Caller, running: Experiment, other_workspace: Workspace) -> None:
    decision = api.post("/decisions", decision_row("c1")).body["decision_id"]
    assert post(caller(other_workspace), row(unit_id=None, decision_id=decision))[0]["code"] == "unknown-decision"
    assert not Cost.objects.exists()


def test_a_thousand_amounts_add_up_to_the_cent(api: Caller) -> None:
    amounts = [f"{place}.{place % 100:02}" for place in range(1000)]
    post(api, *(row(f"k{place}", amount=amount) for place, amount in enumerate(amounts)))
    booked = sum((Decimal(repr(amount)) for amount in Cost.objects.values_list("amount", flat=True)), Decimal(0))
    assert booked == sum(map(Decimal, amounts))
