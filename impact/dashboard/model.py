"""What the pages and the API say of models: versions, volume, drift, how right they were, and who decides by them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import OuterRef, Subquery, Sum

from experiments.models import DecisionPoint
from impact.analysis.models import Calibration
from impact.figures.forms import Forms
from impact.figures.model import (
    Day,
    calibration_figure,
    days_figure,
    discrimination,
    drift_figure,
    refusal,
    stability_chip,
)
from predictions.models import ModelVersion, PredictionModel, ScoreDay, ScoreReference, Stage
from predictions.selectors import model_named
from workspaces import clock
from workspaces.errors import Missing
from workspaces.models import Workspace

SHOWN_DAYS = 90
VOLUME_DAYS = 7


class Newest(NamedTuple):
    """What is known last of a version."""

    day: ScoreDay | None
    calibration: Calibration | None


def model_rows(workspace: Workspace, language: str) -> list[dict[str, Any]]:
    """Every model, by name."""
    forms = Forms(language)
    models = list(PredictionModel.objects.within(workspace).prefetch_related("versions").order_by("name", "key"))
    known = newest(workspace, (version for model in models for version in model.versions.all()))
    volumes, points = _volumes(workspace), points_of(workspace)
    rows = []
    for model in models:
        versions = by_stage(model)
        live = [version for version in versions if version.stage == Stage.LIVE]
        last = [known[version.pk] for version in live or versions]
        day = next((one.day for one in last if one.day), None)
        calibration = next((one.calibration for one in last if one.calibration), None)
        rows.append(
            {
                "model": model,
                "live": ", ".join(version.version for version in live),
                "volume": forms.number(sum(volumes[version.pk] for version in versions)),
                "last": max((one.day.on for one in last if one.day), default=None),
                "drift": stability_chip(day.psi, day.by_chance, forms) if day else None,
                "judged": _judged(calibration, forms),
                "cost": _cost(model, workspace, forms),
                "points": points[model.pk],
            }
        )
    return rows


def model_page(workspace: Workspace, key: str, wanted: str | None, language: str) -> dict[str, Any]:
    """One model, seen through one of its versions: the one asked for, else the live one."""
    model = model_named(workspace, key)
    forms = Forms(language)
    versions = by_stage(model)
    known = newest(workspace, versions)
    volumes = _volumes(workspace)
    page: dict[str, Any] = {
        "model": model,
        "cost": _cost(model, workspace, forms),
        "points": points_of(workspace)[model.pk],
        "volume": forms.number(sum(volumes[version.pk] for version in versions)),
        "versions": [
            {
                "version": version,
                "metrics": [f"{name} {forms.number(value, 3)}" for name, value in version.offline_metrics.items()],
                "drift": stability_chip(day.psi, day.by_chance, forms) if day else None,
                "judged": _judged(calibration, forms),
            }
            for version in versions
            for day, calibration in [known[version.pk]]
        ],
    }
    shown = _shown(model, versions, wanted)
    return page if shown is None else page | _version(workspace, shown, known[shown.pk].calibration, forms)


def shown_version(workspace: Workspace, key: str, wanted: str | None) -> ModelVersion:
    """The version that a model's page shows."""
    model = model_named(workspace, key)
    shown = _shown(model, by_stage(model), wanted)
    if shown is None:
        raise Missing("version of", key)
    return shown


def days_of(version: ModelVersion) -> list[ScoreDay]:
    """The version's last days, in order."""
    return list(version.days.order_by("-on")[:SHOWN_DAYS])[::-1]


