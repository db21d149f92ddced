"""Rows in quarantine: seen by all, mended, replayed and dismissed by operators, never lost."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from experiments.models import Decision, Execution, Experiment
from impact.ledger.kinds import KINDS
from impact.ledger.mending import dismiss, replay, replay_rows
from impact.ledger.models import Cost, Outcome
from predictions.models import Prediction
from tests.conftest import START, Caller, cost_row, decision_row, enter, outcome_row, signed_in
from workspaces.errors import Refusal
from workspaces.models import AuditEntry, Membership, Quarantine, Workspace

AT = START.isoformat()
GONE = "01930000-0000-7000-8000-000000000000"


@pytest.fixture
def operator(workspace: Workspace) -> Client:
    return signed_in(enter(workspace, "op@example.com", "operator"))


def held(api: Caller, event: str = "o1", **changes: Any) -> Quarantine:
    """An outcome in another currency, which goes to quarantine."""
    row = outcome_row("c1", currency="USD") | {"event_id": event} | changes
    assert api.post("/outcomes", {"outcomes": [row]}).body["quarantined"] == 1
    return Quarantine.objects.get(event_id=event)


def mended(row: Quarantine, **changes: Any) -> Any:
    return {name: value for name, value in (row.row | changes).items() if value is not None}


def test_a_mended_row_is_accepted_once(api: Caller, workspace: Workspace) -> None:
    row = held(api)
    taken = replay(workspace=workspace, row=row, actor="op", mended=mended(row, currency="EUR"))
    assert taken.status == "accepted"
    row.refresh_from_db()
    assert (row.resolution, row.resolved_by, row.row["currency"]) == ("accepted", "op", "USD")
    assert row.resolved_at is not None
    assert Outcome.objects.get().currency == "EUR"
    with pytest.raises(Refusal) as refusal:
        replay(workspace=workspace, row=row, actor="op")
    assert refusal.value.code == "wrong-status"
    assert AuditEntry.objects.within(workspace).filter(action="replay: accepted", subject__contains="o1").count() == 1


def test_one_that_was_stored_meanwhile_is_a_duplicate(api: Caller, workspace: Workspace) -> None:
    row = held(api)
    good = mended(row, currency="EUR")
    assert api.post("/outcomes", {"outcomes": [good]}).body["accepted"] == 1
    assert replay(workspace=workspace, row=row, actor="op", mended=good).status == "duplicate"
    row.refresh_from_db()
    assert row.resolution == "duplicate" and Outcome.objects.count() == 1


def test_one_that_still_fits_nowhere_stays_with_the_reason_of_today(api: Caller, workspace: Workspace) -> None:
    row = held(api)
    assert replay(workspace=workspace, row=row, actor="op").status == "quarantined"
    row.refresh_from_db()
    assert (row.resolved_at, row.code) == (None, "other-currency")
    late = "2036-01-01T00:00:00+00:00"
    replay(workspace=workspace, row=row, actor="op", mended=mended(row, currency="EUR", occurred_at=late))
    row.refresh_from_db()
    assert row.resolution == "mended"
    assert Quarantine.objects.get(resolved_at=None).code == "future-event"
    assert Quarantine.objects.count() == 2 and not Outcome.objects.exists()


@pytest.mark.parametrize("sent", [[], {}, {"nonsense": 1}, None])
def test_what_is_no_row_changes_nothing(api: Caller, workspace: Workspace, sent: Any) -> None:
    row = held(api)
    with pytest.raises(Refusal):
        replay(
            workspace=workspace,
            row=row,
            actor="op",
            mended=sent if sent is not None else mended(row, value="much", type=""),
        )
    row.refresh_from_db()
    assert row.resolved_at is None and not Outcome.objects.exists()


def test_every_kind_can_be_replayed(api: Caller, workspace: Workspace, churn: Experiment) -> None:
    from tests.conftest import started

    early = {
        "predictions": {"source": "crm", "event_id": "p", "model": "late", "version": "1", "unit_id": "c1",
                        "score": 0.5, "predicted_at": AT, "at": AT},
        "decisions": decision_row("c1") | {"decision_point": "late"},
        "executions": {"source": "crm", "event_id": "x", "decision_id": GONE, "status": "delivered", "occurred_at": AT,
                       "at": AT},
        "outcomes": outcome_row("c1", currency="USD"),
        "costs": cost_row("c1", 1.0, currency="USD"),
    }  # fmt: skip
    for many, row in early.items():
        assert api.post(f"/{many}", {many: [row]}).body["quarantined"] == 1, many
    started(workspace, churn)
    decided = api.post("/decisions", decision_row("c9")).body["decision_id"]
    changes = {
        "prediction": {"model": "churn"}, "decision": {"decision_point": "offer"},
        "execution": {"decision_id": decided}, "outcome": {"currency": "EUR"}, "cost": {"currency": "EUR"},
    }  # fmt: skip
    assert set(changes) == set(KINDS)
    for row in Quarantine.objects.within(workspace):
        taken = replay(workspace=workspace, row=row, actor="op", mended=mended(row, **changes[row.kind]))
        assert taken.status == "accepted", (row.kind, taken)
    assert [model.objects.count() for model in (Prediction, Decision, Execution, Outcome, Cost)] == [3, 2, 1, 1, 1]


def test_many_are_replayed_at_once(api: Caller, workspace: Workspace) -> None:
    late = "2026-03-01T00:00:00+00:00"
    for number in range(3):
        held(api, f"f{number}", currency="EUR", occurred_at=late)
    held(api, "other")
    assert replay_rows(workspace=workspace, kind="outcome", code="future-event", actor="op") == {
        "accepted": 0, "duplicate": 0, "open": 3
    }  # fmt: skip
    for row in Quarantine.objects.filter(code="future-event"):
        row.row = row.row | {"at": "2026-03-02T00:00:00+00:00"}
        row.save()
    assert replay_rows(workspace=workspace, kind="outcome", code="future-event", actor="op")["accepted"] == 3
    assert list(Quarantine.objects.filter(resolved_at=None).values_list("event_id", flat=True)) == ["other"]


def test_dismissed_with_a_reason(api: Caller, workspace: Workspace) -> None:
    row = held(api)
    with pytest.raises(Refusal):
        dismiss(workspace=workspace, row=row, actor="op", note=" ")
    with pytest.raises(Refusal, match="NUL"):
        dismiss(workspace=workspace, row=row, actor="op", note="a\x00b")
    dismiss(workspace=workspace, row=row, actor="op", note="a trial")
    row.refresh_from_db()
    assert (row.resolution, row.note) == ("dismissed", "a trial")
    with pytest.raises(Refusal):
        dismiss(workspace=workspace, row=row, actor="op", note="again")


def test_the_page_filters_and_shows(api: Caller, mate: Membership) -> None:
    held(api, "usd")
    held(api, "late", currency="EUR", occurred_at="2036-01-01T00:00:00+00:00")
    page = signed_in(mate)
    both = page.get("/w/mobile/quarantine").content.decode()
    assert "usd" in both and "late" in both and "Replay all" not in both
    some = page.get("/w/mobile/quarantine?kind=outcome&code=future-event").content.decode()
    assert ">late<" in some and ">usd<" not in some
    assert "No row here" in page.get("/w/mobile/quarantine?state=settled").content.decode()
    one = page.get(f"/w/mobile/quarantine/{Quarantine.objects.get(event_id='usd').pk}").content.decode()
    assert "&quot;currency&quot;: &quot;USD&quot;" in one and "<textarea" not in one


def test_an_empty_page_says_why(mate: Membership) -> None:
    assert "Nothing is in quarantine." in signed_in(mate).get("/w/mobile/quarantine").content.decode()


def test_older_rows_are_a_page_further(api: Caller, mate: Membership, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("impact.ledger.selectors.ROWS_A_PAGE", 2)
    for number in range(3):
        held(api, f"q{number}")
    page = signed_in(mate)
    first = page.get("/w/mobile/quarantine?code=other-currency")
    assert [row.event_id for row in first.context["rows"]] == ["q2", "q1"]
    second = page.get(f"/w/mobile/quarantine?code=other-currency&before={first.context['next']}")
    assert [row.event_id for row in second.context["rows"]] == ["q0"]
    assert second.context["next"] == ""


def test_by_the_page(api: Caller, workspace: Workspace, operator: Client) -> None:
    row = held(api)
    at = f"/w/mobile/quarantine/{row.pk}"
    refused = operator.post(f"{at}/replay", {"row": '{"a": NaN}'})
    assert (refused.status_code, "NaN" in refused.content.decode()) == (422, True)
    stays = operator.post(f"{at}/replay", {"row": json.dumps(mended(row))}, follow=True).content.decode()
    assert "The row stays in quarantine" in stays
    done = operator.post(f"{at}/replay", {"row": json.dumps(mended(row, currency="EUR"))}, follow=True)
    assert "The row is in the ledger now." in done.content.decode()
    assert Quarantine.objects.get().resolved_by == "op@example.com"
    other = held(api, "o2")
    at = f"/w/mobile/quarantine/{other.pk}"
    assert "Say why" in operator.post(f"{at}/dismiss", {"note": ""}, follow=True).content.decode()
    assert "a trial" in operator.post(f"{at}/dismiss", {"note": "a trial"}, follow=True).content.decode()
    held(api, "o3")
    said = operator.post("/w/mobile/quarantine/replay", {"kind": "outcome", "code": "other-currency"}, follow=True)
    assert "0 rows left quarantine; 1 stay." in said.content.decode()


def test_others_look_only(api: Caller, workspace: Workspace, stranger: Membership) -> None:
    row = held(api)
    for role in ("viewer", "analyst"):
        client = signed_in(enter(workspace, f"{role}@example.com", role))
        assert client.get(f"/w/mobile/quarantine/{row.pk}").status_code == 200
        for act in (f"{row.pk}/replay", f"{row.pk}/dismiss", "replay"):
            assert client.post(f"/w/mobile/quarantine/{act}", {"note": "x"}).status_code == 403
    away = signed_in(stranger)
    assert away.get(f"/w/other/quarantine/{row.pk}").status_code == 404
    assert away.post(f"/w/other/quarantine/{row.pk}/dismiss", {"note": "x"}).status_code == 404
    assert Quarantine.objects.get().resolved_at is None


def test_as_many_queries_for_three_rows_as_for_one(api: Caller, mate: Membership) -> None:
    page = signed_in(mate)
    held(api, "q0")

    def queries() -> int:
        with CaptureQueriesContext(connection) as found:
            assert page.get("/w/mobile/quarantine").status_code == 200
        return len(found)

    queries()
    one = queries()
    held(api, "q1")
    held(api, "q2")
    assert queries() == one


def test_a_code_with_a_nul_finds_nothing(operator: Client, api: Caller) -> None:
    held(api)
    answer = operator.post("/w/mobile/quarantine/replay", {"kind": "outcome", "code": "a\x00b"}, follow=True)
    assert answer.status_code == 200
    assert Quarantine.objects.get().resolved_at is None
