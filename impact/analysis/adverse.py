"""Where a driver went the wrong way in an agreed segment: to be watched, whether or not it is beyond chance."""

from __future__ import annotations

from typing import Any

from impact.agreements.plan import Plan
from impact.analysis.measure import Measured
from impact.analysis.segments import placed
from impact.stats.effects import TEffect, difference


def adverse(plan: Plan, measured: Measured) -> list[dict[str, Any]]:
    """Effects on drivers against their good direction, each by itself and not adjusted, for nothing is claimed."""
    found = []
    for metric in plan.metrics:
        if metric.role != "driver" or plan.clustered or metric.kind not in ("mean", "proportion"):
            continue
        family, good = measured.families[metric.key], 1 if metric.direction == "increase" else -1
        for by in plan.agreed_segments:
            for value, table in sorted(family.segments.get(by, {}).items(), key=lambda one: placed(plan, one[0])):
                for arm, baseline in plan.pairs:
                    effect = difference(table, {family.columns[0]: 1.0}, arm, baseline)
                    if baseline == plan.baseline.key and isinstance(effect, TEffect) and good * effect.estimate < 0:
                        found.append(
                            {"by": by, "value": value, "arm": arm, "metric": metric.key, "effect": effect.estimate,
                             "p_value": effect.p_value() if effect.se else None}
                        )  # fmt: skip
    return found
