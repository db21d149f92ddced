"""Whether the money is what it looks like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from impact.analysis.checks.evidence import Evidence, Finding

ESTIMATED_SHARE = 0.2


def driver_and_money(seen: Evidence) -> Finding | None:
    """The metric that the action is meant to move and the money point the same way."""
    if seen.money is None:
        return None
    disagreeing = []
    for block in seen.money["comparisons"]:
        for metric in (metric for metric in seen.metrics if metric["role"] == "driver"):
            moved = next(
                c for c in metric["comparisons"] if (c["arm"], c["baseline"]) == (block["arm"], block["baseline"])
            )
            if _settled(moved, seen.plan.alpha) and _settled(block["net"], seen.plan.alpha):
                good = 1 if metric["direction"] == "increase" else -1
                if moved["effect"] * good * block["net"]["effect"] < 0:
                    disagreeing.append({"arm": block["arm"], "metric": metric["key"]})
    return Finding("driver_and_money", "warn", not disagreeing, numbers={"disagreeing": disagreeing})


def assumptions_hold(seen: Evidence) -> Finding | None:
    """No agreed or guessed assumption flips the decision within its own range."""
    if seen.money is None or not seen.plan.case.assumptions:
        return None
    found = [(block["arm"], flip) for block in seen.money["comparisons"] for flip in block.get("flips", [])]
    if seen.statement and seen.statement["policy"]:
        found += [(seen.statement["policy"], flip) for flip in seen.statement["tornado"]]
    flipping = [{"of": of} | flip for of, flip in found if flip["inside"]]
    return Finding("assumptions_hold", "warn", not flipping, numbers={"flips": flipping})


def cost_booked(seen: Evidence) -> Finding | None:
    """Costs come from what was booked, not from what was planned."""
    if seen.plan.net is None or not seen.measured.total_cost or seen.plan.origin == "loaded":
        return None
    share = seen.measured.estimated_cost / seen.measured.total_cost
    return Finding("cost_booked", "warn", share <= ESTIMATED_SHARE, share)


def cost_varies(seen: Evidence) -> Finding | None:
    """A cost without variance makes the ROI look surer than it is."""
    if seen.money is None:
        return None
    fixed = [
        block["arm"] for block in seen.money["comparisons"] if block["cost"]["se"] == 0 and block["cost"]["effect"]
    ]
    return Finding("cost_varies", "info", not fixed, numbers={"arms": fixed}) if fixed else None


def loss_cap(seen: Evidence) -> Finding | None:
    """What was lost on the rows that were treated stays within the cap that was signed."""
    cap = seen.plan.case.loss_cap
    if cap is None or seen.money is None:
        return None
    against = [block for block in seen.money["comparisons"] if block["baseline"] == seen.plan.baseline.key]
    lost = -sum(block["total"]["net"] for block in against if block["total"])
    return Finding("loss_cap", "block", lost <= cap, numbers={"lost": max(0.0, lost), "cap": cap})


def _settled(comparison: Mapping[str, Any], alpha: float) -> bool:
    return comparison["p_adjusted"] is not None and comparison["p_adjusted"] <= alpha
