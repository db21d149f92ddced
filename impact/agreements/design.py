"""The part of a plan that an experiment's design says."""

from __future__ import annotations

from typing import Any

from experiments.models import Experiment
from impact.agreements.plan import PlannedArm


def design_of(experiment: Experiment) -> dict[str, Any]:
    """Return what a plan says of an experiment's design: as it is now, with the weights that it started with."""
    first = experiment.phases.first()
    weights = first.weights if first else {}
    return {
        "arms": [
            PlannedArm(
                key=arm.key,
                name=str(arm),
                is_baseline=arm.is_baseline,
                weight=weights.get(arm.key, arm.weight),
                planned_cost=arm.action.planned_cost if arm.action else 0.0,
            )
            for arm in experiment.arms.select_related("action").order_by("place")
        ],
        "horizon_days": experiment.horizon_days,
        "covariates": experiment.covariates,
        "bands": [label for part in experiment.strata if isinstance(part, dict) for label in _ascending(part)],
        "episodes": experiment.randomizes == Experiment.Key.EPISODE,
    }


def _ascending(stratum: dict[str, Any]) -> list[str]:
    bands = stratum.get("score", {})
    return sorted(bands, key=lambda label: bands[label])
