"""Inserting rows that no constraint refuses, however many and whoever else does."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from impact.ledger.models import Outcome
from tests.conftest import START, race
from workspaces import facts
from workspaces.facts import insert_new, insertion, run_together, stored
from workspaces.models import Workspace


def outcome(workspace: Workspace, event: str = "e1", **changes: Any) -> Outcome:
    fields = {
        "source": "crm",
        "event_id": event,
        "digest": event,
        "received_at": START,
        "unit_id": "c1",
        "occurred_at": START,
        "type": "churned",
        "value": 1.5,
    }
    return Outcome(workspace=workspace, **fields | changes)


def test_new_rows_go_in_and_known_ones_do_not(workspace: Workspace, other_workspace: Workspace) -> None:
    first = outcome(workspace)
    assert insert_new([first]) == {first.pk}
    again, new, theirs = outcome(workspace, value=2.5), outcome(workspace, "e2"), outcome(other_workspace)
    assert insert_new([again, new, theirs]) == {new.pk, theirs.pk}
    assert Outcome.objects.within(workspace).get(event_id="e1").value == 1.5


def test_no_rows_ask_nothing(db: None, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert insert_new([]) == set()


def test_the_first_of_a_batch_goes_in(workspace: Workspace) -> None:
    first, second = outcome(workspace, value=1), outcome(workspace, value=2)
    assert insert_new([first, second]) == {first.pk}
    assert Outcome.objects.get().value == 1


def test_every_column_comes_back_as_it_was_given(workspace: Workspace) -> None:
    given = outcome(workspace, value=0.1, relates_to="é|🚗", occurred_at=START + timedelta(microseconds=1))
    insert_new([given])
    found = Outcome.objects.get()
    names = [field.attname for field in Outcome._meta.concrete_fields]
    assert [getattr(found, name) for name in names] == [getattr(given, name) for name in names]


def test_other_constraints_still_refuse(workspace: Workspace) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        insert_new([outcome(workspace, value=1e15)])
    assert not Outcome.objects.exists()


def test_many_rows_go_in_parts(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facts, "PARAMETERS", 3 * len(Outcome._meta.concrete_fields) + 1)
    rows = [outcome(workspace, f"e{place}") for place in range(8)]
    with CaptureQueriesContext(connection) as queries:
        assert insert_new(rows) == {row.pk for row in rows}
    assert len(queries) == 3
    assert stored(Outcome, workspace, [("crm", f"e{place}") for place in range(9)]).keys() == {
        ("crm", f"e{place}") for place in range(8)
    }


def test_stored_finds_ids_and_digests_of_this_workspace(workspace: Workspace, other_workspace: Workspace) -> None:
    mine, theirs = outcome(workspace, digest="d1"), outcome(other_workspace, "e2")
    insert_new([mine, theirs])
    events = [("crm", "e1"), ("crm", "e2"), ("erp", "e1")]
    assert stored(Outcome, workspace, events) == {("crm", "e1"): (mine.pk, "d1")}
    assert stored(Outcome, workspace, []) == {}


@pytest.mark.django_db(transaction=True)
def test_one_of_many_threads_wins_each_row(workspace: Workspace) -> None:
    def write(place: int) -> set[Any]:
        rows = [outcome(workspace, f"e{event}", value=place) for event in range(20)]
        with transaction.atomic():
            return insert_new(rows)

    won = race(16, write)
    assert sum(map(len, won)) == Outcome.objects.count() == 20
    assert set().union(*won) == set(Outcome.objects.values_list("pk", flat=True))


def test_times_are_aware(workspace: Workspace) -> None:
    insert_new([outcome(workspace)])
    occurred_at: datetime = Outcome.objects.get().occurred_at
    assert occurred_at.tzinfo is not None and occurred_at == START


@pytest.mark.django_db(transaction=True)
def test_statements_that_run_together_all_hold_or_none(workspace: Workspace) -> None:
    one, two, same = outcome(workspace), outcome(workspace, "e2"), outcome(workspace, "e2")
    run_together([insertion([one]), insertion([])])
    assert set(Outcome.objects.values_list("event_id", flat=True)) == {"e1"}
    with pytest.raises(IntegrityError):
        run_together([insertion([outcome(workspace, "e3")]), insertion([two]), insertion([same])])
    assert set(Outcome.objects.values_list("event_id", flat=True)) == {"e1"}


def test_of_no_events_none_is_stored(workspace: Workspace) -> None:
    assert stored(Outcome, workspace, []) == {}
