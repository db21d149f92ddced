"""A first call that works: with this key, against what this workspace has declared."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
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
    call = call_of(key.workspace, key.scopes, key.prefix)
    return "" if call is None else curl(site, secret, *call)


def curl(site: str, secret: str, path: str, body: Any = None) -> str:
    """A call of the API as it is typed into a shell; a secret with a dollar is a variable of the shell."""
    header = f'-H "Authorization: Bearer {secret}"'
    lines = [f"curl {shlex.quote(f'{site}/api/v1{path}')}", header]
    if body is not None:
        lines += [
            '-H "Content-Type: application/json"',
            f"-d {shlex.quote(json.dumps(body, ensure_ascii=False, indent=2))}",
        ]
    return " \\\n  ".join(lines)


def call_of(workspace: Workspace, scopes: Sequence[str], event_id: str) -> tuple[str, Any] | None:
    """Path and body of a call that works with what this workspace has declared."""
    now = clock.now(workspace).isoformat(timespec="seconds")
    row: dict[str, Any] = {"source": "curl", "event_id": event_id, "unit_id": UNIT}
    if "decide" in scopes and (point := _point(workspace)):
        scored = _scored(_version(workspace, point.model), now)
        cluster = {"cluster_id": "example"} if point.cluster else {}
        return "/decisions", row | cluster | {"decision_point": point.key, "prediction": scored}
    if "predict" in scopes and (version := _version(workspace)):
        return "/predictions", {"predictions": [row | _scored(version, now)]}
    if "read" in scopes:
        return "/experiments", None
    if "log" in scopes:
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
