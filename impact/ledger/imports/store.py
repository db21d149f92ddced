"""Storing a chunk of events at once: whoever was first stays, and the others are told from conflicts."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import datetime
from operator import itemgetter
from typing import NamedTuple

from django.db import connection

from impact.ledger.imports.quick import LABELS, Event
from impact.ledger.models import Cost, Outcome
from workspaces.facts import Fact, insert_rows, stored
from workspaces.models import Workspace

MODELS: dict[str, type[Fact]] = {"outcome": Outcome, "cost": Cost}


class Stored(NamedTuple):
    """How many events are new, how many were stored before, and the places of those stored with other content."""

    accepted: int
    duplicate: int
    conflicts: list[int]


def store(*, workspace: Workspace, kind: str, events: Sequence[Event], received_at: datetime) -> Stored:
    """Insert the events that nobody sent before."""
    # one order in every batch, as in ``take_batch``; of the same event twice the first stays the first
    ordered = sorted(events, key=itemgetter(0, 1))
    if not ordered:
        return Stored(0, 0, [])
    if connection.vendor == "postgresql":
        return _copy(workspace, kind, ordered, received_at)
    return _insert(workspace, kind, ordered, received_at)


def _copy(workspace: Workspace, kind: str, events: Sequence[Event], received_at: datetime) -> Stored:
    table, (label, amount) = MODELS[kind]._meta.db_table, LABELS[kind]
    own, staged = ("estimated, ", "s.estimated, ") if kind == "cost" else ("", "")
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE IF NOT EXISTS staged_events (source text, event_id text, place int, id uuid, "
            "digest text, unit_id text, occurred_at timestamptz, relates_to text, label text, amount float8, "
            "currency text, estimated boolean) ON COMMIT DELETE ROWS"
        )
        cursor.execute("DELETE FROM staged_events")
        # plain ids, times and numbers hold nothing that this format would escape
        lines = "".join(["\t".join(map(str, event)) + "\n" for event in events])
        cursor.copy_expert("COPY staged_events FROM STDIN", io.StringIO(lines))
        cursor.execute(
            f"INSERT INTO {table} (id, workspace_id, source, event_id, digest, received_at, unit_id, occurred_at, "
            f"relates_to, {label}, {amount}, {own} currency) "
            "SELECT s.id, %s, s.source, s.event_id, s.digest, %s, s.unit_id, s.occurred_at, s.relates_to, s.label, "
            f"s.amount, {staged} s.currency FROM staged_events s ON CONFLICT DO NOTHING",
            [workspace.pk, received_at],
        )
        accepted = cursor.rowcount
        if accepted == len(events):
            return Stored(accepted, 0, [])
        # a second statement, which also sees what others stored while the first one waited
        cursor.execute(
            f"SELECT s.place FROM staged_events s JOIN {table} t ON t.workspace_id = %s AND t.source = s.source "
            "AND t.event_id = s.event_id WHERE t.digest <> s.digest",
            [workspace.pk],
        )
        conflicts = [place for (place,) in cursor.fetchall()]
    return Stored(accepted, len(events) - accepted - len(conflicts), conflicts)


def _insert(workspace: Workspace, kind: str, events: Sequence[Event], received_at: datetime) -> Stored:
    model, (label, amount) = MODELS[kind], LABELS[kind]
    names = [
        "id", "workspace_id", "source", "event_id", "digest", "received_at", "unit_id", "occurred_at", "relates_to",
        label, amount, "currency",
    ] + (["estimated"] if kind == "cost" else [])  # fmt: skip
    rows = [
        (
            one.id, workspace.pk, one.source, one.event_id, one.digest, received_at, one.unit_id,
            datetime.fromisoformat(one.occurred_at), one.relates_to, one.label, float(one.amount), one.currency,
            one.estimated == "true",
        )[: len(names)]
        for one in events
    ]  # fmt: skip
    accepted = len(insert_rows(model, names, rows))
    if accepted == len(events):
        return Stored(accepted, 0, [])
    known = stored(model, workspace, {(one.source, one.event_id) for one in events})
    conflicts = [one.place for one in events if known[one.source, one.event_id][1] != one.digest]
    return Stored(accepted, len(events) - accepted - len(conflicts), conflicts)
