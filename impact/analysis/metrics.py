"""One metric in the results document: its arms and its comparisons."""

from __future__ import annotations

from typing import Any, Literal

from impact.agreements.plan import Plan, PlannedMetric
from impact.analysis.estimate import comparison_block, data_of, strictest
from impact.analysis.measure import Family
from impact.analysis.methods import compared
from impact.stats.effects import Effect, NotEstimable
from impact.stats.margins import non_inferiority
from impact.stats.moments import Contrast, MomentTable


def metric_block(plan: Plan, metric: PlannedMetric, family: Family, seed: int) -> dict[str, Any]:
    """Everything about one metric, p-values not yet adjusted."""
    contrast, per = fraction(metric, family)
    comparisons = []
    for arm, baseline in plan.pairs:
        comparison = compared(
            data_of(family), metric.kind, contrast, arm, baseline, level=strictest(plan), seed=seed, per=per
        )
        block = comparison_block(plan, family, comparison, contrast, per)
        block["non_inferiority"] = _non_inferiority(plan, metric, comparison.effect)
        comparisons.append(block)
    return {
        "key": metric.key,
        "name": metric.name,
        "kind": metric.kind,
        "role": metric.role,
        "direction": metric.direction,
        "unit": metric.unit,
        "arms": [_arm_block(family.table, arm.key, contrast, per) for arm in plan.arms],
        "comparisons": comparisons,
    }


def fraction(metric: PlannedMetric, family: Family) -> tuple[Contrast, Contrast | None]:
    """What a metric is, and of a ratio what it is per."""
    return {family.columns[0]: 1.0}, {family.columns[1]: 1.0} if metric.per else None


def _non_inferiority(plan: Plan, metric: PlannedMetric, effect: Effect | NotEstimable) -> dict[str, Any] | None:
    """Whether a metric stayed within the margin that it has."""
    if metric.margin is None or isinstance(effect, NotEstimable):
        return None
    better: Literal["more", "less"] = "more" if metric.direction == "increase" else "less"
    found = non_inferiority(effect, metric.margin, better, 1 - plan.alpha)
    return {"margin": metric.margin, **found._asdict()}


def _arm_block(table: MomentTable, arm: str, contrast: Contrast, per: Contrast | None = None) -> dict[str, Any]:
    """An arm's mean; of a ratio the ratio of its sums, which rows have no variance of."""
    sample = table.arm_sample(arm, contrast)
    if not sample.n:
        return {"arm": arm, "n": 0, "mean": None, "variance": None, "total": None}
    if per:
        below = table.arm_sample(arm, per).mean
        mean = sample.mean / below if below else None
        return {"arm": arm, "n": sample.n, "mean": mean, "variance": None, "total": sample.mean * sample.n}
    return {
        "arm": arm,
        "n": sample.n,
        "mean": sample.mean,
        "variance": sample.variance if sample.n > 1 else None,
        "total": sample.mean * sample.n,
    }
