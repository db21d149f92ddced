"""Whether somebody is harmed by what does good on the whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy import stats

from impact.agreements.plan import MONEY
from impact.analysis.checks.evidence import Evidence, Finding, parts_of
from impact.analysis.looked import Week
from impact.analysis.measure import NET
from impact.stats.effects import TEffect, difference
from impact.stats.moments import Cell
from impact.stats.multiplicity import holm

# a week is looked at with so many rows in each arm, a trend with so many weeks
ROWS_A_WEEK = 20
WEEKS = 3
FADING = 0.01


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


def effect_lasts(seen: Evidence) -> Finding | None:
    """The effect on those who came late is that on those who came early: no novelty that wears off."""
    if seen.money is None:
        return None
    weeks = {(one.arm, one.week): one for one in seen.measured.looked.weeks if one.rows >= ROWS_A_WEEK}
    tests: dict[str, tuple[float, float, float]] = {}
    for block in seen.money["comparisons"]:
        arm, baseline = block["arm"], block["baseline"]
        both = sorted(week for of, week in weeks if of == arm and (baseline, week) in weeks)
        if baseline == seen.plan.baseline.key and len(both) >= WEEKS:
            tests[arm] = _trend([(week, weeks[arm, week], weeks[baseline, week]) for week in both])
    if not tests:
        return None
    adjusted = dict(zip(tests, holm([p for *_, p in tests.values()]), strict=True))
    trends = [
        {"arm": arm, "first": first, "last": last} for arm, (first, last, _) in tests.items() if adjusted[arm] < FADING
    ]
    return Finding("effect_lasts", "warn", not trends, None, min(adjusted.values()), {"trends": trends})


def _trend(found: Sequence[tuple[int, Week, Week]]) -> tuple[float, float, float]:
    """Line through the weekly effects, weighed by their precision: its two ends, and p of its slope."""
    week = np.array([at for at, *_ in found], dtype=np.float64)
    effect = np.array([treated.mean - baseline.mean for _, treated, baseline in found])
    error = np.array([t.variance / t.rows + b.variance / b.rows for _, t, b in found])
    if not (error > 0).all():
        return float(effect[0]), float(effect[-1]), 1.0
    weight = 1 / error
    centre = (weight * week).sum() / weight.sum()
    spread = (weight * (week - centre) ** 2).sum()
    slope = (weight * (week - centre) * effect).sum() / spread
    level = (weight * effect).sum() / weight.sum()
    first, last = (float(level + slope * (at - centre)) for at in (week[0], week[-1]))
    return first, last, float(2 * stats.norm.sf(abs(slope) * np.sqrt(spread)))


def _apart(seen: Evidence, part: Callable[[Cell], str]) -> list[tuple[str, dict[str, TEffect]]]:
    """Net effect in each part of the cells, for every arm that does good on the whole."""
    family = seen.measured.families.get(MONEY)
    if seen.money is None or family is None or seen.plan.clustered:
        return []
    tables = parts_of(family.table, part)
    if len(tables) < 2:
        return []
    found = []
    for block in seen.money["comparisons"]:
        if block["baseline"] != seen.plan.baseline.key or (block["net"]["effect"] or 0.0) <= 0:
            continue
        effects = {name: difference(table, NET, block["arm"], block["baseline"]) for name, table in tables.items()}
        there = {name: one for name, one in effects.items() if isinstance(one, TEffect) and one.se}
        if there:
            found.append((block["arm"], there))
    return found
