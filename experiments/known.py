"""What is stored about the events and units of a batch, read at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import UUID

import msgspec
from django.db import connection

from experiments.counters import Scope
from experiments.models import Assignment, Decision, EpisodeCounter
from experiments.rows import DecisionRow
from experiments.setup import Point
from predictions.models import Prediction
from workspaces.facts import prepared
from workspaces.models import Workspace

TABLES = {
    "workspace": Workspace._meta.db_table,
    "decision": Decision._meta.db_table,
    "prediction": Prediction._meta.db_table,
    "episode": EpisodeCounter._meta.db_table,
    "assignment": Assignment._meta.db_table,
}
SENT = {
    "place": "int",
    "source": "text",
    "event_id": "text",
    "point": "text",
    "scope_id": "text",
    "experiment_id": "uuid",
    "unit_id": "text",
}
OF_EVENT = "{0}.event_id = sent.event_id AND {0}.source = sent.source AND {0}.workspace_id = workspace.id"
# what is looked for about each row sent: its columns, and how it is found
LOOKED_FOR = {
    "decision": (("id", "digest"), OF_EVENT.format("decision")),
    "prediction": (("id",), OF_EVENT.format("prediction")),
    "episode": (
        ("id", "number", "opened_at", "revision"),
        "episode.scope_id = sent.scope_id AND episode.decision_point = sent.point "
        "AND episode.workspace_id = workspace.id",
    ),
    "assignment": (
        ("id", "randomization_key", "arm_id", "phase"),
        "assignment.experiment_id = sent.experiment_id AND assignment.unit_id = sent.unit_id",
    ),
}


@dataclass(slots=True)
class Known:
    """What a batch meets: events that are stored, by index; episodes; assignments."""

    audit_length: int = 0
    clock_at: datetime | None = None
    decisions: dict[int, tuple[UUID, str]] = field(default_factory=dict)
    predicted: set[int] = field(default_factory=set)
    episodes: dict[Scope, EpisodeCounter] = field(default_factory=dict)
    assignments: dict[tuple[UUID, str], Assignment] = field(default_factory=dict)


def read_known(workspace: Workspace, points: Mapping[str, Point], rows: Mapping[int, DecisionRow]) -> Known:
    """Read what is stored about these rows, and how the workspace stands."""
    known = Known()
    sent: list[list[Any]] = []
    for index, row in rows.items():
        point = points.get(row.decision_point)
        running = point.running if point else None
        sent.append(
            [
                index, row.source, row.event_id, row.decision_point, point.scope(row) if point else row.unit_id,
                _sent_id(running.experiment.pk) if running else None, row.unit_id,
            ]
        )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(*_query(sent, _sent_id(workspace.pk)))
        found = cursor.fetchall()
    for (
        index, audit_length, clock_at, decision, digest, prediction,
        episode, number, opened_at, revision, assignment, key, arm, phase,
    ) in found:  # fmt: skip
        known.audit_length, known.clock_at = audit_length, _time(clock_at)
        row = rows[index]
        point = points.get(row.decision_point)
        if decision:
            known.decisions[index] = (_id(decision), digest)
        elif prediction:
            known.predicted.add(index)
        if episode and point:
            scope = point.scope(row)
            known.episodes[row.decision_point, scope] = EpisodeCounter(
                id=_id(episode),
                workspace=workspace,
                decision_point=row.decision_point,
                scope_id=scope,
                number=number,
                opened_at=_time(opened_at),
                revision=revision,
            )
        if assignment and point and point.running:
            experiment = point.running.experiment
            known.assignments[experiment.pk, key] = Assignment(
                id=_id(assignment),
                experiment=experiment,
                randomization_key=key,
                arm=point.running.arm(_id(arm)),
                phase=phase,
            )
    return known


def _query(sent: list[list[Any]], workspace: Any) -> tuple[str, list[Any]]:
    """Return the query and its parameters: every row sent looks up its own, however many others there are."""
    if connection.vendor == "postgresql":
        rows = msgspec.json.encode([dict(zip(SENT, row, strict=True)) for row in sent]).decode()
        types = ", ".join(f"{name} {kind}" for name, kind in SENT.items())
        text = _text(f"SELECT * FROM json_to_recordset($1) AS one ({types})", "$2", connection.vendor)
        return prepared(text, "json", "uuid"), [rows, workspace]
    one = f"({', '.join(['%s'] * len(SENT))})"
    values = [value for row in sent for value in row]
    return _text(f"VALUES {', '.join([one] * len(sent))}", "%s", connection.vendor), [*values, workspace]


@cache
def _looking(vendor: str) -> tuple[str, str]:
    """Columns and joins of what is looked for."""
    columns, joins = [], []
    for name, (wanted, condition) in LOOKED_FOR.items():
        own = ", ".join(f"{name}.{column}" for column in wanted)
        table = f"{TABLES[name]} AS {name}"
        # a plain join would be planned as a scan of everything while there are no statistics
        found = f"LATERAL (SELECT {own} FROM {table} WHERE {condition} OFFSET 0) AS {name} ON true"
        joins.append(f"LEFT JOIN {found if vendor == 'postgresql' else f'{table} ON {condition}'}")
        columns.append(own)
    return ", ".join(columns), " ".join(joins)


def _text(sent: str, workspace: str, vendor: str) -> str:
    columns, joins = _looking(vendor)
    return (
        f"WITH sent ({', '.join(SENT)}) AS ({sent}) "
        f"SELECT sent.place, workspace.audit_length, workspace.clock_at, {columns} FROM sent "
        f"JOIN {TABLES['workspace']} AS workspace ON workspace.id = {workspace} {joins}"
    )


def _sent_id(pk: UUID) -> Any:
    return pk if connection.vendor == "postgresql" else pk.hex


def _id(value: Any) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)


def _time(value: datetime | None) -> datetime | None:
    return value.replace(tzinfo=UTC) if value and value.tzinfo is None else value
