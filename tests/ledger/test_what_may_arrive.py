"""Whatever may arrive ends in exactly one place: ledger, quarantine, or rejected, with a stable reason."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from experiments.models import Experiment
from impact.ledger.models import Cost, Outcome
from tests.conftest import START, Caller, cost_row, decision_row, outcome_row
from workspaces.models import Quarantine, Workspace

LATER = START + timedelta(days=3)


def spend(event: str, **changes: Any) -> Any:
    return outcome_row("c1", 12.5, type="spend", currency="EUR") | {"event_id": event} | changes


ARRIVALS = {
    "a sale": (spend("a"), "accepted", ""),
    "its refund, as a row of its own": (spend("b", value="-12.50", relates_to="a"), "accepted", ""),
    "a correction of part of it": (spend("c", value=-2, relates_to="a"), "accepted", ""),
    "a refund of something that never came": (spend("d", value=-1, relates_to="nothing"), "accepted", ""),
    "about a unit that nobody decided about": (spend("e", unit_id="stranger"), "accepted", ""),
    "of a type that no metric counts": (spend("f", type="humming"), "accepted", ""),
    "from before the first decision": (spend("g", occurred_at="2020-01-01T00:00:00Z"), "accepted", ""),
    "within the minute that clocks may differ by": (spend("h", occurred_at=(START + timedelta(seconds=59)).isoformat(),
                                                          at=START.isoformat()), "accepted", ""),
    "from the future": (spend("i", occurred_at=LATER.isoformat(), at=START.isoformat()), "quarantined", "future-event"),
    "in another currency": (spend("j", currency="USD"), "quarantined", "other-currency"),
    "about a decision not there": (spend("k", unit_id=None, decision_id="gone"), "quarantined", "unknown-decision"),
    "about a unit and a decision": (spend("l", decision_id="gone"), "rejected", "invalid-field"),
    "about nothing": (spend("m", unit_id=None), "rejected", "invalid-field"),
    "with more digits than are kept": (spend("n", value="1.0000000000000001"), "rejected", "invalid-field"),
    "with a number too large": (spend("o", value=1e15), "rejected", "invalid-field"),
    "with a field that isn't known": (spend("p", colour="red"), "rejected", "invalid-field"),
    "without an event id": ({name: one for name, one in spend("q").items() if name != "event_id"}, "rejected",
                            "invalid-field"),
}  # fmt: skip


def test_each_ends_in_one_place(api: Caller, workspace: Workspace) -> None:
    rows = [row for row, _, _ in ARRIVALS.values()]
    body = api.post("/outcomes", {"outcomes": rows}).body
    found = {what: (one["status"], one.get("code", "")) for what, one in zip(ARRIVALS, body["results"], strict=True)}
    assert found == {what: (status, code) for what, (_, status, code) in ARRIVALS.items()}
    assert sum(body[name] for name in ("accepted", "duplicate", "quarantined", "rejected")) == len(rows)
    assert Outcome.objects.within(workspace).count() == body["accepted"]
    assert Quarantine.objects.within(workspace).count() == body["quarantined"]


@pytest.mark.parametrize("what", [what for what, (_, status, _) in ARRIVALS.items() if status == "accepted"])
def test_in_any_order(api: Caller, what: str) -> None:
    row, *_ = ARRIVALS[what]
    assert api.post("/outcomes", {"outcomes": [row, spend("z")]}).body["accepted"] == 2
    assert api.post("/outcomes", {"outcomes": [spend("z"), row]}).body["duplicate"] == 2


def test_a_refund_takes_back_what_was_earned(api: Caller, workspace: Workspace) -> None:
    api.post("/outcomes", {"outcomes": [spend("b", value="-12.50", relates_to="a"), spend("a")]})
    assert sum(Outcome.objects.within(workspace).values_list("value", flat=True)) == 0
    assert set(Outcome.objects.within(workspace).values_list("relates_to", flat=True)) == {"", "a"}


def test_costs_are_corrected_alike(api: Caller, running: Experiment) -> None:
    decision = api.post("/decisions", decision_row("c1")).body["decision_id"]
    rows = [
        cost_row("", 2.0, unit_id=None, decision_id=decision),
        cost_row("c1", -2.0, day=2, relates_to="k--1"),
        cost_row("c1", 1.7, day=3, currency="JPY"),
    ]
    body = api.post("/costs", {"costs": rows}).body
    assert [one["status"] for one in body["results"]] == ["accepted", "accepted", "quarantined"]
    assert sum(Cost.objects.values_list("amount", flat=True)) == 0
    assert set(Cost.objects.values_list("unit_id", flat=True)) == {"c1"}
