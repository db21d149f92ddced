"""What each planned look said of a comparison: its repeated interval, and whether it crossed its bound."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from impact.agreements.plan import Plan
from impact.analysis.measure import NET, Family
from impact.analysis.methods import Data, compared
from impact.analysis.metrics import fraction
from impact.analysis.planned_looks import Reached
from impact.stats.effects import Effect, NotEstimable
from impact.stats.looks import look, repeated_p, stopped, z_of
from impact.stats.moments import MomentTable


class _Judged(NamedTuple):
    """A look to be judged: share of the plan, when, rows in the smaller arm, effect."""

    share: float
    at: int | None
    rows: int
    effect: Effect | NotEstimable


def add_looks(
    plan: Plan, looks: Sequence[Reached], family: Family, blocks: Sequence[dict[str, Any]], *, final: bool
) -> None:
    """Add to every comparison that decides what each look said until one was crossed.

    ``family`` has all rows: those of the last look, if this analysis is the final one.
    """
    if plan.looks != "group_sequential" or plan.case.rows_per_arm is None:
        return
    for block in blocks:
        judged = [
            _Judged(one.share, one.at, _least(one.table, block), _effect(plan, family, one.table, block))
            for one in looks
        ]
        if final:
            rows = _least(family.table, block)
            # a look that had all the rows already was the last
            judged = [one for one in judged if one.rows < rows]
            judged.append(_Judged(1.0, None, rows, _effect(plan, family, family.table, block)))
        block["looks"], block["stopped"] = _judged(plan, judged, final)


def _judged(plan: Plan, looks: Sequence[_Judged], final: bool) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
    """Every look in turn until one is crossed, and what is estimated where it stopped."""
    assert plan.case.rows_per_arm is not None
    m, blocks, earlier = len(plan.pairs), list[dict[str, Any]](), list[float]()
    for place, (share, at, rows, effect) in enumerate(looks):
        if isinstance(effect, NotEstimable) or not effect.se:
            continue
        planned_se = effect.se * math.sqrt(rows / plan.case.rows_per_arm)
        last = final and place == len(looks) - 1
        found = look(effect, planned_se, earlier, plan.alpha / m, final=last)
        p = repeated_p(z_of(effect), [*earlier, found.fraction], final=last)
        blocks.append(
            {
                "share": share,
                "at": at,
                "n": rows,
                "effect": effect.estimate,
                "se": effect.se,
                "ci": list(found.interval) if math.isfinite(found.bound) else None,
                "bound": found.bound if math.isfinite(found.bound) else None,
                "p_value": p,
                "p_adjusted": min(1.0, m * p),
                "crossed": found.crossed,
            }
        )
        if found.crossed:
            ended = stopped(effect, planned_se, earlier, plan.alpha / m, 1 - plan.alpha)
            return blocks, {"effect": ended.estimate, "ci": list(ended.interval), "p_value": ended.p_value}
        earlier.append(found.fraction)
    return blocks, None


def _effect(plan: Plan, family: Family, table: MomentTable, block: Mapping[str, Any]) -> Effect | NotEstimable:
    contrast, per, kind = NET, None, "mean"
    if not plan.net and plan.primary:
        (contrast, per), kind = fraction(plan.primary, family), plan.primary.kind
    sides = block["arm"], block["baseline"]
    return compared(Data(table), kind, contrast, *sides, level=1 - plan.alpha, seed=0, per=per).effect


def _least(table: MomentTable, block: Mapping[str, Any]) -> int:
    return min(sample.n if (sample := table.of_arm(name)) else 0 for name in (block["arm"], block["baseline"]))
