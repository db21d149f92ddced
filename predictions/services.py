"""Writing predictions: checked against their model, stored once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from predictions.models import LARGEST_SCORE, ModelVersion, Prediction, Task
from predictions.rows import PredictionRow, Scored
from workspaces import clock
from workspaces.canonical import digest
from workspaces.clock import CLOCK_SKEW
from workspaces.errors import Invalid, Refusal
from workspaces.facts import unsaved
from workspaces.models import Workspace
from workspaces.services.facts import Taken, take_batch

TYPES = {"number": float, "text": str, "boolean": bool}

_versions: dict[UUID, tuple[int, dict[tuple[str, str], ModelVersion]]] = {}


def log_predictions(*, workspace: Workspace, raw: Sequence[Any]) -> list[Taken]:
    """Store a batch of predictions and answer for each row."""

    def build(rows: Mapping[int, PredictionRow]) -> dict[int, Prediction | Refusal]:
        versions = versions_of(workspace)
        return {index: _built(versions, row, clock.received_at(workspace, row.at)) for index, row in rows.items()}

    return take_batch(
        workspace=workspace, kind="prediction", model=Prediction, shape=PredictionRow, raw=raw, build=build
    )


def versions_of(workspace: Workspace) -> Mapping[tuple[str, str], ModelVersion]:
    """Return the workspace's model versions by model and version; kept until the configuration changes."""
    length, known = _versions.get(workspace.pk, (-1, {}))
    if length != workspace.audit_length:
        found = ModelVersion.objects.within(workspace).select_related("model")
        known = {(version.model.key, version.version): version for version in found}
        _versions[workspace.pk] = (workspace.audit_length, known)
    return known


def version_of(versions: Mapping[tuple[str, str], ModelVersion], scored: Scored, known_at: datetime) -> ModelVersion:
    """Return the version that made a prediction, or refuse one that it can't have made."""
    version = versions.get((scored.model, scored.version))
    if version is None:
        raise Refusal(
            "unknown-model",
            f"There is no model {scored.model!r} with a version {scored.version!r}; declare it with apply, "
            "then send the row again",
            "/model",
        )
    model = version.model
    if model.task == Task.PROBABILITY and not 0 <= scored.score <= 1:
        raise Invalid("invalid-field", f"score == {scored.score}, a probability must be in [0, 1]", "/score")
    if abs(scored.score) >= LARGEST_SCORE:
        raise Invalid("invalid-field", f"score == {scored.score}, must be below {LARGEST_SCORE:.0e}", "/score")
    if scored.predicted_at > known_at + CLOCK_SKEW:
        raise Invalid(
            "newer-than-the-decision",
            f"predicted_at == {scored.predicted_at.isoformat()} is after {known_at.isoformat()}: "
            "a prediction and its features must be older than what is decided from them",
            "/predicted_at",
        )
    for name, kind in model.features.items():
        value = scored.features.get(name)
        if value is not None and not isinstance(value, TYPES[kind]):
            raise Invalid("invalid-field", f"feature {name} == {value!r}, must be a {kind}", f"/features/{name}")
    return version


def _built(
    versions: Mapping[tuple[str, str], ModelVersion], row: PredictionRow, known_at: datetime
) -> Prediction | Refusal:
    try:
        version = version_of(versions, row.scored(), known_at)
    except Refusal as refusal:
        return refusal
    return unsaved(
        Prediction,
        version=version,
        unit_id=row.unit_id,
        score=row.score,
        predicted_at=row.predicted_at,
        features=row.features,
        features_sha256=digest(row.features),
    )
