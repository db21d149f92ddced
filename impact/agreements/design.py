"""The part of a plan that an experiment's design says."""

from __future__ import annotations

from typing import Any

from experiments.models import Action, Arm, Experiment
from experiments.setup import actions_of
from impact.agreements.plan import PlannedArm


def design_of(experiment: Experiment) -> dict[str, Any]:
    """Return what a plan says of an experiment's design: as it is now, with the weights that it started with."""
    first = experiment.phases.first()
    weights = first.weights if first else {}
    arms = experiment.arms.select_related("action", "policy").order_by("place")
    return {
        "arms": [_planned(experiment, arm, weights.get(arm.key, arm.weight)) for arm in arms],
        "horizon_days": experiment.horizon_days,
        "covariates": experiment.covariates,
        "bands": [label for part in experiment.strata if isinstance(part, dict) for label in _ascending(part)],
        "clustered": experiment.in_clusters,
        "episodes": experiment.randomizes == Experiment.Key.EPISODE,
    }


def _planned(experiment: Experiment, arm: Arm, weight: int) -> PlannedArm:
    return PlannedArm(
        key=arm.key,
        name=str(arm),
        is_baseline=arm.is_baseline,
        weight=weight,
        planned_cost=_cost_of_policy(experiment, arm) if arm.policy else arm.action.planned_cost if arm.action else 0.0,
        contingent=arm.action.contingent_cost * arm.action.acceptance_share if arm.action else 0.0,
        policy=f"{arm.policy.key}@{arm.policy.version}" if arm.policy else "",
        kind=arm.policy.kind if arm.policy else "",
    )


def _cost_of_policy(experiment: Experiment, arm: Arm) -> float:
    """What a policy costs at most: nobody knows beforehand how often it takes which action."""
    assert experiment.decision_point is not None
    given = actions_of(arm, experiment.decision_point)
    actions = Action.objects.within(experiment.workspace).current().filter(key__in=given)
    return max((action.planned_cost for action in actions), default=0.0)


def _ascending(stratum: dict[str, Any]) -> list[str]:
    bands = stratum.get("score", {})
    return sorted(bands, key=lambda label: bands[label])
