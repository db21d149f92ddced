"""Storing a chunk of events at once: whoever was first stays, and the others are told from conflicts."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import connection

from impact.ledger.imports.quick import COLUMNS, LABELS, Event
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
    ordered = sorted(events)
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
        lines = "".join([event.line for event in events])
        cursor.copy_expert(f"COPY staged_events ({', '.join(COLUMNS)}) FROM STDIN", io.StringIO(lines))
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
            # each looks up its own: a plain join would read the whole ledger while there are no statistics
            f"SELECT s.place FROM staged_events s CROSS JOIN LATERAL (SELECT t.digest FROM {table} t "
            "WHERE t.event_id = s.event_id AND t.source = s.source AND t.workspace_id = %s OFFSET 0) AS first "
            "WHERE first.digest <> s.digest",
            [workspace.pk],
        )
        conflicts = [place for (place,) in cursor.fetchall()]
    return Stored(accepted, len(events) - accepted - len(conflicts), conflicts)


def _insert(workspace: Workspace, kind: str, events: Sequence[Event], received_at: datetime) -> Stored:
    model, (label, amount) = MODELS[kind], LABELS[kind]
    names = ["id", "workspace_id", "source", "event_id", "digest", "received_at", "unit_id", "occurred_at"]
    names += ["relates_to", label, amount, "currency", *(["estimated"] if kind == "cost" else [])]
    rows, digests = [], {}
    for event in events:
        one = dict(zip(COLUMNS, event.line.rstrip("\n").split("\t"), strict=True))
        at, number = datetime.fromisoformat(one["occurred_at"]), float(one["amount"])
        digests[event.place] = one["digest"]
        row = (
            one["id"], workspace.pk, event.source, event.event_id, one["digest"], received_at, one["unit_id"], at,
            one["relates_to"], one["label"], number, one["currency"], one["estimated"] == "true",
        )  # fmt: skip
        rows.append(row[: len(names)])
    accepted = len(insert_rows(model, names, rows))
    if accepted == len(events):
        return Stored(accepted, 0, [])
    known = stored(model, workspace, {event[:2] for event in events})
    conflicts = [one.place for one in events if known[one[:2]][1] != digests[one.place]]
    return Stored(accepted, len(events) - accepted - len(conflicts), conflicts)
