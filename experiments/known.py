"""What is stored about the events and units of a batch, read at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from experiments.answers import said
from experiments.assigned import Assigned, Episodes
from experiments.counters import Scope
from experiments.models import Action, Arm, Assignment, ClusterArm, Decision, EpisodeCounter, Experiment
from experiments.rows import DecisionAnswer, DecisionRow
from experiments.setup import Point, Running
from predictions.models import Prediction
from workspaces import clock
from workspaces.facts import own_connection, prepared
from workspaces.models import Workspace

SENT = {
    "place": "int",
    "source": "text",
    "event_id": "text",
    "point": "text",
    "scope_id": "text",
    "experiment_id": "uuid",
    "unit_id": "text",
}
# only where an experiment randomizes clusters
OF_CLUSTERS = {"cluster_key": "text"}
OF_EVENT = "{0}.event_id = sent.event_id AND {0}.source = sent.source AND {0}.workspace_id = workspace.id"


class Looked(NamedTuple):
    """What is looked for about each row sent: columns of a table, how its row is found, and what it leads to."""

    columns: Mapping[str, str]
    model: type[models.Model]
    condition: str
    joins: str = ""


def _join(model: type[models.Model], name: str, column: str) -> str:
    return f"LEFT JOIN {model._meta.db_table} AS {name} ON {name}.id = {column}"


LOOKED_FOR = {
    # with all that its answer says
    "decision": Looked(
        {name: f"decision.{name}" for name in ("id", "digest")}
        | {
            "action": "action.key",
            "parameters": "action.parameters",
            "experiment": "experiment.key",
            "arm": "arm.key",
        }
        | {name: f"decision.{name}" for name in ("mode", "propensity", "candidates", "decided_at", "matures_at")},
        Decision,
        OF_EVENT.format("decision"),
        " ".join(
            [
                _join(Action, "action", "decision.action_id"),
                _join(Assignment, "its", "decision.assignment_id"),
                _join(Arm, "arm", "its.arm_id"),
                _join(Experiment, "experiment", "its.experiment_id"),
            ]
        ),
    ),
    "prediction": Looked({"id": "prediction.id"}, Prediction, OF_EVENT.format("prediction")),
    "episode": Looked(
        {name: f"episode.{name}" for name in ("number", "opened_at", "revision")},
        EpisodeCounter,
        "episode.scope_id = sent.scope_id AND episode.decision_point = sent.point "
        "AND episode.workspace_id = workspace.id",
    ),
    "assignment": Looked(
        {name: f"assignment.{name}" for name in ("id", "occasion", "arm_id", "phase")},
        Assignment,
        "assignment.experiment_id = sent.experiment_id AND assignment.unit_id = sent.unit_id",
    ),
    "cluster": Looked(
        {name: f"cluster.{name}" for name in ("arm_id", "stratum", "phase", "propensity", "draw")},
        ClusterArm,
        "cluster.experiment_id = sent.experiment_id AND cluster.randomization_key = sent.cluster_key",
    ),
}
OF_A_CLUSTER = len(LOOKED_FOR["cluster"].columns)


class Decided(NamedTuple):
    """A decision that is stored: what it was asked, as a digest, and what it answered."""

    pk: UUID
    digest: str
    answer: DecisionAnswer


@dataclass(slots=True)
class Known:
    """What a batch meets: events that are stored, by index; episodes; arms of units and of clusters."""

    audit_length: int = 0
    clock_at: datetime | None = None
    decisions: dict[int, Decided] = field(default_factory=dict)
    predicted: set[int] = field(default_factory=set)
    episodes: dict[Scope, Episodes] = field(default_factory=dict)
    # experiment, unit, occasion
    assignments: dict[tuple[str, str, int], Assigned] = field(default_factory=dict)
    # experiment, randomization key
    clusters: dict[tuple[str, str], ClusterArm] = field(default_factory=dict)


def read_known(workspace: Workspace, points: Mapping[str, Point], rows: Mapping[int, DecisionRow]) -> Known:
    """Read what is stored about these rows, and how the workspace stands."""
    known = Known()
    sent: list[list[Any]] = []
    # a row is asked about once for each experiment that it may be in
    asked: list[tuple[int, Running | None]] = []
    in_clusters = any(one.experiment.in_clusters for point in points.values() for one in point.experiments)
    for index, row in rows.items():
        point = points.get(row.decision_point)
        for running in (point.experiments if point else ()) or (None,):
            sent.append(
                [
                    len(asked), row.source, row.event_id, row.decision_point,
                    point.scope(row) if point else row.unit_id, running.experiment.pk if running else None, row.unit_id,
                ]
            )  # fmt: skip
            asked.append((index, running))
            if in_clusters:
                sent[-1].append(_cluster_key(workspace, running, row))
    own = own_connection()
    with own.cursor() as cursor:
        cursor.execute(*_query(own, sent, workspace.id, in_clusters))
        found = cursor.fetchall()
    for columns in found:
        cluster = columns[-OF_A_CLUSTER:] if in_clusters else None
        (
            place, audit_length, clock_at, decision, digest, *said_then, prediction,
            number, opened_at, revision, assignment, occasion, arm, phase,
        ) = columns[:-OF_A_CLUSTER] if in_clusters else columns  # fmt: skip
        known.audit_length, known.clock_at = audit_length, _time(clock_at)
        index, running = asked[place]
        row = rows[index]
        point = points.get(row.decision_point)
        if decision:
            known.decisions[index] = Decided(_id(decision), digest, _answer(_id(decision), row.unit_id, *said_then))
            continue
        if prediction:
            known.predicted.add(index)
        if number is not None and point:
            known.episodes[row.decision_point, point.scope(row)] = Episodes(number, _time(opened_at), revision)
        if assignment and running:
            known.assignments[running.experiment.key, row.unit_id, occasion] = Assigned(
                str(_id(assignment)), running, phase, running.arm(_id(arm))
            )
        if cluster and cluster[0] and running:
            key = _cluster_key(workspace, running, row)
            assert key is not None
            known.clusters[running.experiment.key, key] = _cluster(running, key, *cluster)
    return known


def _cluster_key(workspace: Workspace, running: Running | None, row: DecisionRow) -> str | None:
    """What is drawn for the row's cluster; if its period is over before it is decided about, it is read again."""
    if running is None or not running.experiment.in_clusters:
        return None
    return running.key(row, row.at or clock.now(workspace), 0)[0]