def newest(workspace: Workspace, versions: Iterable[ModelVersion]) -> dict[UUID, Newest]:
    """The newest day and judgement of each version."""
    day = ScoreDay.objects.filter(version=OuterRef("pk")).order_by("-on").values("pk")[:1]
    judged = Calibration.objects.filter(version=OuterRef("pk")).order_by("-as_of", "-rows").values("pk")[:1]
    found = ModelVersion.objects.within(workspace).annotate(day=Subquery(day), judged=Subquery(judged))
    days = {one.version_id: one for one in ScoreDay.objects.filter(pk__in=found.values("day"))}
    calibrations = Calibration.objects.filter(pk__in=found.values("judged")).select_related("analysis__experiment")
    by_version = {one.version_id: one for one in calibrations.defer("analysis__document")}
    return {version.pk: Newest(days.get(version.pk), by_version.get(version.pk)) for version in versions}


def points_of(workspace: Workspace) -> dict[UUID, list[str]]:
    """Keys of the decision points that decide from each model."""
    found: dict[UUID, list[str]] = defaultdict(list)
    for point in DecisionPoint.objects.within(workspace).current().order_by("key"):
        found[point.model_id].append(point.key)
    return found


def by_stage(model: PredictionModel) -> list[ModelVersion]:
    """Versions: live ones first, retired ones last, newer before older."""
    order = [Stage.LIVE, Stage.CANDIDATE, Stage.SHADOW, Stage.RETIRED]
    newer_first = sorted(model.versions.all(), key=lambda version: version.pk, reverse=True)
    return sorted(newer_first, key=lambda version: order.index(Stage(version.stage)))


def _shown(model: PredictionModel, versions: list[ModelVersion], wanted: str | None) -> ModelVersion | None:
    if wanted is None:
        return versions[0] if versions else None
    shown = next((version for version in versions if version.version == wanted), None)
    if shown is None:
        raise Missing(f"version of {model.key}", wanted)
    return shown


def _version(
    workspace: Workspace, version: ModelVersion, calibration: Calibration | None, forms: Forms
) -> dict[str, Any]:
    stored = days_of(version)
    reference = ScoreReference.objects.within(workspace).filter(version=version).first()
    days = [Day(one.on, one.rows, one.quantiles, one.psi, one.by_chance, one.features) for one in stored]
    content = calibration.content if calibration else None
    measured = content is not None and content["status"] == "measured"
    return {
        "shown": version,
        "reference": reference,
        "reference_last": reference and reference.until - timedelta(days=1),
        "days": days_figure(days, forms) if days else None,
        "drift": drift_figure(days, forms),
        "features": _features(days, forms),
        "calibration": calibration,
        "picture": calibration_figure(content, forms) if measured and content and "bins" in content else None,
        "figures": discrimination(content, forms) if measured and content else None,
        "refusal": refusal(content, forms),
    }


def _features(days: list[Day], forms: Forms) -> list[dict[str, Any]]:
    """The last day's index of each feature, the largest first."""
    if not days:
        return []
    found = sorted(days[-1].features.items(), key=lambda one: (-one[1]["psi"], one[0]))
    return [
        {"name": name, "chip": stability_chip(one["psi"], one["by_chance"], forms), "psi": forms.number(one["psi"], 3)}
        for name, one in found
    ]


def _volumes(workspace: Workspace) -> dict[UUID, int]:
    """Predictions of each version in the last seven whole days."""
    today = clock.now(workspace).astimezone(ZoneInfo(workspace.time_zone)).date()
    days = ScoreDay.objects.within(workspace).filter(on__gte=today - timedelta(days=VOLUME_DAYS), on__lt=today)
    found = days.values("version").annotate(sum=Sum("rows")).values_list("version", "sum")
    return defaultdict(int, found)


def _judged(calibration: Calibration | None, forms: Forms) -> dict[str, str] | None:
    if calibration is None:
        return None
    if calibration.content["status"] != "measured":
        return {"refused": calibration.content["reason"]}
    return discrimination(calibration.content, forms)


def _cost(model: PredictionModel, workspace: Workspace, forms: Forms) -> str:
    return "" if model.monthly_cost is None else forms.money(model.monthly_cost, workspace.currency, 0)
