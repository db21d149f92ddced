"""Models with everything that pages show of them, put down as the jobs would have."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np

from experiments.models import Experiment
from experiments.selectors import experiment_named
from impact.analysis.calibration import of_probabilities
from impact.analysis.models import Analysis, Calibration, Snapshot
from predictions.drift import referred
from predictions.models import ModelVersion, PredictionModel, ScoreDay, ScoreReference
from tests.conftest import START
from workspaces import clock
from workspaces.models import Workspace

FIRST = START.date()
STEADY = (0.03, 0.05, 0.04, 0.06)


def judged_model(
    workspace: Workspace, key: str, psi: tuple[float, ...] = STEADY, content: dict[str, Any] | None = None
) -> ModelVersion:
    """A model with a live version, eleven days of scores and a calibration."""
    declared = {"name": key.title(), "task": "probability", "target": "leaves", "horizon_days": 90, "monthly_cost": 400}
    model, _ = PredictionModel.objects.get_or_create(
        workspace=workspace, key=key, defaults=declared | {"unit_type": "customer"}
    )
    version, _ = ModelVersion.objects.get_or_create(workspace=workspace, model=model, version="1")
    furnish(version, psi)
    judge(version, content)
    return version


def furnish(version: ModelVersion, psi: tuple[float, ...] = STEADY) -> None:
    """A week of reference, and a day for each index."""
    workspace = version.workspace
    clock.advance(workspace, START + timedelta(days=11))
    ScoreReference.objects.create(
        workspace=workspace, version=version, since=FIRST, until=FIRST + timedelta(days=7), rows=1400,
        score=referred([0.1, 0.2]), features={"tenure": referred([1.0, 2.0])},
    )  # fmt: skip
    for day, index in enumerate([None] * 7 + list(psi)):
        compared = {} if index is None else {"tenure": {"psi": index / 2, "by_chance": 0.1}}
        ScoreDay.objects.create(
            workspace=workspace, version=version, on=FIRST + timedelta(days=day), rows=200 + day,
            quantiles=[0.05, 0.15, 0.25 + day / 100, 0.4, 0.7], psi=index,
            by_chance=None if index is None else 0.1, features=compared,
        )  # fmt: skip


def judge(version: ModelVersion, content: dict[str, Any] | None = None) -> None:
    """A calibration of an analysis that says nothing else."""
    workspace = version.workspace
    experiment = _experiment(workspace)
    now = START + timedelta(days=10)
    snapshot = Snapshot.objects.create(
        workspace=workspace, experiment=experiment, as_of=now, sha256=version.pk.hex, manifest={}, created_at=now
    )
    analysis = Analysis.objects.create(
        workspace=workspace, experiment=experiment, snapshot=snapshot, plan_sha256="", code_version="", seed=1,
        as_of=now, final=False, mature=0, assigned=0, document={}, sha256="", created_at=now,
    )  # fmt: skip
    content = content or measured()
    Calibration.objects.create(
        workspace=workspace, version=version, analysis=analysis, as_of=now, rows=content["rows"],
        content=content | {"metric": "churn", "name": "Churn", "horizon_days": 90},
    )  # fmt: skip


def measured(rows: int = 1000, factor: float = 1.0) -> dict[str, Any]:
    """What is measured where scores are right, or too high by a factor."""
    rng = np.random.default_rng(5)
    true = rng.beta(2, 5, rows)
    happened = (rng.random(rows) < true).astype(float)
    found = of_probabilities(np.minimum(1, factor * true).tolist(), happened.tolist(), [str(n) for n in range(rows)])
    return found | {"held_out": 40, "acted_on": 3, "unknown": 0}


def _experiment(workspace: Workspace) -> Experiment:
    if not Experiment.objects.within(workspace).filter(key="judging").exists():
        Experiment.objects.create(
            workspace=workspace, key="judging", name="Judging", salt="j", traffic_salt="k", created_at=START,
            origin="loaded",
        )  # fmt: skip
    return experiment_named(workspace, "judging")