def _cluster(
    running: Running, key: str, arm: Any, stratum: str, phase: str, propensity: float, draw: int
) -> ClusterArm:
    return ClusterArm(
        experiment=running.experiment,
        randomization_key=key,
        arm=running.arm(_id(arm)),
        stratum=stratum,
        phase=phase,
        propensity=propensity,
        draw=draw,
    )


def _answer(
    pk: UUID, unit_id: str, action: str | None, parameters: str | None, experiment: str | None, arm: str | None,
    mode: str, propensity: float, candidates: str, *times: datetime,
) -> DecisionAnswer:  # fmt: skip
    told = msgspec.json.decode(parameters) if parameters else {}
    drawn, (decided_at, matures_at) = msgspec.json.decode(candidates), map(_aware, times)
    return said(
        True, pk, unit_id, action, told, experiment, arm, mode, propensity, drawn, decided_at, matures_at
    )  # fmt: skip


def _query(
    own: BaseDatabaseWrapper, sent: list[list[Any]], workspace: UUID, in_clusters: bool
) -> tuple[str, list[Any]]:
    """Return the query and its parameters: every row sent looks up its own, however many others there are."""
    names = _sent(in_clusters)
    if own.vendor == "postgresql":
        rows = msgspec.json.encode([dict(zip(names, row, strict=True)) for row in sent]).decode()
        return prepared(own, _of_postgres(in_clusters), "json", "uuid"), [rows, workspace]
    one = f"({', '.join(['%s'] * len(names))})"
    values = [value.hex if isinstance(value, UUID) else value for row in sent for value in row]
    return _text(f"VALUES {', '.join([one] * len(sent))}", "%s", own.vendor, in_clusters), [*values, workspace.hex]


@cache
def _sent(in_clusters: bool) -> dict[str, str]:
    return SENT | OF_CLUSTERS if in_clusters else SENT


@cache
def _of_postgres(in_clusters: bool) -> str:
    types = ", ".join(f"{name} {kind}" for name, kind in _sent(in_clusters).items())
    return _text(f"SELECT * FROM json_to_recordset($1) AS one ({types})", "$2", "postgresql", in_clusters)


@cache
def _looking(vendor: str, in_clusters: bool) -> tuple[str, str]:
    """Columns and joins of what is looked for."""
    columns, joins = [], []
    for name, (wanted, model, condition, further) in LOOKED_FOR.items():
        if name == "cluster" and not in_clusters:
            continue
        table = f"{model._meta.db_table} AS {name}"
        if vendor == "postgresql":
            # a plain join would be planned as a scan of everything while there are no statistics
            own = ", ".join(f"{column} AS {short}" for short, column in wanted.items())
            joins.append(
                f"LEFT JOIN LATERAL (SELECT {own} FROM {table} {further} WHERE {condition} OFFSET 0) AS {name} ON true"
            )
            columns += [f"{name}.{short}" for short in wanted]
        else:
            joins.append(f"LEFT JOIN {table} ON {condition} {further}")
            columns += wanted.values()
    return ", ".join(columns), " ".join(joins)


def _text(sent: str, workspace: str, vendor: str, in_clusters: bool) -> str:
    columns, joins = _looking(vendor, in_clusters)
    return (
        f"WITH sent ({', '.join(_sent(in_clusters))}) AS ({sent}) "
        f"SELECT sent.place, workspace.audit_length, workspace.clock_at, {columns} FROM sent "
        f"JOIN {Workspace._meta.db_table} AS workspace ON workspace.id = {workspace} {joins}"
    )


def _id(value: Any) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)


def _time(value: datetime | None) -> datetime | None:
    return _aware(value) if value else None


def _aware(value: datetime) -> datetime:
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value
