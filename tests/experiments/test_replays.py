"""Invariant 11 of the design: an event has one answer, for ever, and nothing that was sent is lost."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from itertools import count
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from experiments.models import Decision, Experiment
from experiments.services.lifecycle import change_status
from tests.conftest import START, Caller, decision_row, stored_examples
from workspaces.models import Quarantine

examples = count()


@stored_examples
@given(
    batches=st.lists(
        st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2), st.sampled_from([0.05, 0.3, 0.4])), max_size=8),
        min_size=1,
        max_size=4,
    )
)
def test_11_an_event_has_one_answer_and_nothing_is_lost(api: Caller, running: Experiment, batches: list[Any]) -> None:
    example, known = next(examples), dict[str, Any]()
    conflicts: set[tuple[str, str, float]] = set()
    for batch in batches:
        rows = [decision_row(f"{example}-{unit}", score, event=f"{example}/{event}") for unit, event, score in batch]
        results = api.post("/decisions", {"decisions": rows}).body["results"]
        assert [one["index"] for one in results] == list(range(len(rows)))
        for row, result in zip(rows, results, strict=True):
            content = (row["unit_id"], row["prediction"]["score"])
            first, answer = known.setdefault(row["event_id"], (content, result.get("decision")))
            if first != content:
                assert (result["status"], result["code"]) == ("quarantined", "event-conflict")
                conflicts.add((row["event_id"], *content))
            else:
                assert result["decision"] | {"replayed": False} == answer
                assert result["decision"]["replayed"] == (result["status"] == "duplicate")
    events = Decision.objects.filter(event_id__startswith=f"{example}/").values_list("event_id", flat=True)
    assert sorted(events) == sorted(known)
    kept = Quarantine.objects.filter(event_id__startswith=f"{example}/")
    assert Counter((one.event_id, one.row["unit_id"], one.row["prediction"]["score"]) for one in kept) == Counter(
        conflicts
    )


def test_11_an_answer_does_not_expire(api: Caller, running: Experiment) -> None:
    first = api.post("/decisions", decision_row("c1")).body
    api.post("/decisions", decision_row("c2", at=START + timedelta(days=5000)))
    change_status(experiment=running, step="abort", actor="test")
    assert api.post("/decisions", decision_row("c1")).body == first | {"replayed": True}


def test_a_replay_is_answered_by_one_query(api: Caller, running: Experiment, django_assert_num_queries: Any) -> None:
    rows = [decision_row(f"c{unit}", score=0.05 if unit % 2 else 0.4) for unit in range(20)]
    first = api.post("/decisions", {"decisions": rows}).body
    with django_assert_num_queries(1):
        again = api.post("/decisions", {"decisions": rows}).body
    assert [one["status"] for one in again["results"]] == ["duplicate"] * 20
    assert [one["decision"] | {"replayed": False} for one in again["results"]] == [
        one["decision"] for one in first["results"]
    ]
