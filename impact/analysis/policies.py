"""What policies would have earned on the rows of an experiment, and the ladder from nothing to the model's policy."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from impact.agreements.plan import Plan
from impact.analysis.measure import NET, Chosen
from impact.analysis.value_statement import year_against
from impact.stats.effects import NotEstimable, TEffect, difference
from impact.stats.moments import Contrast
from impact.stats.off_policy import Array, Log, cross_fitted, doubly_robust, ips, overlap, snips
from impact.stats.policies import clustered_policies, clustered_random, policy_difference, random_difference

NOBODY = "nobody"
# how many folds' worth of rows the doubly robust reading needs at least
FOLDS = 5

Found = TEffect | NotEstimable


def policy_blocks(plan: Plan, chosen: Chosen | None, seed: int) -> list[dict[str, Any]]:
    """Every policy against nobody, the best score-free action and today's rule; its other readings beside."""
    blocks: list[dict[str, Any]] = []
    for policy in plan.policies:
        if chosen is None or policy.key not in chosen.policies:
            blocks.append(_block(plan, policy.key, NOBODY, "stratified", NotEstimable("not logged in every row"), None))
            continue
        for against in _opponents(plan, chosen, policy.key):
            mine, other = (_choices(plan, chosen, key) for key in (policy.key, against))
            log = _log(plan, chosen)
            sides = _probabilities(plan, chosen, mine), _probabilities(plan, chosen, other)
            headline: tuple[str, Found] = "stratified", _between(chosen, NET, mine, other)
            if isinstance(headline[1], NotEstimable):
                headline = "dr", _doubly_robust(plan, chosen, log, *sides, seed)
            readings = [headline, ("snips", snips(log, *sides)), ("ips", ips(log, *sides))]
            seen = overlap(log, sides[0])._asdict()
            blocks += [_block(plan, policy.key, against, name, found, seen) for name, found in readings]
    return blocks


def value_ladder(plan: Plan, chosen: Chosen | None) -> dict[str, Any] | None:
    """Nothing, a random action, the best single one for everybody, today's rule, the model's policy: net per row."""
    if chosen is None:
        return None
    best = best_single(plan, chosen)
    rungs = [_rung(plan, "nothing", plan.baseline.key, None, TEffect(0.0, 0.0, math.inf, "baseline"))]
    if any_action := _any_action(plan, chosen):
        rungs.append(_rung(plan, "random", None, None, any_action))
    rungs.append(_rung(plan, "best_single", best, None, _above_nobody(plan, chosen, best)))
    deployment, model = plan.deployment, None
    if deployment and deployment.todays_rule in chosen.policies:
        rule = str(deployment.todays_rule)
        rungs.append(_rung(plan, "todays_rule", None, rule, _above_nobody(plan, chosen, rule)))
    if deployment and deployment.deploys in chosen.policies:
        key = str(deployment.deploys)
        rungs.append(_rung(plan, "model", None, key, _above_nobody(plan, chosen, key)))
        worth = _between(chosen, NET, chosen.policies[key], _choices(plan, chosen, best))
        # what building and running it costs is charged against what it adds to the best action without a score
        model = _rung(plan, "model_value", best, key, worth) | {
            "year": None if isinstance(worth, NotEstimable) else year_against(plan, worth)
        }
    return {"rungs": rungs, "model": model}


def best_single(plan: Plan, chosen: Chosen) -> str:
    """The arm that does best with one action for everybody, the baseline included."""
    effects = {arm.key: _above_nobody(plan, chosen, arm.key) for arm in plan.arms if not arm.is_policy}
    found = {key: one.estimate for key, one in effects.items() if not isinstance(one, NotEstimable)}
    return max(found, key=lambda key: found[key]) if found else plan.baseline.key


def _any_action(plan: Plan, chosen: Chosen) -> Found | None:
    """What any eligible action earns: measured where that is an arm, else worked out from the arms of one action."""
    drawn = next((arm.key for arm in plan.arms if arm.kind == "random"), None)
    if drawn:
        return _above_nobody(plan, chosen, drawn)
    if plan.baseline.is_policy:
        return None
    single = [arm.key for arm in plan.arms if not arm.is_policy]
    if chosen.sums:
        return clustered_random(chosen.sums, NET, single, plan.baseline.key)
    return random_difference(chosen.table, NET, single, plan.baseline.key)


