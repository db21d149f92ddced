"""Storing a batch of decisions with their predictions and assignments, in one go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any
from uuid import UUID

import msgspec

from experiments.assigned import Episodes
from experiments.counters import Scope
from experiments.models import Assignment, ClusterArm, Decision, EpisodeCounter
from experiments.services.choose import Request
from predictions.models import Prediction
from workspaces.canonical import digest, dumps
from workspaces.facts import insertion, run_together, unsaved
from workspaces.identifiers import new_id_text
from workspaces.lines import Into, insertions
from workspaces.models import Workspace

COUNT_ON = """
ON CONFLICT (workspace_id, decision_point, scope_id) DO UPDATE SET
    number = excluded.number, opened_at = excluded.opened_at,
    revision = CASE WHEN experiments_episodecounter.revision = excluded.revision - 1 THEN excluded.revision END
"""
TABLES = (
    Into(Prediction, {"id": "prediction_id"}),
    Into(
        Assignment,
        {
            "id": "assignment_id",
            "first_decision_at": "decided_at",
            "propensity": "arm_propensity",
            "draw": "arm_draw",
        },
        having="randomization_key",
        order=("experiment_id", "unit_id", "occasion"),
    ),
    Into(Decision),
)


class Line(msgspec.Struct, omit_defaults=True, kw_only=True):
    """A decision with its prediction, and with its assignment if that is new: columns of their tables."""

    id: str
    workspace_id: UUID
    source: str
    event_id: str
    digest: str
    received_at: str
    prediction_id: str
    version_id: UUID
    unit_id: str
    score: float
    predicted_at: datetime
    features: str
    features_sha256: str
    decision_point_id: UUID
    cluster_id: str
    segment: str
    episode: int
    candidates: str
    action_id: UUID
    propensity: float
    mode: str
    would_have: str
    decided_at: str
    matures_at: str
    draw: int | None = None
    assignment_id: str | None = None
    # of a new assignment
    randomization_key: str | None = None
    experiment_id: UUID | None = None
    occasion: int | None = None
    arm_id: UUID | None = None
    stratum: str | None = None
    phase: str | None = None
    covariates: str | None = None
    segments: str | None = None
    arm_propensity: float | None = None
    arm_draw: int | None = None


def store(
    workspace: Workspace,
    requests: Sequence[Request],
    clusters: Sequence[ClusterArm],
    episodes: Mapping[Scope, Episodes],
) -> None:
    """Store everything in one go; a constraint refuses all of it if another decision came between."""
    if not requests:
        return
    scopes = sorted({request.scope for request in requests if request.point.point.cool_down_days})
    by_event = sorted(requests, key=lambda request: (request.row.source, request.row.event_id))
    by_key = sorted(clusters, key=lambda one: (one.experiment_id, one.randomization_key))
    run_together(
        [
            # a counter that was counted on meanwhile has another revision, and must have one
            insertion([_counter(workspace, scope, episodes[scope]) for scope in scopes], COUNT_ON),
            # a cluster that was drawn meanwhile has its arm, and must keep it
            insertion(by_key),
            *insertions([_line(workspace, request) for request in by_event], TABLES),
        ]
    )


def _counter(workspace: Workspace, scope: Scope, episodes: Episodes) -> EpisodeCounter:
    point, scope_id = scope
    return unsaved(
        EpisodeCounter,
        workspace=workspace,
        decision_point=point,
        scope_id=scope_id,
        number=episodes.number,
        opened_at=episodes.opened_at,
        revision=episodes.revision + 1,
    )


def _line(workspace: Workspace, request: Request) -> Line:
    row, point, action, matures_at = request.row, request.point.point, request.action, request.matures_at
    assert action is not None
    assert matures_at is not None
    scored, features, at = row.prediction, dumps(row.prediction.features), request.at.isoformat()
    reason = row.forced.reason if row.forced else ""
    line = Line(
        id=request.id,
        workspace_id=workspace.id,
        source=row.source,
        event_id=row.event_id,
        digest=digest(row),
        received_at=at,
        prediction_id=new_id_text(),
        version_id=request.version.id,
        unit_id=row.unit_id,
        score=scored.score,
        predicted_at=scored.predicted_at,
        features=features,
        features_sha256=sha256(features.encode()).hexdigest(),
        decision_point_id=point.id,
        cluster_id=row.cluster_id or "",
        segment=row.segment or "",
        episode=request.episode,
        candidates=_candidates(
            tuple(request.probabilities.items()), tuple(request.refused.items()), (action.key, reason)
        ),
        action_id=action.id,
        propensity=request.probabilities[action.key],
        mode=request.mode,
        would_have=dumps(request.would_have) if request.would_have else "{}",
        decided_at=at,
        matures_at=matures_at.isoformat(),
        draw=request.draw,
    )
    if request.assignment:
        line.assignment_id = request.assignment.id
    if request.enters:
        _enter(line, request)
    return line


def _enter(line: Line, request: Request) -> None:
    """Add the assignment that is new."""
    assignment = request.assignment
    assert assignment is not None
    assert assignment.arm is not None
    running, features = assignment.running, request.row.prediction.features
    covariates = {name: features.get(name) for name in running.experiment.covariates}
    segments = running.segments(request.row)
    line.randomization_key, line.occasion = assignment.randomization_key, assignment.occasion
    line.experiment_id, line.arm_id = running.experiment.id, assignment.arm.id
    line.stratum, line.phase = assignment.stratum, assignment.phase
    line.covariates, line.segments = dumps(covariates), dumps(segments)
    line.arm_propensity, line.arm_draw = assignment.propensity, assignment.draw


@lru_cache(maxsize=4096)
def _candidates(
    probabilities: tuple[tuple[str, float], ...], refused: tuple[tuple[str, str], ...], forced: tuple[str, str]
) -> str:
    """Every candidate action with its probability or why it was refused, as most units have it alike."""
    content: dict[str, dict[str, Any]] = {key: {"probability": share} for key, share in probabilities}
    content |= {key: {"refused": reason} for key, reason in refused}
    action, reason = forced
    if reason:
        content[action] |= {"reason": reason}
    return dumps(content)
