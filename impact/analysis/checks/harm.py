"""Whether somebody is harmed by what does good on the whole."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from impact.agreements.plan import MONEY
from impact.analysis.checks.evidence import Evidence, Finding
from impact.analysis.measure import NET
from impact.stats.effects import TEffect, difference
from impact.stats.moments import MomentTable
from impact.stats.multiplicity import holm


def guardrails_hold(seen: Evidence) -> Finding | None:
    """No guardrail is worse than its margin beyond doubt."""
    margins = {
        metric.key: metric for metric in seen.plan.metrics if metric.role == "guardrail" and metric.margin is not None
    }
    if not margins:
        return None
    broken = []
    for block in seen.metrics:
        if block["key"] not in margins:
            continue
        metric = margins[block["key"]]
        for comparison in block["comparisons"]:
            if comparison["non_inferiority"] and comparison["non_inferiority"]["status"] == "broken":
                broken.append({"arm": comparison["arm"], "metric": metric.key})
    return Finding("guardrails_hold", "block", not broken, numbers={"broken": broken})


def strata_unharmed(seen: Evidence) -> Finding | None:
    """No stratum is harmed by an arm that does good on the whole."""
    apart = _apart(seen, lambda cell: cell.stratum)
    tests = [(arm, stratum, effect) for arm, effects in apart for stratum, effect in effects.items()]
    if not tests:
        return None
    adjusted = holm([effect.p_value() for _, _, effect in tests])
    harmed = [
        {"arm": arm, "stratum": stratum}
        for (arm, stratum, effect), p in zip(tests, adjusted, strict=True)
        if p <= seen.plan.alpha and effect.estimate < 0
    ]
    return Finding("strata_unharmed", "warn", not harmed, numbers={"harmed": harmed})


def phases_agree(seen: Evidence) -> Finding | None:
    """The effect has the same sign in every phase as in all together."""
    found = _apart(seen, lambda cell: cell.phase)
    if not found:
        return None
    odd = [{"arm": arm} for arm, effects in found if any(effect.estimate < 0 for effect in effects.values())]
    return Finding("phases_agree", "warn", not odd, numbers={"arms": [one["arm"] for one in odd]})


def _apart(seen: Evidence, part: Callable[[Any], str]) -> list[tuple[str, dict[str, TEffect]]]:
    """Net effect in each part of the cells, for every arm that does good on the whole."""
    family = seen.measured.families.get(MONEY)
    if seen.money is None or family is None or seen.plan.clustered:
        return []
    parts = sorted({part(cell) for cell in family.table.cells})
    if len(parts) < 2:
        return []
    tables = {
        name: MomentTable(
            family.table.columns,
            family.table.origin,
            {cell: moments for cell, moments in family.table.cells.items() if part(cell) == name},
        )
        for name in parts
    }
    found = []
    for block in seen.money["comparisons"]:
        if block["baseline"] != seen.plan.baseline.key or (block["net"]["effect"] or 0.0) <= 0:
            continue
        effects = {name: difference(table, NET, block["arm"], block["baseline"]) for name, table in tables.items()}
        there = {name: one for name, one in effects.items() if isinstance(one, TEffect) and one.se}
        if there:
            found.append((block["arm"], there))
    return found
