"""POST /outcomes: each event once, about a unit that can be named, in the workspace's currency."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from experiments.models import Experiment
from impact.ledger.amounts import number
from impact.ledger.models import Outcome
from tests.conftest import START, Caller, caller, decision_row, race
from workspaces import clock
from workspaces.errors import Invalid
from workspaces.models import Quarantine, Workspace

AT = START.isoformat()


def row(event: str = "o1", **changes: Any) -> dict[str, Any]:
    sent = {"source": "billing", "event_id": event, "type": "spend", "unit_id": "c1", "value": "12.50"}
    return sent | {"currency": "EUR", "occurred_at": AT, "at": AT} | changes


def post(api: Caller, *rows: Any) -> list[Any]:
    answer = api.post("/outcomes", {"outcomes": list(rows)})
    assert answer.status_code == 200
    results: list[Any] = answer.body["results"]
    return results


def test_works(api: Caller, workspace: Workspace) -> None:
    (result,) = post(api, row(relates_to="o0"))
    stored = Outcome.objects.within(workspace).get()
    assert (result["status"], result["id"]) == ("accepted", str(stored.pk))
    assert (stored.unit_id, stored.type, stored.value, stored.currency) == ("c1", "spend", 12.5, "EUR")
    assert (stored.occurred_at, stored.received_at, stored.relates_to, stored.decision) == (START, START, "o0", None)


def test_one_about_a_decision_is_about_its_unit(api: Caller, running: Experiment) -> None:
    decision = api.post("/decisions", decision_row("c7")).body["decision_id"]
    (result,) = post(api, row(unit_id=None, decision_id=decision))
    stored = Outcome.objects.get()
    assert (result["status"], stored.unit_id, str(stored.decision_id)) == ("accepted", "c7", decision)


def test_replays(api: Caller) -> None:
    (first,) = post(api, row())
    assert post(api, row()) == [first | {"status": "duplicate"}]
    (conflict,) = post(api, row(value="12.51"))
    assert (conflict["status"], conflict["code"]) == ("quarantined", "event-conflict")
    assert Outcome.objects.get().value == 12.5


@pytest.mark.parametrize("value", [12.5, "12.50", "+12.5", "1.25e1"])
def test_the_same_amount_in_other_writing_replays(api: Caller, value: Any) -> None:
    (first,) = post(api, row())
    assert post(api, row(value=value)) == [first | {"status": "duplicate"}]


def test_a_batch_sent_twice_counts_once(api: Caller) -> None:
    rows = [row(f"o{place}", unit_id=f"c{place % 7}", value=place) for place in range(200)]
    answers = [api.post("/outcomes", {"outcomes": rows}).body for _ in range(2)]
    assert (answers[0]["accepted"], answers[1]["duplicate"]) == (200, 200)
    assert [one["id"] for one in answers[0]["results"]] == [one["id"] for one in answers[1]["results"]]
    assert sum(Outcome.objects.values_list("value", flat=True)) == sum(range(200))


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"value": "much"}, "/value"),
        ({"value": ""}, "/value"),
        ({"value": "12,50"}, "/value"),
        ({"value": "1_000"}, "/value"),
        ({"value": " 12"}, "/value"),
        ({"value": "１２"}, "/value"),
        ({"value": "0x10"}, "/value"),
        ({"value": "NaN"}, "/value"),
        ({"value": "sNaN"}, "/value"),
        ({"value": "-Infinity"}, "/value"),
        ({"value": None}, "/value"),
        ({"value": True}, "/value"),
        ({"value": "1234567890123.456"}, "/value"),
        ({"value": 1234567890123.456}, "/value"),
        ({"value": "1." + "0" * 40 + "1"}, "/value"),
        ({"value": "0." + "9" * 40}, "/value"),
        ({"value": 1e15}, "/value"),
        ({"value": "-1000000000000000"}, "/value"),
        ({"currency": None, "value": 1e15}, "/value"),
        ({"currency": "eur"}, "/currency"),
        ({"decision_id": "01930000-0000-7000-8000-000000000000"}, "/unit_id"),
        ({"unit_id": None}, "/unit_id"),
        ({"type": ""}, "/type"),
        ({"type": None}, "/type"),
        ({"occurred_at": "2026-01-05"}, "/occurred_at"),
        ({"amount": 1}, "/amount"),
    ],
)
def test_refuses(api: Caller, changes: dict[str, Any], pointer: str) -> None:
    (result,) = post(api, row(**changes))
    assert (result["status"], result["code"], result["pointer"]) == ("rejected", "invalid-field", pointer)
    assert not Outcome.objects.exists() and not Quarantine.objects.exists()


@pytest.mark.parametrize(
    ("changes", "code", "pointer"),
    [
        ({"currency": "USD"}, "other-currency", "/currency"),
        ({"occurred_at": (START + timedelta(seconds=61)).isoformat()}, "future-event", "/occurred_at"),
        (
            {"unit_id": None, "decision_id": "01930000-0000-7000-8000-000000000000"},
            "unknown-decision",
            "/decision_id",
        ),
        ({"unit_id": None, "decision_id": "nonsense"}, "unknown-decision", "/decision_id"),
    ],
)
def test_keeps_in_quarantine(api: Caller, changes: dict[str, Any], code: str, pointer: str) -> None:
    (result,) = post(api, row(**changes))
    assert (result["status"], result["code"], result["pointer"]) == ("quarantined", code, pointer)
    kept = Quarantine.objects.get()
    assert (kept.kind, kept.code, kept.row["event_id"]) == ("outcome", code, "o1")
    assert not Outcome.objects.exists()


def test_numbers_that_are_no_money_may_have_more_digits(api: Caller) -> None:
    (result,) = post(api, row(currency=None, value=0.1234567890123456789))
    assert result["status"] == "accepted"
    assert Outcome.objects.get().value == 0.12345678901234568


def test_late_and_early_events_are_taken(api: Caller) -> None:
    results = post(
        api,
        row("o1", occurred_at="1999-12-31T23:59:59Z"),
        row("o2", occurred_at=(START + timedelta(seconds=60)).isoformat()),
        row("o3", value="-12.50"),
    )
    assert {result["status"] for result in results} == {"accepted"}


def test_a_strangers_decision_looks_unknown(api: Caller, running: Experiment, other_workspace: Workspace) -> None:
    decision = api.post("/decisions", decision_row("c1")).body["decision_id"]
    (result,) = post(caller(other_workspace), row(unit_id=None, decision_id=decision))
    assert (result["status"], result["code"]) == ("quarantined", "unknown-decision")
    assert not Outcome.objects.exists()


def test_a_real_workspaces_event_is_not_later_than_the_servers_time(real_workspace: Workspace) -> None:
    api, now = caller(real_workspace), clock.server_now()
    results = post(
        api,
        row("o1", at=None, occurred_at=now.isoformat()),
        row("o2", at=None, occurred_at=(now + timedelta(minutes=2)).isoformat()),
        row("o3", occurred_at=now.isoformat()),
    )
    assert [result.get("code") for result in results] == [None, "future-event", "time-stated"]


# decimals as people write money: up to 15 digits, the point anywhere among them
MONEY = st.builds(
    lambda digits, places: str(Decimal(digits).scaleb(-places)),
    st.integers(-(10**15) + 1, 10**15 - 1),
    st.integers(0, 6),
)


@given(MONEY)
def test_decimal_strings_are_kept_exactly(text: str) -> None:
    assert Decimal(repr(number(text, "value", money=True))) == Decimal(text)


@given(st.from_regex(r"[+-]?[0-9]{1,40}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,2})?", fullmatch=True))
def test_whatever_is_taken_as_money_is_kept_exactly(text: str) -> None:
    try:
        kept = number(text, "value", money=True)
    except Invalid:
        assert len(Decimal(text).as_tuple().digits) > 15 or abs(Decimal(text)) >= Decimal("1e15")
    else:
        assert Decimal(repr(kept)) == Decimal(text)


@given(st.text(max_size=12))
def test_any_text_is_a_number_or_refused(text: str) -> None:
    try:
        kept = number(text, "value", money=False)
    except Invalid:
        return
    assert abs(kept) < 1e15
    assert text.isascii() and not set(text) & set("_ \n\t")


def test_money_comes_back_from_the_database_as_it_was_sent(api: Caller) -> None:
    sent = ["0.1", "0.30", "123456789012.345", "999999999999999", "-0.000000000000001", "1e-10", "1E+3"]
    results = post(api, *(row(f"o{place}", value=text) for place, text in enumerate(sent)))
    assert {result["status"] for result in results} == {"accepted"}
    stored = dict(Outcome.objects.values_list("event_id", "value"))
    assert [Decimal(repr(stored[f"o{place}"])) for place in range(len(sent))] == list(map(Decimal, sent))


@pytest.mark.django_db(transaction=True)
def test_one_event_from_many_threads_counts_once(workspace: Workspace) -> None:
    key = caller(workspace).secret

    def send(place: int) -> Any:
        rows = [row(f"o{(place + step) % 10}", value=1) for step in range(10)]
        return post(Caller(key, Client()), *rows)

    answers = race(16, send)
    assert Outcome.objects.count() == 10
    ids = {str(outcome.pk) for outcome in Outcome.objects.all()}
    assert {result["id"] for results in answers for result in results} == ids
    accepted = [result for results in answers for result in results if result["status"] == "accepted"]
    assert len(accepted) == 10
