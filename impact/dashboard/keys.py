"""A first call that works: with this key, against what this workspace has declared."""

from __future__ import annotations

import json
import shlex
from typing import Any

from django.db.models import Case, When

from experiments.models import DecisionPoint
from predictions.models import ModelVersion, PredictionModel, Stage
from workspaces import clock
from workspaces.models import ApiKey, Workspace

FEATURES: dict[str, Any] = {"number": 1, "text": "text", "boolean": True}
UNIT = "example-1"


def example(key: ApiKey, secret: str, site: str) -> str:
    """A curl call that this key's scopes allow, or nothing if there is none to show."""
    call = _call(key)
    if call is None:
        return ""
    path, body = call
    lines = [f"curl {shlex.quote(f'{site}/api/v1{path}')}", f'-H "Authorization: Bearer {secret}"']
    if body is not None:
        lines += [
            '-H "Content-Type: application/json"',
            f"-d {shlex.quote(json.dumps(body, ensure_ascii=False, indent=2))}",
        ]
    return " \\\n  ".join(lines)


def _call(key: ApiKey) -> tuple[str, Any] | None:
    workspace = key.workspace
    now = clock.now(workspace).isoformat(timespec="seconds")
    row: dict[str, Any] = {"source": "curl", "event_id": key.prefix, "unit_id": UNIT}
    if "decide" in key.scopes and (point := _point(workspace)):
        scored = _scored(_version(workspace, point.model), now)
        cluster = {"cluster_id": "example"} if point.cluster else {}
        return "/decisions", row | cluster | {"decision_point": point.key, "prediction": scored}
    if "predict" in key.scopes and (version := _version(workspace)):
        return "/predictions", {"predictions": [row | _scored(version, now)]}
    if "read" in key.scopes:
        return "/experiments", None
    if "log" in key.scopes:
        return "/outcomes", {"outcomes": [row | {"type": "example", "value": 1, "occurred_at": now}]}
    return None


def _scored(version: ModelVersion, now: str) -> dict[str, Any]:
    features = {name: FEATURES[kind] for name, kind in version.model.features.items()}
    return {
        "model": version.model.key, "version": version.version, "score": 0.5, "predicted_at": now, "features": features,
    }  # fmt: skip


def _point(workspace: Workspace) -> Any:
    """The newest decision point whose model has a version to decide by."""
    points = DecisionPoint.objects.within(workspace).current().filter(model__versions__isnull=False)
    return points.select_related("model").order_by("-pk").first()


def _version(workspace: Workspace, model: PredictionModel | None = None) -> Any:
    """The newest version, of this model if one is given; one that is live before any other."""
    versions = ModelVersion.objects.within(workspace).filter(**({"model": model} if model else {}))
    live = Case(When(stage=Stage.LIVE, then=0), default=1)
    return versions.select_related("model").order_by(live, "-pk").first()
