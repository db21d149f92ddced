"""Drift as a job: asked for once a day, measured day by day against the version's first week."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from experiments.models import Experiment
from predictions.drift import moved, referred
from predictions.jobs import measure_drift
from predictions.models import ModelVersion, Prediction, ScoreDay, ScoreReference
from predictions.queue import enqueue_due_drift
from tests.conftest import START, declared_churn
from workspaces import clock
from workspaces.canonical import digest
from workspaces.models import Job, Workspace

DAY = timedelta(days=1)
FIRST = START.date()


def scored(version: ModelVersion, at: datetime, scores: Any, **features: Any) -> None:
    """Store predictions of one moment, as many as there are scores."""
    already = Prediction.objects.count()
    Prediction.objects.bulk_create(
        Prediction(
            workspace=version.workspace, source="test", event_id=str(already + place), digest=digest(place),
            received_at=at, version=version, unit_id=f"c{place}", score=float(score), predicted_at=at,
            features=features, features_sha256=digest(features),
        )
        for place, score in enumerate(scores)
    )  # fmt: skip


@pytest.fixture
def version(churn: Experiment) -> ModelVersion:
    return ModelVersion.objects.select_related("model", "workspace").get()


def measure(version: ModelVersion, before: date) -> int:
    return measure_drift(version=version, workspace=version.workspace, before=before)


def eight_days(version: ModelVersion, shift: float = 0.0) -> None:
    """A week of two hundred predictions a day, and one day more whose scores may be others."""
    rng = np.random.default_rng(3)
    for day in range(7):
        scored(version, START + day * DAY, rng.uniform(0.1, 0.5, 200), plan="basic", tenure=3.0)
    scored(version, START + 7 * DAY, rng.uniform(0.1, 0.5, 200) + shift, plan="basic", tenure=3.0)


def test_a_week_is_the_reference_and_the_next_day_is_compared(version: ModelVersion) -> None:
    eight_days(version)
    assert measure(version, FIRST + 8 * DAY) == 8
    reference = ScoreReference.objects.get()
    assert (reference.since, reference.until, reference.rows) == (FIRST, FIRST + 7 * DAY, 1400)
    assert set(reference.features) == {"plan", "tenure", "vip"}
    days = list(ScoreDay.objects.order_by("on"))
    assert [day.rows for day in days] == [200] * 8
    assert [day.psi for day in days[:7]] == [None] * 7
    scores = list(Prediction.objects.order_by("predicted_at", "pk").values_list("score", flat=True))
    by_hand = moved(scores[1400:], referred(scores[:1400]))
    assert (days[7].psi, days[7].by_chance) == (by_hand["psi"], by_hand["by_chance"])
    assert days[7].psi < 0.2
    assert days[7].features["plan"] == {"psi": 0.0, "by_chance": 0.0}
    assert days[0].quantiles == sorted(days[0].quantiles) and 0.1 < days[0].quantiles[2] < 0.5


def test_a_shift_is_seen_in_scores_and_features(version: ModelVersion) -> None:
    eight_days(version, shift=0.3)
    scored(version, START + 8 * DAY, [0.3] * 100, plan="plus", tenure=3.0)
    measure(version, FIRST + 9 * DAY)
    shifted, other = ScoreDay.objects.order_by("on")[7:9]
    assert shifted.psi > 0.2 and shifted.features["plan"]["psi"] == 0
    assert other.features["plan"]["psi"] > 0.2 and other.features["tenure"]["psi"] == 0


def test_measured_again_it_is_the_same(version: ModelVersion) -> None:
    eight_days(version)
    measure(version, FIRST + 8 * DAY)
    before = list(ScoreDay.objects.order_by("on").values("on", "rows", "psi", "features", "quantiles"))
    assert measure(version, FIRST + 8 * DAY) > 0
    assert list(ScoreDay.objects.order_by("on").values("on", "rows", "psi", "features", "quantiles")) == before
    assert ScoreReference.objects.count() == 1


def test_late_predictions_restate_their_day(version: ModelVersion) -> None:
    eight_days(version)
    measure(version, FIRST + 8 * DAY)
    scored(version, START + 7 * DAY, [0.9] * 100)
    measure(version, FIRST + 9 * DAY)
    day = ScoreDay.objects.get(on=FIRST + 7 * DAY)
    assert day.rows == 300 and day.psi > 0.2


def test_the_day_that_runs_is_not_measured(version: ModelVersion) -> None:
    eight_days(version)
    assert measure(version, FIRST + 7 * DAY) == 7
    assert measure(version, FIRST) == 0


def test_few_predictions_are_no_reference_yet(version: ModelVersion) -> None:
    for day in range(10):
        scored(version, START + day * DAY, [0.2, 0.3])
    assert measure(version, FIRST + 10 * DAY) == 10
    assert not ScoreReference.objects.exists()
    assert not ScoreDay.objects.exclude(psi=None).exists()


def test_days_are_those_of_the_workspace(version: ModelVersion) -> None:
    # 23:30 UTC is the next day in Berlin
    scored(version, datetime(2026, 1, 5, 23, 30, tzinfo=UTC), [0.2])
    assert measure(version, date(2026, 1, 6)) == 0
    assert measure(version, date(2026, 1, 7)) == 1
    assert ScoreDay.objects.get().on == date(2026, 1, 6)


def test_another_workspaces_predictions_are_left_out(version: ModelVersion, other_workspace: Workspace) -> None:
    declared_churn(other_workspace)
    theirs = ModelVersion.objects.within(other_workspace).select_related("model", "workspace").get()
    scored(theirs, START, [0.5] * 3)
    assert measure(version, FIRST + DAY) == 0
    assert measure(theirs, FIRST + DAY) == 1


def test_the_tick_asks_once_a_day(
    version: ModelVersion, workspace: Workspace, other_workspace: Workspace, drain: Callable[[], None]
) -> None:
    scored(version, START, [0.5] * 3)
    enqueue_due_drift()
    assert not Job.objects.exists()
    clock.advance(workspace, START + DAY)
    enqueue_due_drift()
    enqueue_due_drift()
    drain()
    job = Job.objects.get()
    assert (job.workspace, job.kind, job.key) == (workspace, "drift", f"before {FIRST + DAY}")
    assert (job.state, job.result, ScoreDay.objects.get().rows) == ("done", {"days": 1}, 3)
    clock.advance(workspace, START + 2 * DAY)
    enqueue_due_drift()
    assert Job.objects.count() == 1
