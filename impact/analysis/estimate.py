"""From moments to a comparison: the estimator that the design asks for, and the family it is read in."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from scipy import special

from impact.agreements.plan import Plan
from impact.analysis.measure import Family
from impact.analysis.methods import Comparison, Data, lift_of
from impact.stats.adjustment import lin
from impact.stats.clusters import cr2
from impact.stats.effects import Effect, NotEstimable, TEffect, difference
from impact.stats.moments import Contrast, MomentTable
from impact.stats.multiplicity import adjusted_level, holm
from impact.stats.ratios import ratio
from impact.stats.sequences import always_valid

# before so many rows in an arm the reading of any day is only roughly right
BURN_IN = 50


def comparison_block(
    plan: Plan, family: Family, comparison: Comparison, contrast: Contrast, per: Contrast | None = None
) -> dict[str, Any]:
    """Figures of a comparison with its lift, its always-valid and its adjusted reading."""
    block = figures(plan, comparison)
    effect = comparison.effect
    if isinstance(effect, NotEstimable):
        return block
    arm, baseline = comparison.arm, comparison.baseline
    relative = lift_of(data_of(family), comparison, contrast, 1 - plan.alpha, per)
    block["lift"] = relative.estimate if relative else None
    block["lift_ci"] = interval_ends(relative.set.bounds) if relative and relative.set.kind == "interval" else None
    block["rows_needed"] = _rows_needed(plan, family.table, effect, arm, baseline)
    block["always_valid"] = _always_valid(plan, family.table, effect, arm, baseline)
    block["adjusted"] = _adjusted(plan, family, contrast, per, effect, arm, baseline)
    return block


def figures(plan: Plan, comparison: Comparison) -> dict[str, Any]:
    effect = comparison.effect
    choice = comparison.choice
    block: dict[str, Any] = {
        "arm": comparison.arm,
        "baseline": comparison.baseline,
        "method_reason": choice.reason,
        "warnings": list(choice.warnings),
    }
    if isinstance(effect, NotEstimable):
        empty = dict.fromkeys(
            ("effect", "se", "df", "ci", "p_value", "p_gt_0", "p_adjusted", "ci_adjusted", "lift", "lift_ci", "method")
        )
        return block | {"status": "not_estimable", "reason": effect.reason} | empty
    p = effect.p_value()
    return block | {
        "status": "estimated",
        "reason": None,
        "effect": effect.estimate,
        "se": effect.se,
        "df": finite(getattr(effect, "df", None)),
        "ci": list(effect.interval(1 - plan.alpha)),
        "p_value": finite(p),
        "p_gt_0": effect.chance_above(),
        "p_adjusted": None,
        "ci_adjusted": None,
        "method": effect.method,
        "beside": [
            {
                "method": other.method,
                "effect": other.estimate,
                "se": other.se,
                "ci": interval_ends(other.interval(1 - plan.alpha)),
                "p_value": finite(other.p_value()),
            }
            for other in comparison.beside
        ],
        "_effect": effect,
    }


def adjust_by_holm(plan: Plan, name: str, blocks: Sequence[dict[str, Any]]) -> None:
    """Adjust the p-values of one family, and give the interval that agrees with each in sign."""
    for block in blocks:
        block["family"] = {"name": name, "comparisons": len(blocks), "correction": "holm"}
    with_p = [block for block in blocks if block["p_value"] is not None]
    for block, adjusted in zip(with_p, holm([block["p_value"] for block in with_p]), strict=True):
        level = adjusted_level(plan.alpha, block["p_value"], adjusted)
        block["p_adjusted"] = adjusted
        block["ci_adjusted"] = list(block.pop("_effect").interval(level))
    for block in blocks:
        block.pop("_effect", None)


def estimator(plan: Plan, family: Family, arm: str, baseline: str) -> Callable[[Contrast], TEffect | NotEstimable]:
    """What turns a linear combination of columns into its effect, by the design."""
    sums = family.sums
    if plan.clustered and sums is not None:
        return lambda contrast: cr2(sums, contrast, arm, baseline)
    return lambda contrast: difference(family.table, contrast, arm, baseline)


def data_of(family: Family) -> Data:
    return Data(family.table, family.sums, family.rows, family.skews, len(family.covariates))


def strictest(plan: Plan) -> float:
    """Highest level that an interval of a family may need."""
    drivers = sum(metric.role == "driver" for metric in plan.metrics)
    return 1 - plan.alpha / (len(plan.pairs) * max(1, drivers))


def _always_valid(plan: Plan, table: MomentTable, effect: Effect, arm: str, baseline: str) -> dict[str, Any] | None:
    """The reading that may be taken any day, tightest where the plan ends."""
    if plan.case.rows_per_arm is None or not effect.se:
        return None
    now = min(sample.n for name in (arm, baseline) if (sample := table.of_arm(name)))
    planned_se = effect.se * math.sqrt(now / plan.case.rows_per_arm)
    anytime = always_valid(effect, planned_se, 1 - plan.alpha)
    early = [f"{now} rows in an arm, fewer than {BURN_IN}: only roughly right"] if now < BURN_IN else []
    return {"ci": list(anytime.interval), "p_value": anytime.p_value, "warnings": early}


def _rows_needed(plan: Plan, table: MomentTable, effect: Effect, arm: str, baseline: str) -> int | None:
    """Rows an arm with which an effect of this size would be proven with the planned power."""
    if not effect.estimate or not effect.se:
        return None
    now = min(sample.n for name in (arm, baseline) if (sample := table.of_arm(name)))
    alpha = plan.alpha / len(plan.pairs)
    distance = float(special.ndtri(1 - alpha / 2) + special.ndtri(plan.power))
    return math.ceil(now * (distance * effect.se / effect.estimate) ** 2)


def _adjusted(
    plan: Plan,
    family: Family,
    contrast: Contrast,
    per: Contrast | None,
    effect: Effect,
    arm: str,
    baseline: str,
) -> dict[str, Any] | None:
    """The figure adjusted by what was known before; beside the other, never instead."""
    if not family.covariates or plan.clustered:
        return None
    if per:
        adjusted = ratio(family.table, contrast, per, arm, baseline, family.covariates)
    else:
        adjusted = lin(family.table, contrast, family.covariates, arm, baseline)
    if isinstance(adjusted, NotEstimable):
        return {"method": "lin", "effect": None, "se": None, "ci": None, "variance_reduction": None,
                "reason": adjusted.reason}  # fmt: skip
    return {
        "method": "lin",
        "effect": adjusted.estimate,
        "se": adjusted.se,
        "df": finite(adjusted.df),
        "ci": list(adjusted.interval(1 - plan.alpha)),
        "p_value": finite(adjusted.p_value()),
        "variance_reduction": 1 - (adjusted.se / effect.se) ** 2 if effect.se else None,
        "reason": None,
    }


def interval_ends(bounds: Sequence[float]) -> list[float] | None:
    return list(bounds) if all(map(math.isfinite, bounds)) else None


def finite(number: float | None) -> float | None:
    return number if number is not None and math.isfinite(number) else None
