"""Actions: planned cost beside what was measured."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from experiments.models import Action, Experiment
from impact.dashboard.actions import actions
from tests.conftest import START, Caller, decided, decision_row, signed_in
from workspaces import clock
from workspaces.models import Membership, Workspace

AT = START.isoformat()


@pytest.fixture
def spent(api: Caller, running: Experiment, workspace: Workspace) -> Workspace:
    """Three bonuses were chosen; two reached their customer and cost 1 and 4, one of them also an estimate."""
    rows = [decision_row(f"m{n}", forced={"mode": "manual", "action": "bonus"}) for n in range(3)]
    first, second, third = (row["decision"]["decision_id"] for row in decided(api, rows))
    told = [(first, "delivered"), (first, "accepted"), (second, "delivered"), (third, "failed")]
    done = [
        {"source": "crm", "event_id": f"x{n}", "decision_id": one, "status": status, "occurred_at": AT, "at": AT}
        for n, (one, status) in enumerate(told)
    ]
    assert api.post("/executions", {"executions": done}).body["accepted"] == 4
    costs = [
        {"source": "crm", "event_id": f"k{n}", "decision_id": one, "category": "contact", "amount": amount,
         "currency": "EUR", "occurred_at": AT, "at": AT, "estimated": estimated}
        for n, (one, amount, estimated) in enumerate(
            [(first, "1", False), (second, "4", False), (second, "9", True), (third, "7", False)]
        )
    ]  # fmt: skip
    assert api.post("/costs", {"costs": costs}).body["accepted"] == 4
    workspace.refresh_from_db()
    return workspace


def test_planned_stands_beside_measured(spent: Workspace) -> None:
    bonus, credit, none = actions(spent, "en")
    assert (bonus["planned"], bonus["measured"], bonus["executed"]) == ("1.70\u00a0EUR", "2.50\u00a0EUR", "2")
    assert (bonus["fixed"], bonus["contingent"], bonus["acceptance"]) == ("1.00\u00a0EUR", "2.00\u00a0EUR", "35\u00a0%")
    assert (credit["measured"], credit["executed"], credit["contingent"]) == ("", "0", "")
    assert none["points"] == ["offer"]


def test_what_is_older_than_thirty_days_is_left_out(spent: Workspace) -> None:
    clock.advance(spent, START + timedelta(days=30))
    assert {(row["measured"], row["executed"]) for row in actions(spent, "en")} == {("", "0")}


def test_the_page_has_as_many_queries_for_many(mate: Membership, spent: Workspace) -> None:
    client = signed_in(mate)

    def queries() -> int:
        with CaptureQueriesContext(connection) as made:
            shown = client.get("/w/mobile/actions").content.decode()
        assert "planned: 1.00" in shown.replace("\u00a0", " ") and "measured" in shown
        return len(made)

    few = queries()
    action = Action.objects.get(key="credit")
    for key in ("call", "visit"):
        action.pk, action.key = None, key
        action.save(force_insert=True)
    assert queries() == few


def test_the_empty_page_says_what_fills_it(mate: Membership, stranger: Membership) -> None:
    assert "No action yet." in signed_in(mate).get("/w/mobile/actions").content.decode()
    assert signed_in(stranger).get("/w/mobile/actions").status_code == 404


def test_a_capacity_is_said_in_the_reader_s_language(mate: Membership, churn: Experiment) -> None:
    Action.objects.filter(key="bonus").update(capacity={"count": 1500, "per": "week"})
    client = signed_in(mate)
    assert "at most 1,500 a week" in client.get("/w/mobile/actions").text
    assert "1週間1,500件まで" in client.get("/w/mobile/actions", HTTP_ACCEPT_LANGUAGE="ja").text
