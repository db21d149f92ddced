"""From moments to comparisons: one estimator for each metric, chosen by the design, and the family it is read in."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from scipy import special

from impact.agreements.plan import MONEY, Plan, PlannedMetric
from impact.analysis.coarser import by_clusters
from impact.analysis.knowing import exploration
from impact.analysis.measure import NET, Family, Measured
from impact.analysis.methods import Comparison, Data, compared, lift_of
from impact.analysis.take_up import among_takers
from impact.analysis.value_statement import flips
from impact.stats.adjustment import lin
from impact.stats.beliefs import expected_loss
from impact.stats.clusters import cr2
from impact.stats.effects import Effect, NotEstimable, TEffect, difference
from impact.stats.margins import non_inferiority
from impact.stats.moments import Contrast, MomentTable
from impact.stats.multiplicity import adjusted_level, benjamini_hochberg, holm
from impact.stats.ratios import ratio
from impact.stats.roi import Roi, roi
from impact.stats.sequences import always_valid

# before so many rows in an arm the reading of any day is only roughly right
BURN_IN = 50


def metric_block(plan: Plan, metric: PlannedMetric, family: Family, seed: int) -> dict[str, Any]:
    """Everything about one metric, p-values not yet adjusted."""
    contrast, per = fraction(metric, family)
    comparisons = []
    for arm, baseline in plan.pairs:
        comparison = compared(
            _data(family), metric.kind, contrast, arm, baseline, level=_strictest(plan), seed=seed, per=per
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


def segment_blocks(plan: Plan, measured: Measured) -> list[dict[str, Any]]:
    """The primary figure in every value of every segment, false discoveries controlled within a segment."""
    name = MONEY if plan.net else plan.primary.key if plan.primary else None
    if name is None or plan.clustered:
        return []
    family = measured.families[name]
    contrast, per, kind = NET, None, "mean"
    if not plan.net and plan.primary:
        (contrast, per), kind = fraction(plan.primary, family), plan.primary.kind
    blocks: list[dict[str, Any]] = []
    for segment, tables in family.segments.items():
        found: list[dict[str, Any]] = [
            {
                "by": segment,
                "value": value,
                "exploratory": segment not in plan.agreed_segments,
                "n": table.n,
                "comparisons": [
                    _figures(
                        plan,
                        compared(Data(table), kind, contrast, arm, baseline, level=1 - plan.alpha, seed=0, per=per),
                    )
                    | {"by_clusters": by_clusters(plan, measured.coarser, (segment, value), contrast, arm, baseline)}
                    for arm, baseline in plan.pairs
                ],
            }
            for value, table in sorted(tables.items(), key=lambda item: placed(plan, item[0]))
        ]
        _control_false_discoveries(segment, [one for block in found for one in block["comparisons"]])
        blocks += found
    return blocks


def placed(plan: Plan, value: str) -> tuple[int, str]:
    """Score bands from the lowest, other values by name."""
    return (plan.bands.index(value) if value in plan.bands else len(plan.bands), value)


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


def comparison_block(
    plan: Plan, family: Family, comparison: Comparison, contrast: Contrast, per: Contrast | None = None
) -> dict[str, Any]:
    """Figures of a comparison with its lift, its always-valid and its adjusted reading."""
    block = _figures(plan, comparison)
    effect = comparison.effect
    if isinstance(effect, NotEstimable):
        return block
    arm, baseline = comparison.arm, comparison.baseline
    relative = lift_of(_data(family), comparison, contrast, 1 - plan.alpha, per)
    block["lift"] = relative.estimate if relative else None
    block["lift_ci"] = _interval_ends(relative.set.bounds) if relative and relative.set.kind == "interval" else None
    block["rows_needed"] = _rows_needed(plan, family.table, effect, arm, baseline)
    block["always_valid"] = _always_valid(plan, family.table, effect, arm, baseline)
    block["adjusted"] = _adjusted(plan, family, contrast, per, effect, arm, baseline)
    return block


def _figures(plan: Plan, comparison: Comparison) -> dict[str, Any]:
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
        "df": _finite(getattr(effect, "df", None)),
        "ci": list(effect.interval(1 - plan.alpha)),
        "p_value": _finite(p),
        "p_gt_0": effect.chance_above(),
        "p_adjusted": None,
        "ci_adjusted": None,
        "method": effect.method,
        "beside": [
            {
                "method": other.method,
                "effect": other.estimate,
                "se": other.se,
                "ci": _interval_ends(other.interval(1 - plan.alpha)),
                "p_value": _finite(other.p_value()),
            }
            for other in comparison.beside
        ],
        "_effect": effect,
    }


def _data(family: Family) -> Data:
    return Data(family.table, family.sums, family.rows, family.skews, len(family.covariates))


def _strictest(plan: Plan) -> float:
    """Highest level that an interval of a family may need."""
    drivers = sum(metric.role == "driver" for metric in plan.metrics)
    return 1 - plan.alpha / (len(plan.pairs) * max(1, drivers))


def _non_inferiority(plan: Plan, metric: PlannedMetric, effect: Effect | NotEstimable) -> dict[str, Any] | None:
    """Whether a metric stayed within the margin that it has."""
    if metric.margin is None or isinstance(effect, NotEstimable):
        return None
    better: Literal["more", "less"] = "more" if metric.direction == "increase" else "less"
    found = non_inferiority(effect, metric.margin, better, 1 - plan.alpha)
    return {"margin": metric.margin, **found._asdict()}


def estimator(plan: Plan, family: Family, arm: str, baseline: str) -> Callable[[Contrast], TEffect | NotEstimable]:
    """What turns a linear combination of columns into its effect, by the design."""
    sums = family.sums
    if plan.clustered and sums is not None:
        return lambda contrast: cr2(sums, contrast, arm, baseline)
    return lambda contrast: difference(family.table, contrast, arm, baseline)


def _money_comparison(plan: Plan, family: Family, arm: str, baseline: str, seed: int) -> dict[str, Any]:
    estimate, data = estimator(plan, family, arm, baseline), _data(family)
    blocks = {}
    for name, contrast in (("value", {"value": 1.0}), ("cost", {"cost": 1.0}), ("net", dict(NET))):
        found = compared(data, "mean", contrast, arm, baseline, level=_strictest(plan), seed=seed)
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
        net_block["expected_loss"] = _finite(expected_loss(net.effect, getattr(net.effect, "df", math.inf)))
    parts = {name: _figures(plan, blocks[name]) for name in ("value", "cost")}
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
        "g": _finite(found.g),
        "target": plan.target_roi,
        "p_above_target": found.p_above_target,
        "quadrants": found.quadrants._asdict(),
    }


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
        "df": _finite(adjusted.df),
        "ci": list(adjusted.interval(1 - plan.alpha)),
        "p_value": _finite(adjusted.p_value()),
        "variance_reduction": 1 - (adjusted.se / effect.se) ** 2 if effect.se else None,
        "reason": None,
    }


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


def _control_false_discoveries(segment: str, blocks: Sequence[dict[str, Any]]) -> None:
    with_p = [block for block in blocks if block["p_value"] is not None]
    for block, p in zip(with_p, benjamini_hochberg([block["p_value"] for block in with_p]), strict=True):
        block["p_adjusted"] = p
    for block in blocks:
        block["family"] = {"name": segment, "comparisons": len(blocks), "correction": "benjamini_hochberg"}
    for block in blocks:
        block.pop("_effect", None)


def _interval_ends(bounds: Sequence[float]) -> list[float] | None:
    return list(bounds) if all(map(math.isfinite, bounds)) else None


def _finite(number: float | None) -> float | None:
    return number if number is not None and math.isfinite(number) else None
