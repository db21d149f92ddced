"""GET /experiments/{key}/results, and models with what is measured of them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import msgspec

from experiments.selectors import experiment_named
from impact.analysis.models import Calibration
from impact.analysis.selectors import newest_analysis
from impact.dashboard.model import by_stage, newest, points_of
from impact.figures.forms import LANGUAGES
from impact.figures.model import stability
from impact.figures.sentences import completed
from predictions.models import PredictionModel, ScoreDay
from predictions.selectors import model_named, models_of
from workspaces.errors import Missing, Refusal
from workspaces.models import Workspace
from workspaces.rest import Call


class DriftAnswer(msgspec.Struct):
    """The newest day of a version; ``psi`` and ``by_chance`` are null until there is a reference."""

    on: date
    predictions: int
    quantiles: list[float]
    psi: float | None
    by_chance: float | None
    reading: str
    features: dict[str, dict[str, float]]


class CalibrationAnswer(msgspec.Struct):
    """The newest judgement of a version on units that were left alone by chance."""

    experiment: str
    analysis_id: str
    as_of: datetime
    content: dict[str, Any]


class VersionAnswer(msgspec.Struct):
    version: str
    stage: str
    trained_at: datetime | None
    training_window: str
    offline_metrics: dict[str, float]
    drift: DriftAnswer | None
    calibration: CalibrationAnswer | None


class ModelAnswer(msgspec.Struct):
    key: str
    name: str
    task: str
    target: str
    horizon_days: float
    unit_type: str
    owner: str
    monthly_cost: float | None
    registry_url: str
    features: dict[str, str]
    decision_points: list[str]
    versions: list[VersionAnswer]


class ModelPage(msgspec.Struct):
    models: list[ModelAnswer]
    next: str | None


def get_results(call: Call) -> dict[str, Any]:
    """The newest document, said in English unless asked otherwise."""
    experiment = experiment_named(call.workspace, call.path["key"])
    analysis = newest_analysis(experiment, _time(call.query.get("as_of")))
    if analysis is None:
        raise Missing("analysis of", experiment.key)
    language = call.query.get("language", "en")
    if language not in LANGUAGES:
        raise Refusal("invalid-parameter", f"language == {language!r}, must be one of {', '.join(LANGUAGES)}")
    document = completed(analysis.document, language, (experiment.plan or {}).get("case"))
    if "segment" in call.query:
        by, _, value = call.query["segment"].partition(":")
        document["segments"] = [one for one in document["segments"] if (one["by"], one["value"]) == (by, value)]
        if not document["segments"]:
            raise Missing("segment", call.query["segment"])
    return document


def get_models(call: Call) -> ModelPage:
    found, following = models_of(call.workspace, call.query)
    return ModelPage(_model_answers(call.workspace, found), following)


def get_model(call: Call) -> ModelAnswer:
    return _model_answers(call.workspace, [model_named(call.workspace, call.path["key"])])[0]


def _model_answers(workspace: Workspace, models: list[PredictionModel]) -> list[ModelAnswer]:
    known = newest(workspace, (version for model in models for version in model.versions.all()))
    points = points_of(workspace)
    return [
        ModelAnswer(
            model.key,
            model.name,
            model.task,
            model.target,
            model.horizon_days,
            model.unit_type,
            model.owner,
            model.monthly_cost,
            model.registry_url,
            model.features,
            points[model.pk],
            [
                VersionAnswer(
                    version.version,
                    version.stage,
                    version.trained_at,
                    version.training_window,
                    version.offline_metrics,
                    _drift(known[version.pk].day),
                    _calibration(known[version.pk].calibration),
                )
                for version in by_stage(model)
            ],
        )
        for model in models
    ]


def _drift(day: ScoreDay | None) -> DriftAnswer | None:
    if day is None:
        return None
    reading = stability(day.psi, day.by_chance)
    return DriftAnswer(day.on, day.rows, day.quantiles, day.psi, day.by_chance, reading, day.features)


def _calibration(found: Calibration | None) -> CalibrationAnswer | None:
    if found is None:
        return None
    return CalibrationAnswer(found.analysis.experiment.key, str(found.analysis_id), found.as_of, found.content)


def _time(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        # a plus sign in a query arrives as a blank
        at = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise Refusal(
            "invalid-parameter", f"as_of == {text!r}, must be a time with its zone, like 2026-01-31T12:00:00Z"
        )
    return at
