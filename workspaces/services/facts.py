"""Taking in a batch of facts: every row ends accepted, duplicate, quarantined or rejected."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from django.db import transaction

from workspaces import clock
from workspaces.canonical import digest
from workspaces.clock import CLOCK_SKEW
from workspaces.errors import Invalid, Refusal
from workspaces.facts import Fact, insert_new, stored
from workspaces.models import Quarantine, Workspace
from workspaces.strict import Row, convert

R = TypeVar("R", bound=Row)
Built = Mapping[int, "Fact | Refusal"]


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one row of a batch."""

    index: int
    status: str
    id: UUID | str | None = None
    code: str = ""
    detail: str = ""
    pointer: str = ""


def parse_rows(raw: Sequence[Any], shape: type[R]) -> tuple[dict[int, R], list[Taken]]:
    """Split a batch into rows of the declared shape and rejected ones; a refusal in a row's place is its answer."""
    rows, rejected = {}, []
    for index, document in enumerate(raw):
        if isinstance(document, Refusal):
            rejected.append(reject(index, document))
            continue
        try:
            rows[index] = convert(document, shape)
        except Refusal as refusal:
            rejected.append(reject(index, refusal))
    return rows, rejected


def reject(index: int, refusal: Refusal) -> Taken:
    return Taken(index, "rejected", code=refusal.code, detail=refusal.detail, pointer=refusal.pointer)


def quarantine(workspace: Workspace, kind: str, index: int, row: Row, refusal: Refusal) -> Taken:
    """Keep a row that can't be placed; the same row again is kept once."""
    kept = Quarantine(
        workspace=workspace,
        kind=kind,
        source=row.source,
        event_id=row.event_id,
        digest=digest(row.content()),
        row=row.content(),
        code=refusal.code,
        reason=refusal.detail,
        received_at=clock.server_now(),
    )
    insert_new([kept])
    return Taken(index, "quarantined", code=refusal.code, detail=refusal.detail, pointer=refusal.pointer)


def check_happened(occurred_at: datetime, received_at: datetime) -> None:
    """Refuse an event that came in before it happened."""
    if occurred_at > received_at + CLOCK_SKEW:
        raise Refusal(
            "future-event",
            f"occurred_at == {occurred_at.isoformat()} is after {received_at.isoformat()}, when it came in",
            "/occurred_at",
        )


def conflict(row: Row) -> Refusal:
    return Refusal(
        "event-conflict",
        f"{row.source} {row.event_id} was stored before with other content; a correction is a new event id",
        "/event_id",
    )


@transaction.atomic
def take_batch(
    *,
    workspace: Workspace,
    kind: str,
    model: type[Fact],
    shape: type[R],
    raw: Sequence[Any],
    build: Callable[[Mapping[int, R]], Built],
) -> list[Taken]:
    """Store a batch's facts once each and answer for every row, in the order sent.

    ``build`` turns parsed rows into unsaved facts, or into the refusal that sends a row to quarantine
    (rejects it, if it is ``Invalid``).
    """
    rows, taken = parse_rows(raw, shape)
    arrival, received = clock.arrival(workspace), {}
    for index, row in list(rows.items()):
        try:
            received[index] = arrival(row.at)
        except Refusal as refusal:
            taken.append(reject(index, refusal))
            del rows[index]
    facts: dict[int, Fact] = {}
    for index, fact in build(rows).items():
        row = rows[index]
        if isinstance(fact, Invalid):
            taken.append(reject(index, fact))
            continue
        if isinstance(fact, Refusal):
            taken.append(quarantine(workspace, kind, index, row, fact))
            continue
        # past the descriptors, which take longer than all the rest
        vars(fact).update(
            workspace_id=workspace.pk,
            source=row.source,
            event_id=row.event_id,
            digest=digest(row.content()),
            received_at=received[index],
        )
        facts[index] = fact
    # one order in every batch, so that two batches wait for each other instead of locking each other out
    inserted = insert_new(sorted(facts.values(), key=lambda fact: (fact.source, fact.event_id)))
    earlier = stored(model, workspace, {(f.source, f.event_id) for f in facts.values() if f.id not in inserted})
    for index, fact in facts.items():
        if fact.id in inserted:
            taken.append(Taken(index, "accepted", fact.id))
            continue
        pk, known = earlier[fact.source, fact.event_id]
        if known == fact.digest:
            taken.append(Taken(index, "duplicate", pk))
        else:
            taken.append(quarantine(workspace, kind, index, rows[index], conflict(rows[index])))
    if facts:
        clock.advance(workspace, max(fact.received_at for fact in facts.values()))
    return sorted(taken, key=lambda one: one.index)
