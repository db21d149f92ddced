"""Calls a minute: said in headers, refused beyond, counted over all processes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import Caller, caller, race, stored_examples
from workspaces import rates
from workspaces.models import ApiKey, RateWindow, Workspace
from workspaces.rates import count_call
from workspaces.services.keys import create_key


@pytest.fixture(autouse=True)
def watch() -> Iterator[time_machine.Traveller]:
    """Twenty seconds into a minute."""
    with time_machine.travel(datetime(2026, 3, 1, 12, 0, 20, tzinfo=UTC), tick=False) as traveller:
        yield traveller


def test_every_answer_says_what_remains(api: Caller, settings: Any) -> None:
    settings.RATE_LIMIT = 3
    answers = [api.get("/jobs") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert [answer["RateLimit"] for answer in answers] == [f'"key";r={r};t=40' for r in (2, 1, 0, 0, 0)]
    assert {answer["RateLimit-Policy"] for answer in answers} == {'"key";q=3;w=60'}
    assert [answer.get("Retry-After") for answer in answers] == [None, None, None, "40", "40"]
    assert answers[3].body["code"] == "too-many-calls"
    assert answers[3]["Content-Type"] == "application/problem+json"


def test_the_next_minute_begins_anew(api: Caller, settings: Any, watch: time_machine.Traveller) -> None:
    settings.RATE_LIMIT = 1
    assert [api.get("/jobs").status_code for _ in range(2)] == [200, 429]
    watch.shift(40)
    assert [api.get("/jobs").status_code for _ in range(2)] == [200, 429]
    assert RateWindow.objects.count() == 1, "past minutes are dropped"


def test_a_key_does_not_use_up_anothers_calls(api: Caller, workspace: Workspace, settings: Any) -> None:
    settings.RATE_LIMIT = 1
    other = caller(workspace)
    assert [one.get("/jobs").status_code for one in (api, api, other)] == [200, 429, 200]


def test_refused_calls_count_and_say_the_rate(workspace: Workspace, settings: Any) -> None:
    settings.RATE_LIMIT = 2
    api = caller(workspace, "read")
    answers = [api.post("/predictions", {}), api.get("/jobs", nonsense="1"), api.get("/jobs")]
    assert [answer.status_code for answer in answers] == [403, 400, 429]
    assert all("RateLimit" in answer for answer in answers)


def test_nothing_is_stored_of_a_call_too_many(api: Caller, settings: Any) -> None:
    settings.RATE_LIMIT = 1
    api.get("/jobs")
    row = {
        "source": "s",
        "event_id": "e",
        "type": "t",
        "unit_id": "u",
        "value": 1,
        "occurred_at": "2026-01-01T00:00:00Z",
    }
    assert api.post("/outcomes", {"outcomes": [row]}).status_code == 429
    settings.RATE_LIMIT = 1000
    assert api.post("/outcomes", {"outcomes": [row]}).body["accepted"] == 1


@stored_examples
@given(st.integers(1, 350))
def test_exactly_the_limit_is_allowed_and_remains_count_down(workspace: Workspace, settings: Any, limit: int) -> None:
    settings.RATE_LIMIT = limit
    key, _ = create_key(workspace=workspace, name="k", scopes=["read"], actor="ann")
    counted = [count_call(key) for _ in range(limit + 3)]
    assert [rate.allowed for rate in counted] == [True] * limit + [False] * 3
    assert [rate.remaining for rate in counted] == [*range(limit - 1, -1, -1), 0, 0, 0]


@pytest.mark.parametrize("limit", [1, 100, 250])
def test_two_processes_share_a_minute(
    workspace: Workspace, settings: Any, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    settings.RATE_LIMIT = limit
    key, _ = create_key(workspace=workspace, name="k", scopes=["read"], actor="ann")
    processes: list[dict[Any, Any]] = [{}, {}]
    allowed = 0
    for call in range(3 * limit):
        monkeypatch.setattr(rates, "_permits", processes[call % 2])
        allowed += count_call(key).allowed
    # permits are taken by the hundred: what one process took and didn't use, the other lacks
    assert limit - 100 < allowed <= limit


@pytest.mark.django_db(transaction=True)
def test_threads_share_a_minute(workspace: Workspace, settings: Any) -> None:
    settings.RATE_LIMIT = 150
    key = ApiKey.objects.get(pk=create_key(workspace=workspace, name="k", scopes=["read"], actor="ann")[0].pk)
    allowed = race(8, lambda place: sum(count_call(key).allowed for _ in range(40)))
    assert sum(allowed) == 150
