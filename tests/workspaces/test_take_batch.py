"""A batch of facts: every row ends accepted, duplicate, quarantined or rejected, in the order sent."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from impact.ledger.models import Outcome
from impact.ledger.services import log_outcomes
from tests.conftest import START, Caller, caller, stored_examples
from workspaces import clock
from workspaces.models import Quarantine, Workspace

STATUSES = ("accepted", "duplicate", "quarantined", "rejected")


def row(event: str = "e1", **changes: Any) -> dict[str, Any]:
    at = START.isoformat()
    sent = {"source": "crm", "event_id": event, "type": "churned", "unit_id": "c1", "value": 1, "occurred_at": at}
    return sent | {"at": at} | changes


def statuses(workspace: Workspace, rows: list[Any]) -> list[str]:
    return [taken.status for taken in log_outcomes(workspace=workspace, raw=rows)]


ROWS = st.lists(
    st.one_of(
        # few events with few values: duplicates and conflicts, within a batch and between two
        st.builds(row, st.sampled_from("abcd"), value=st.sampled_from([1, 1.0, 2])),
        st.builds(row, st.sampled_from("abcd"), currency=st.just("USD")),
        st.builds(row, st.sampled_from("abcd"), decision_id=st.just("nothing"), unit_id=st.none()),
        st.builds(row, st.sampled_from("abcd"), value=st.sampled_from(["much", None, "NaN", 1e15])),
        st.builds(row, st.sampled_from(["", "a\nb", "a\u200b"])),
        st.sampled_from([None, 1, "row", [], {}, {"source": "crm"}]),
    ),
    max_size=12,
)


@stored_examples
@given(st.lists(ROWS, min_size=1, max_size=3))
def test_what_was_sent_is_what_is_answered(workspace: Workspace, api: Caller, batches: list[list[Any]]) -> None:
    Outcome.objects.all().delete()
    Quarantine.objects.all().delete()
    known: dict[str, Any] = {}
    for rows in batches:
        body = api.post("/outcomes", {"outcomes": rows}).body
        assert sum(body[status] for status in STATUSES) == len(rows) == len(body["results"])
        assert [one["index"] for one in body["results"]] == list(range(len(rows)))
        assert Counter(one["status"] for one in body["results"]) == Counter({s: body[s] for s in STATUSES if body[s]})
        for one, sent in zip(body["results"], rows, strict=True):
            if one["status"] in ("accepted", "duplicate"):
                event = sent["event_id"]
                assert known.setdefault(event, (one["id"], sent["value"])) == (one["id"], sent["value"])
            else:
                assert one["code"] and one["detail"] and "id" not in one
    stored = {outcome.event_id: (str(outcome.pk), outcome.value) for outcome in Outcome.objects.within(workspace)}
    assert stored == known


@stored_examples
@given(ROWS)
def test_sent_again_everything_is_said_again(workspace: Workspace, rows: list[Any]) -> None:
    Outcome.objects.all().delete()
    first = log_outcomes(workspace=workspace, raw=rows)
    kept, held = Outcome.objects.count(), Quarantine.objects.count()
    again = log_outcomes(workspace=workspace, raw=rows)
    for one, two in zip(first, again, strict=True):
        assert two.status == {"accepted": "duplicate"}.get(one.status, one.status)
        assert (two.index, two.id, two.code) == (one.index, one.id, one.code)
    assert (Outcome.objects.count(), Quarantine.objects.count()) == (kept, held)


def test_the_same_event_twice_in_one_batch(workspace: Workspace) -> None:
    assert statuses(workspace, [row(), row()]) == ["accepted", "duplicate"]
    first, second = log_outcomes(workspace=workspace, raw=[row("e2"), row("e2")])
    assert first.id == second.id
    assert Outcome.objects.count() == 2


@stored_examples
@given(st.lists(st.integers(0, 5), min_size=1, max_size=6))
def test_of_other_content_in_one_batch_the_first_counts(workspace: Workspace, values: list[int]) -> None:
    Outcome.objects.all().delete()
    found = statuses(workspace, [row(value=value) for value in values])
    rest = ["duplicate" if value == values[0] else "quarantined" for value in values[1:]]
    assert found == ["accepted", *rest]
    assert Outcome.objects.get().value == values[0]


def test_a_conflict_is_kept_once_and_the_first_stands(workspace: Workspace) -> None:
    log_outcomes(workspace=workspace, raw=[row(value=1)])
    for _ in range(3):
        (taken,) = log_outcomes(workspace=workspace, raw=[row(value=2)])
        assert (taken.status, taken.code, taken.pointer) == ("quarantined", "event-conflict", "/event_id")
    assert Outcome.objects.get().value == 1
    kept = Quarantine.objects.within(workspace).get()
    assert (kept.kind, kept.code, kept.row["value"], kept.event_id) == ("outcome", "event-conflict", 2, "e1")
    assert statuses(workspace, [row(value=3)]) == ["quarantined"]
    assert Quarantine.objects.count() == 2


def test_a_row_in_quarantine_can_be_sent_again_when_it_fits(workspace: Workspace) -> None:
    assert statuses(workspace, [row(currency="USD")]) == ["quarantined"]
    assert statuses(workspace, [row(currency="EUR")]) == ["accepted"]
    assert Quarantine.objects.count() == 1


def test_bad_rows_do_not_keep_good_ones_out(workspace: Workspace) -> None:
    rows = [row("e1"), {"source": "crm"}, row("e2"), row("e3", currency="USD"), row("e4")]
    assert statuses(workspace, rows) == ["accepted", "rejected", "accepted", "quarantined", "accepted"]
    assert set(Outcome.objects.values_list("event_id", flat=True)) == {"e1", "e2", "e4"}


def test_events_are_of_one_workspace(workspace: Workspace, other_workspace: Workspace) -> None:
    assert statuses(workspace, [row(value=1)]) == ["accepted"]
    assert statuses(other_workspace, [row(value=2)]) == ["accepted"]
    assert Outcome.objects.within(other_workspace).get().value == 2


def test_the_clock_moves_with_the_newest_fact(workspace: Workspace) -> None:
    later, latest = START.replace(hour=8), START.replace(hour=9)
    log_outcomes(
        workspace=workspace, raw=[row("e1", at=latest.isoformat()), row("e2", at=later.isoformat()), row("e3")]
    )
    stored = Workspace.objects.get(pk=workspace.pk)
    assert clock.now(stored) == latest
    # a row that states no time came in now
    log_outcomes(workspace=stored, raw=[row("e4", at=None)])
    assert Outcome.objects.get(event_id="e4").received_at == latest


def test_a_real_workspace_rejects_stated_times_row_by_row(real_workspace: Workspace) -> None:
    taken = log_outcomes(workspace=real_workspace, raw=[row("e1"), row("e2", at=None)])
    assert [(one.status, one.code) for one in taken] == [("rejected", "time-stated"), ("accepted", "")]
    assert not Quarantine.objects.exists()


def test_an_empty_batch_is_a_batch(workspace: Workspace) -> None:
    body = caller(workspace).post("/outcomes", {"outcomes": []}).body
    assert body == {"accepted": 0, "duplicate": 0, "quarantined": 0, "rejected": 0, "results": []}
