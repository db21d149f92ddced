"""What is settled leaves the database once, and figures don't tell in how many files it did."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from experiments.models import Decision, Execution
from impact.analysis.files import TABLES, damaged, directory
from impact.analysis.measure import measure
from impact.analysis.models import Chunk, Snapshot
from impact.analysis.settled import LAG, least_id, settled
from tests.analysis.ground import WORTH, Ground, on, paths, plan
from tests.conftest import Caller, decision_row
from workspaces.identifiers import new_id

PLAN = plan(value=[WORTH], covariates=["age"], segments=["band"])


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is settled as soon as it is there."""
    monkeypatch.setattr("impact.analysis.settled.LAG", timedelta())


def came(ground: Ground, api: Caller, *numbers: int) -> None:
    """Put down rows with a decision of somebody else, and events of these units and of earlier ones."""
    for number in numbers:
        unit = f"u{number}"
        ground.row(unit, ("none", "bonus")[number % 2], day=number % 7, covariates={"age": number})
        api.post("/decisions", decision_row(f"live-{number}", event=f"d{number}"))
        for earlier in range(0, number + 1, 3):
            ground.outcome(f"u{earlier}", 8 + number, 0.1 * number)
            ground.cost(f"u{earlier}", 8 + number, 0.1 * earlier)
    decision = Decision.objects.filter(mode="randomized").order_by("pk").first()
    state = "delivered" if numbers[0] < 10 else "failed"
    Execution.objects.create(decision=decision, status=state, occurred_at=on(400), **ground._fact(1))
    # ids tell milliseconds
    time.sleep(0.002)


def names(snapshot: Snapshot) -> dict[str, list[str]]:
    return {name: [file["name"] for file in snapshot.manifest["files"][name]] for name in TABLES}


def measured(ground: Ground, snapshot: Snapshot) -> str:
    return repr(measure(snapshot, PLAN, directory(ground.workspace.key)))


@pytest.mark.usefixtures("at_once")
def test_the_same_content_in_other_files_is_the_same_snapshot(
    ground: Ground, api: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    ground.feed(3000)
    for numbers in (range(10), range(10, 25), range(25, 31)):
        came(ground, api, *numbers)
        snapshot = ground.frozen(PLAN, as_of=3000)
    assert {name: len(files) for name, files in names(snapshot).items()} == dict.fromkeys(TABLES, 3)
    first, said = snapshot.sha256, measured(ground, snapshot)
    monkeypatch.setattr("impact.analysis.settled.LAG", LAG)
    monkeypatch.setattr("impact.analysis.values.PARTS_AT_ONCE", 1)
    Chunk.objects.all().delete()
    Snapshot.objects.all().delete()
    whole = ground.frozen(PLAN, as_of=3000)
    assert {name: len(files) for name, files in names(whole).items()} == dict.fromkeys(TABLES, 1)
    assert (whole.sha256, measured(ground, whole)) == (first, said)
    assert damaged(snapshot) == damaged(whole) == []


@pytest.mark.usefixtures("at_once")
def test_what_left_is_not_read_again(ground: Ground, api: Caller) -> None:
    came(ground, api, *range(10))
    before = names(ground.frozen(PLAN, as_of=3000))
    came(ground, api, 10)
    after = names(ground.frozen(PLAN, as_of=3001))
    for name in TABLES:
        assert after[name][:-1] == before[name] and len(before[name]) == 1
    # and without anything new, nothing is written
    assert names(ground.frozen(PLAN, as_of=3002)) == after
    assert Chunk.objects.filter(table="rows", rows__gt=0).count() == 2


@pytest.mark.usefixtures("at_once")
def test_a_time_in_the_past_has_what_was_known_then(ground: Ground, api: Caller) -> None:
    came(ground, api, *range(20))
    late, early = ground.frozen(PLAN, as_of=3000), ground.frozen(PLAN, as_of=12)
    assert early.manifest["tables"]["outcomes"]["rows"] < late.manifest["tables"]["outcomes"]["rows"]
    Chunk.objects.all().delete()
    Snapshot.objects.all().delete()
    assert ground.frozen(PLAN, as_of=12).sha256 == early.sha256


@pytest.mark.usefixtures("at_once")
def test_a_lost_chunk_is_written_again(ground: Ground, api: Caller) -> None:
    came(ground, api, *range(5))
    snapshot = ground.frozen(PLAN, as_of=3000)
    [file] = paths(snapshot, "outcomes")
    file.unlink()
    assert damaged(snapshot) == [file.name]
    assert ground.frozen(PLAN, as_of=3000) == snapshot
    assert damaged(snapshot) == []


def test_many_rows_are_read_a_chunk_at_a_time(ground: Ground, api: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    ground.feed(3000)
    came(ground, api, *range(11))
    whole = ground.frozen(PLAN, as_of=3000)
    said = measured(ground, whole)
    Snapshot.objects.all().delete()
    monkeypatch.setattr("impact.analysis.chunks.ROWS_A_CHUNK", 4)
    parts = ground.frozen(PLAN, as_of=3000)
    assert len(names(parts)["rows"]) == 6
    assert (parts.sha256, measured(ground, parts)) == (whole.sha256, said)


def test_parts_hold_all_rows(ground: Ground, api: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    ground.feed(3000)
    came(ground, api, *range(11))
    snapshot = ground.frozen(PLAN, as_of=3000)
    whole = measure(snapshot, PLAN, directory(ground.workspace.key))
    monkeypatch.setattr("impact.analysis.values.ROWS_A_PART", 2)
    parts = measure(snapshot, PLAN, directory(ground.workspace.key))
    assert (parts.mature_by_arm, parts.events, parts.censored) == (whole.mature_by_arm, whole.events, whole.censored)


def test_new_rows_stay_open(ground: Ground, api: Caller) -> None:
    came(ground, api, *range(3))
    ground.frozen(PLAN, as_of=3000)
    assert not Chunk.objects.exclude(rows=0).exists()
    assert least_id(datetime.now(UTC) - 2 * LAG) < settled() < new_id()


def test_what_an_open_transaction_may_add_is_not_settled(db: Any) -> None:
    if connection.vendor != "postgresql":
        assert settled() <= least_id(datetime.now(UTC) - LAG)
        return
    other = connection.copy("other")
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN; SELECT now() FROM pg_sleep(0.3)")
            [began] = cursor.fetchone()
            assert settled() <= least_id(began - LAG)
            cursor.execute("ROLLBACK")
        assert settled() > least_id(began - LAG)
    finally:
        other.close()