def of_policy(plan: Plan, chosen: Chosen, key: str, contrast: Contrast) -> Found:
    """What a policy earns above the baseline for everybody."""
    return _between(chosen, contrast, chosen.policies[key], _choices(plan, chosen, NOBODY))


def _between(chosen: Chosen, contrast: Contrast, policy: Mapping[str, str], against: Mapping[str, str]) -> Found:
    """Difference between two policies, with errors by what was drawn."""
    if chosen.sums:
        return clustered_policies(chosen.sums, contrast, policy, against)
    return policy_difference(chosen.table, contrast, policy, against)


def _above_nobody(plan: Plan, chosen: Chosen, key: str) -> Found:
    if key == plan.baseline.key:
        return TEffect(0.0, 0.0, math.inf, "baseline")
    if key in chosen.policies:
        return of_policy(plan, chosen, key, NET)
    if chosen.sums:
        return _between(chosen, NET, _choices(plan, chosen, key), _choices(plan, chosen, NOBODY))
    return difference(chosen.table, NET, key, plan.baseline.key)


def _opponents(plan: Plan, chosen: Chosen, key: str) -> list[str]:
    best = best_single(plan, chosen)
    found = [NOBODY, *([best] if best != plan.baseline.key else [])]
    rule = plan.deployment.todays_rule if plan.deployment else None
    return found + ([rule] if rule and rule != key and rule in chosen.policies else [])


def _choices(plan: Plan, chosen: Chosen, key: str) -> dict[str, str]:
    """Stratum -> arm of a policy, of nobody, or of one arm for everybody."""
    if key in chosen.policies:
        return chosen.policies[key]
    arm = plan.baseline.key if key == NOBODY else key
    return dict.fromkeys(sorted({cell.stratum for cell in chosen.table.cells}), arm)


def _log(plan: Plan, chosen: Chosen) -> Log:
    place = {arm.key: number for number, arm in enumerate(plan.arms)}
    actions = np.array([place[arm] for arm in chosen.arm], dtype=int)
    return Log.from_arrays(chosen.net, actions, chosen.propensity, chosen.cluster)


def _probabilities(plan: Plan, chosen: Chosen, choices: Mapping[str, str]) -> Array:
    place = {arm.key: number for number, arm in enumerate(plan.arms)}
    found = np.zeros((chosen.arm.size, len(plan.arms)))
    found[np.arange(chosen.arm.size), [place[choices[stratum]] for stratum in chosen.stratum]] = 1.0
    return found


def _doubly_robust(plan: Plan, chosen: Chosen, log: Log, policy: Array, against: Array, seed: int) -> Found:
    features = np.column_stack([policy, against, *chosen.covariates.T])
    predicted = cross_fitted(log, features, len(plan.arms), seed=seed, folds=FOLDS)
    return predicted if isinstance(predicted, NotEstimable) else doubly_robust(log, policy, predicted, against)


def _block(
    plan: Plan, key: str, against: str, estimator: str, found: Found, seen: Mapping[str, float] | None
) -> dict[str, Any]:
    deploys = plan.deployment.deploys if plan.deployment else None
    return {
        "policy": key,
        "against": against,
        "estimator": estimator,
        **_numbers(plan, found),
        "ess": seen and seen["effective_n"],
        "overlap": seen and {name: seen[name] for name in ("effective_share", "largest_weight", "mean_weight")},
        # what was signed to be used wasn't chosen for doing best
        "selected_on_same_data": key != deploys,
    }


def _rung(plan: Plan, rung: str, arm: str | None, policy: str | None, found: Found) -> dict[str, Any]:
    return {"rung": rung, "arm": arm, "policy": policy, **_numbers(plan, found)}


def _numbers(plan: Plan, found: Found) -> dict[str, Any]:
    if isinstance(found, NotEstimable):
        return {"status": "not_estimable", "reason": found.reason} | dict.fromkeys(
            ("effect", "se", "df", "ci", "p_value", "p_gt_0")
        )
    if not found.se:
        # the same choice in every row
        return {"status": "estimated", "reason": None, "effect": found.estimate, "se": 0.0, "df": None,
                "ci": [found.estimate] * 2, "p_value": None, "p_gt_0": None}  # fmt: skip
    return {
        "status": "estimated",
        "reason": None,
        "effect": found.estimate,
        "se": found.se,
        "df": found.df if math.isfinite(found.df) else None,
        "ci": list(found.interval(1 - plan.alpha)),
        "p_value": found.p_value(),
        "p_gt_0": found.chance_above(),
    }
