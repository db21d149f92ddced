"""Drift as a job: each day's scores and features beside the version's reference, stored for the pages."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice
from math import ceil
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Count
from django.db.models.functions import TruncDate

from predictions.drift import moved, quantiles, reference_end, referred
from predictions.models import ModelVersion, Prediction, ScoreDay, ScoreReference
from predictions.queue import start_of
from workspaces.models import Workspace
from workspaces.services.jobs import Attempt

# a day may still get predictions for so long
LATE = timedelta(days=7)
MOST_ROWS = 200_000
Writing = Callable[[], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True)
class Rows:
    """Scores and features of some predictions; of very many, every second, third ... one."""

    total: int
    scores: list[float]
    features: list[dict[str, Any]]

    def feature(self, name: str) -> list[Any]:
        return [one.get(name) for one in self.features]


def drift_job(attempt: Attempt) -> dict[str, Any]:
    """Bring the days of every version up to date."""
    before = date.fromisoformat(attempt.job.arguments["before"])
    versions = list(ModelVersion.objects.within(attempt.workspace).select_related("model", "reference"))
    days = 0
    for place, version in enumerate(versions):
        attempt.progress(place / len(versions), f"comparing {version}")
        days += measure_drift(version=version, workspace=attempt.workspace, before=before, writing=attempt.writing)
    return {"days": days}


def measure_drift(*, version: ModelVersion, workspace: Workspace, before: date, writing: Writing = nullcontext) -> int:
    """Measure the days before this one that are new, or may have got more predictions; return how many."""
    newest = ScoreDay.objects.within(workspace).filter(version=version).order_by("-on").first()
    reference = ScoreReference.objects.within(workspace).filter(version=version).first()
    days = _days(version, workspace, newest.on - LATE if newest and reference else None, before)
    if reference is None and (end := reference_end(days)) and end <= before:
        reference = _reference(version, workspace, days[0][0], end)
    measured = [_day(version, workspace, on, reference) for on, _ in days]
    with writing():
        if reference and reference._state.adding:
            reference.save()
        for day in measured:
            known = {"rows": day.rows, "quantiles": day.quantiles, "psi": day.psi, "by_chance": day.by_chance}
            ScoreDay.objects.update_or_create(
                workspace=workspace, version=version, on=day.on, defaults=known | {"features": day.features}
            )
    return len(measured)


def _days(version: ModelVersion, workspace: Workspace, since: date | None, before: date) -> list[tuple[date, int]]:
    """Days that have predictions, and how many."""
    found = Prediction.objects.within(workspace).filter(version=version, predicted_at__lt=start_of(before, workspace))
    if since:
        found = found.filter(predicted_at__gte=start_of(since, workspace))
    local = TruncDate("predicted_at", tzinfo=ZoneInfo(workspace.time_zone))
    return list(
        found.annotate(on=local).values("on").annotate(rows=Count("pk")).order_by("on").values_list("on", "rows")
    )


def _reference(version: ModelVersion, workspace: Workspace, since: date, until: date) -> ScoreReference:
    rows = _rows(version, workspace, since, until)
    names = sorted({name for features in rows.features for name in features} | set(version.model.features))
    return ScoreReference(
        workspace=workspace,
        version=version,
        since=since,
        until=until,
        rows=rows.total,
        score=referred(rows.scores),
        features={name: referred(rows.feature(name)) for name in names},
    )


def _day(version: ModelVersion, workspace: Workspace, on: date, reference: ScoreReference | None) -> ScoreDay:
    rows = _rows(version, workspace, on, on + timedelta(days=1))
    day = ScoreDay(version=version, on=on, rows=rows.total, quantiles=quantiles(rows.scores))
    if reference and on >= reference.until:
        found = moved(rows.scores, reference.score)
        day.psi, day.by_chance = found["psi"], found["by_chance"]
        day.features = {name: moved(rows.feature(name), against) for name, against in reference.features.items()}
    return day


def _rows(version: ModelVersion, workspace: Workspace, since: date, until: date) -> Rows:
    found = Prediction.objects.within(workspace).filter(
        version=version,
        predicted_at__gte=start_of(since, workspace),
        predicted_at__lt=start_of(until, workspace),
    )
    total = found.count()
    every = max(1, ceil(total / MOST_ROWS))
    values = list(
        islice(found.order_by("predicted_at", "pk").values_list("score", "features").iterator(), 0, None, every)
    )
    return Rows(total, [score for score, _ in values], [features for _, features in values])
