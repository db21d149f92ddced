"""The money in the results document: value, cost, net and return of every comparison."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from impact.agreements.plan import MONEY, Plan
from impact.analysis.coarser import by_clusters
from impact.analysis.estimate import comparison_block, data_of, estimator, figures, finite, strictest
from impact.analysis.knowing import exploration
from impact.analysis.measure import NET, Family, Measured
from impact.analysis.methods import compared
from impact.analysis.take_up import among_takers
from impact.analysis.value_statement import flips
from impact.stats.beliefs import expected_loss
from impact.stats.effects import NotEstimable, TEffect
from impact.stats.moments import MomentTable
from impact.stats.roi import Roi, roi


def money_block(plan: Plan, measured: Measured, seed: int) -> dict[str, Any]:
    """Value, cost, net and ROI of every comparison, p-values not yet adjusted."""
    family = measured.families[MONEY]
    arms = [_money_arm(family.table, arm.key) for arm in plan.arms]
    comparisons = [
        _money_comparison(plan, family, arm, baseline, seed)
        | {
            "by_clusters": by_clusters(plan, measured.coarser, ("", ""), NET, arm, baseline),
            "cace": among_takers(plan, measured.taken, arm, baseline),
        }
        for arm, baseline in plan.pairs
    ]
    explored = exploration(arms, comparisons, plan.baseline.key)
    return {"currency": plan.currency, "arms": arms, "comparisons": comparisons, "exploration": explored}


def _money_comparison(plan: Plan, family: Family, arm: str, baseline: str, seed: int) -> dict[str, Any]:
    estimate, data = estimator(plan, family, arm, baseline), data_of(family)
    blocks = {}
    for name, contrast in (("value", {"value": 1.0}), ("cost", {"cost": 1.0}), ("net", dict(NET))):
        found = compared(data, "mean", contrast, arm, baseline, level=strictest(plan), seed=seed)
        exact = estimate(contrast)
        if name != "net" and isinstance(exact, TEffect) and not exact.se:
            # a cost that never varies is known, with nothing to test
            found = replace(found, effect=exact, beside=())
        blocks[name] = found
    net = blocks["net"]
    net_block = comparison_block(plan, family, net, NET)
    if isinstance(net.effect, NotEstimable):
        net_block["expected_loss"] = None
    else:
        net_block["expected_loss"] = finite(expected_loss(net.effect, getattr(net.effect, "df", math.inf)))
    parts = {name: figures(plan, blocks[name]) for name in ("value", "cost")}
    for part in parts.values():
        part.pop("_effect", None)
    returned = _roi_block(plan, roi(estimate, 1 - plan.alpha, plan.target_roi))
    # the set comes from t, whatever the method of the net value
    few = net.choice.method == "randomization"
    returned["warnings"] = [*net.choice.warnings, *([f"{net.choice.reason}: holds for normal rows"] if few else [])]
    return {
        "arm": arm,
        "baseline": baseline,
        **parts,
        "net": net_block,
        "total": _total(family.table, arm, parts, net_block),
        "break_even": _break_even(plan, parts["cost"]),
        "flips": flips(plan, estimate),
        "roi": returned,
    }


def _total(table: MomentTable, arm: str, blocks: Mapping[str, Any], net: Mapping[str, Any]) -> dict[str, Any] | None:
    """Money moved by the rows that were treated."""
    if any(block["effect"] is None for block in (net, blocks["value"], blocks["cost"])):
        return None
    n = table.arm_sample(arm, NET).n
    return {
        "n": n,
        "value": n * blocks["value"]["effect"],
        "cost": n * blocks["cost"]["effect"],
        "net": n * net["effect"],
        "net_ci": [n * end for end in net["ci"]],
    }


def _break_even(plan: Plan, cost: Mapping[str, Any]) -> dict[str, Any] | None:
    """How far the driver must move, in its good direction, to pay for the extra cost."""
    if plan.break_even is None or cost["effect"] is None:
        return None
    return {"effect": cost["effect"] / abs(plan.break_even.times), "metric": plan.break_even.metric}


def _roi_block(plan: Plan, found: Roi | NotEstimable) -> dict[str, Any]:
    if isinstance(found, NotEstimable):
        return {"status": "not_defined", "reason": found.reason, "point": None, "set": None, "p_above_target": None,
                "quadrants": None}  # fmt: skip
    return {
        "status": found.status,
        "reason": None,
        "point": found.point,
        "set": {"kind": found.set.kind, "bounds": list(found.set.bounds)},
        "g": finite(found.g),
        "target": plan.target_roi,
        "p_above_target": found.p_above_target,
        "quadrants": found.quadrants._asdict(),
    }


def _money_arm(table: MomentTable, arm: str) -> dict[str, Any]:
    names = {"value": {"value": 1.0}, "cost": {"cost": 1.0}, "net": NET}
    samples = {name: table.arm_sample(arm, contrast) for name, contrast in names.items()}
    n = samples["net"].n
    means = {name: sample.mean if n else None for name, sample in samples.items()}
    return {
        "arm": arm,
        "n": n,
        **means,
        "total": {name: sample.mean * n if n else 0.0 for name, sample in samples.items()},
    }
