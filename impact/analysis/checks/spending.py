"""Whether what is spent changes anything: who is paid for what they would have done, and where most of it goes."""

from __future__ import annotations

from typing import Any

from impact.agreements.plan import MONEY
from impact.analysis.checks.evidence import Evidence, Finding, parts_of
from impact.stats.effects import TEffect, difference

# of those who take an incentive up, whom it changes nothing about
LEAKING = 0.5


def incentive_leaks(seen: Evidence) -> Finding | None:
    """What is paid on acceptance is paid to those whom it changes: not mostly to who would have stayed anyway.

    Of those who took it up at most so many were changed as the driver moved; the rest was paid for nothing.
    """
    paid = {arm.key for arm in seen.plan.arms if arm.contingent}
    takers = {
        (block["arm"], block["baseline"]): block["cace"]["take_up"]
        for block in (seen.money or {"comparisons": []})["comparisons"]
        if block["arm"] in paid and block.get("cace") and block["cace"]["take_up"]
    }
    leaks = []
    for metric in seen.metrics:
        if metric["role"] == "driver" and metric["kind"] == "proportion":
            good = 1 if metric["direction"] == "increase" else -1
            leaks += [
                _leak(block, good, takers[block["arm"], block["baseline"]])
                for block in metric["comparisons"]
                if (block["arm"], block["baseline"]) in takers and block["status"] == "estimated"
            ]
    if not leaks:
        return None
    sure = [leak for leak in leaks if leak["least"] > LEAKING]
    shown = sure or leaks
    return Finding("incentive_leaks", "warn", not sure, max(leak["share"] for leak in shown), None, {"leaks": shown})


def _leak(block: dict[str, Any], good: int, take_up: float) -> dict[str, Any]:
    """Share of the takers that the action changed nothing about, and the least that it can be."""
    changed, most = good * block["effect"], max(good * end for end in block["ci"])
    share, least = (min(1.0, max(0.0, 1 - moved / take_up)) for moved in (changed, most))
    return {"arm": block["arm"], "share": share, "least": least}


def spent_without_effect(seen: Evidence) -> Finding | None:
    """Where an arm spends most it has an effect on value that is told from none."""
    family = seen.measured.families.get(MONEY)
    if seen.money is None or family is None or seen.plan.clustered:
        return None
    tables = parts_of(family.table, lambda cell: cell.stratum)
    if len(tables) < 2:
        return None
    idle, looked = [], 0
    for arm, baseline in seen.plan.pairs:
        spent = {
            stratum: effect.estimate * table.n
            for stratum, table in tables.items()
            if isinstance(effect := difference(table, {"cost": 1.0}, arm, baseline), TEffect)
        }
        if not spent or max(spent.values()) <= 0:
            continue
        looked += 1
        most = max(spent, key=lambda stratum: spent[stratum])
        value = difference(tables[most], {"value": 1.0}, arm, baseline)
        if not isinstance(value, TEffect) or not value.se or value.p_value() > seen.plan.alpha:
            idle.append({"arm": arm, "stratum": most})
    return Finding("spent_without_effect", "info", not idle, numbers={"idle": idle}) if looked else None
