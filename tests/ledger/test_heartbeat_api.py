"""POST /feeds/{source}/heartbeat: until when everything was sent."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from impact.ledger.models import Feed
from tests.conftest import START, Caller, caller, race, stored_examples
from workspaces import clock
from workspaces.models import Workspace


def beat(api: Caller, until: datetime, source: str = "crm", **changes: Any) -> Any:
    sent = {"type": "churned", "complete_until": until.isoformat(), "at": START.isoformat()}
    return api.post(f"/feeds/{source}/heartbeat", sent | changes)


def test_works(api: Caller, workspace: Workspace) -> None:
    answer = beat(api, START)
    said = {"source": "crm", "type": "churned", "complete_until": "2026-01-05T06:00:00Z"}
    assert (answer.status_code, answer.body) == (200, said)
    feed = Feed.objects.within(workspace).get()
    assert (feed.source, feed.type, feed.complete_until, feed.heard_at) == ("crm", "churned", START, START)


def test_replays(api: Caller) -> None:
    assert beat(api, START).body == beat(api, START).body
    assert Feed.objects.count() == 1


def test_feeds_are_apart_by_source_and_type(api: Caller) -> None:
    beat(api, START)
    beat(api, START, source="erp")
    beat(api, START, type="spend")
    assert Feed.objects.count() == 3


@stored_examples
@given(st.lists(st.integers(-1000, 0), min_size=1, max_size=6))
def test_never_goes_back(api: Caller, hours: list[int]) -> None:
    Feed.objects.all().delete()
    for place, hour in enumerate(hours):
        answer = beat(api, START + timedelta(hours=hour))
        newest = START + timedelta(hours=max(hours[: place + 1]))
        assert datetime.fromisoformat(answer.body["complete_until"]) == newest == Feed.objects.get().complete_until


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"type": ""}, "/type"),
        ({"type": None}, "/type"),
        ({"complete_until": "2026-01-05"}, "/complete_until"),
        ({"complete_until": None}, "/complete_until"),
        ({"source": "crm"}, "/source"),
    ],
)
def test_refuses(api: Caller, changes: dict[str, Any], pointer: str) -> None:
    answer = api.post("/feeds/crm/heartbeat", {"type": "churned", "complete_until": START.isoformat()} | changes)
    assert (answer.status_code, answer.body["code"]) == (422, "invalid-field")
    assert answer.body["errors"][0]["pointer"] == pointer
    assert not Feed.objects.exists()


@pytest.mark.parametrize("source", ["a%0Ab", "%20", "a%E2%80%8Bb", "x" * 201])
def test_refuses_a_source_that_is_no_id(api: Caller, source: str) -> None:
    assert beat(api, START, source=source).status_code == 422
    assert not Feed.objects.exists()


def test_nothing_is_complete_before_it_has_happened(api: Caller, real_workspace: Workspace) -> None:
    assert beat(api, START + timedelta(seconds=60)).status_code == 200
    answer = beat(api, START + timedelta(seconds=61))
    assert (answer.status_code, answer.body["code"]) == (422, "future-event")
    answer = beat(caller(real_workspace), clock.server_now() + timedelta(hours=1), at=None)
    assert (answer.status_code, answer.body["code"]) == (422, "future-event")


def test_a_real_workspace_refuses_a_stated_time(real_workspace: Workspace) -> None:
    answer = beat(caller(real_workspace), START)
    assert (answer.status_code, answer.body["code"]) == (422, "time-stated")
    assert beat(caller(real_workspace), START, at=None).status_code == 200


def test_a_simulated_clock_moves_with_it(api: Caller, workspace: Workspace) -> None:
    later = START + timedelta(days=30)
    beat(api, later, at=later.isoformat())
    assert clock.now(Workspace.objects.get(pk=workspace.pk)) == later


def test_feeds_are_of_one_workspace(api: Caller, other_workspace: Workspace) -> None:
    beat(api, START)
    beat(caller(other_workspace), START - timedelta(days=1))
    assert Feed.objects.within(other_workspace).get().complete_until == START - timedelta(days=1)


@pytest.mark.django_db(transaction=True)
def test_many_at_once_keep_the_newest(workspace: Workspace) -> None:
    api = caller(workspace)

    def send(place: int) -> int:
        return int(beat(Caller(api.secret, Client()), START - timedelta(hours=place)).status_code)

    assert set(race(12, send)) == {200}
    assert Feed.objects.get().complete_until == START
