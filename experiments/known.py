"""What is stored about the events and units of a batch, read at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import connection

from experiments.counters import Scope
from experiments.models import Assignment, Decision, EpisodeCounter
from experiments.rows import DecisionRow
from experiments.setup import Point
from predictions.models import Prediction
from workspaces.models import Workspace

TABLES = {
    "workspace": Workspace._meta.db_table,
    "decision": Decision._meta.db_table,
    "prediction": Prediction._meta.db_table,
    "episode": EpisodeCounter._meta.db_table,
    "assignment": Assignment._meta.db_table,
}
QUERY = """
WITH sent (place, source, event_id, point, scope_id, experiment_id, unit_id) AS (VALUES {rows})
SELECT sent.place, workspace.audit_length, workspace.clock_at, decision.id, decision.digest, prediction.id,
    episode.id, episode.number, episode.opened_at, episode.revision,
    assignment.id, assignment.randomization_key, assignment.arm_id
FROM sent
JOIN {workspace} AS workspace ON workspace.id = %s
LEFT JOIN {decision} AS decision ON decision.workspace_id = workspace.id
    AND decision.source = sent.source AND decision.event_id = sent.event_id
LEFT JOIN {prediction} AS prediction ON prediction.workspace_id = workspace.id
    AND prediction.source = sent.source AND prediction.event_id = sent.event_id
LEFT JOIN {episode} AS episode ON episode.workspace_id = workspace.id
    AND episode.decision_point = sent.point AND episode.scope_id = sent.scope_id
LEFT JOIN {assignment} AS assignment ON assignment.experiment_id = {experiment}
    AND assignment.unit_id = sent.unit_id
"""


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
    asked: list[Any] = []
    for index, row in rows.items():
        point = points.get(row.decision_point)
        running = point.running if point else None
        asked += [
            index, row.source, row.event_id, row.decision_point, point.scope(row) if point else row.unit_id,
            _sent_id(running.experiment.pk) if running else None, row.unit_id,
        ]  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_query(len(rows)), [*asked, _sent_id(workspace.pk)])
        found = cursor.fetchall()
    for (
        index, audit_length, clock_at, decision, digest, prediction,
        episode, number, opened_at, revision, assignment, key, arm,
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
                id=_id(assignment), experiment=experiment, randomization_key=key, arm=point.running.arm(_id(arm))
            )
    return known


def _query(rows: int) -> str:
    on_postgres = connection.vendor == "postgresql"
    first = "(%s::int, %s::text, %s::text, %s::text, %s::text, %s::uuid, %s::text)"
    one = "(%s, %s, %s, %s, %s, %s, %s)"
    values = ", ".join([first if on_postgres else one, *[one] * (rows - 1)])
    return QUERY.format(rows=values, experiment="sent.experiment_id", **TABLES)


def _sent_id(pk: UUID) -> Any:
    return pk if connection.vendor == "postgresql" else pk.hex


def _id(value: Any) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)


def _time(value: datetime | None) -> datetime | None:
    return value.replace(tzinfo=UTC) if value and value.tzinfo is None else value
