"""Whether the money is what it looks like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from impact.agreements.plan import MONEY
from impact.analysis.checks.evidence import Evidence, Finding
from impact.analysis.measure import NET
from impact.stats.effects import NotEstimable, TEffect, difference

ESTIMATED_SHARE = 0.2
# of all value, in the largest one in a thousand
TOP_SHARE = 0.2


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


def driver_and_money_by_segment(seen: Evidence) -> Finding | None:
    """Nor do they point opposite ways in an agreed segment, each by itself settled there."""
    family = seen.measured.families.get(MONEY)
    # a ratio is no mean of rows
    drivers = [metric for metric in seen.plan.metrics if metric.role == "driver" and not metric.per]
    if seen.money is None or family is None or seen.plan.clustered or not drivers:
        return None
    looked = [
        (metric, segment, value, table, seen.measured.families[metric.key])
        for metric in drivers
        for segment in seen.plan.agreed_segments
        for value, table in sorted(family.segments.get(segment, {}).items())
        if value in seen.measured.families[metric.key].segments.get(segment, {})
    ]
    if not looked:
        return None
    opposed = []
    for metric, segment, value, table, of_driver in looked:
        good = 1 if metric.direction == "increase" else -1
        rows = of_driver.segments[segment][value]
        for arm, baseline in seen.plan.pairs:
            net = difference(table, NET, arm, baseline)
            moved = difference(rows, {of_driver.columns[0]: 1.0}, arm, baseline)
            # every segment is looked at, so each has its share of the error
            if all(_proven(one, seen.plan.alpha / len(looked)) for one in (net, moved)):
                assert isinstance(net, TEffect) and isinstance(moved, TEffect)
                if good * moved.estimate * net.estimate < 0:
                    opposed.append({"arm": arm, "metric": metric.key, "value": value})
    return Finding("driver_and_money_by_segment", "warn", not opposed, numbers={"opposed": opposed})


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


def cost_categories(seen: Evidence) -> Finding | None:
    """A category of cost that is booked in one arm with a planned cost is booked in every such arm."""
    acting = [arm.key for arm in seen.plan.arms if arm.planned_cost > 0]
    if seen.plan.net is None or seen.plan.origin == "loaded" or len(acting) < 2:
        return None
    spent = seen.measured.looked.spent
    missing = [
        {"arm": arm, "category": category}
        for category, arms in spent.items()
        if any(arms.get(arm) for arm in acting)
        for arm in acting
        if not arms.get(arm) and seen.measured.mature_by_arm.get(arm)
    ]
    return Finding("cost_categories", "warn", not missing, numbers={"missing": missing}) if spent else None


def few_rows_decide(seen: Evidence) -> Finding | None:
    """Neither the sign of an effect nor a large share of the value hangs on the largest one in a thousand."""
    tail = seen.measured.looked.tail
    if seen.money is None or tail is None:
        return None
    turned = []
    for block in seen.money["comparisons"]:
        capped = difference(tail.table, {"capped": 1.0, "cost": -1.0}, block["arm"], block["baseline"])
        if isinstance(capped, TEffect) and (block["net"]["effect"] or 0.0) * capped.estimate < 0:
            turned.append(block["arm"])
    numbers = {"share": tail.share, "cap": tail.cap, "arms": turned}
    return Finding("few_rows_decide", "warn", not turned and tail.share <= TOP_SHARE, tail.share, None, numbers)


def loss_cap(seen: Evidence) -> Finding | None:
    """What was lost on the rows that were treated stays within the cap that was signed."""
    cap = seen.plan.case.loss_cap
    if cap is None or seen.money is None:
        return None
    against = [block for block in seen.money["comparisons"] if block["baseline"] == seen.plan.baseline.key]
    lost = -sum(block["total"]["net"] for block in against if block["total"])
    return Finding("loss_cap", "block", lost <= cap, numbers={"lost": max(0.0, lost), "cap": cap})


def _proven(effect: TEffect | NotEstimable, alpha: float) -> bool:
    return isinstance(effect, TEffect) and bool(effect.se) and effect.p_value() <= alpha


def _settled(comparison: Mapping[str, Any], alpha: float) -> bool:
    return comparison["p_adjusted"] is not None and comparison["p_adjusted"] <= alpha
