"""What may be said: one of the fixed words for each arm, and one overall that names the arm to act on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from impact.agreements.plan import Plan
from impact.stats.verdict_chances import LIKELY

ANY = (-math.inf, math.inf)
# which word decides, best first
ORDER = ("proven", "likely", "unclear", "too_early", "harmful")


def verdicts(
    plan: Plan, decisive: Sequence[Mapping[str, Any]], checks: Sequence[Mapping[str, Any]], final: bool
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return the verdict of every arm against the baseline, and the overall one.

    Parameters
    ----------
    plan : Plan
    decisive : sequence of comparison blocks
        Of net value, or of the primary metric where there is no money.
    checks : sequence of check blocks
    final : bool
        Whether this is the planned final analysis: enrolment over, every row mature.
    """
    good = 1 if plan.net or plan.primary is None or plan.primary.direction == "increase" else -1
    failed = [check for check in checks if check["severity"] == "block" and not check["passed"]]
    blocking = [check["id"] for check in failed if not check.get("waiver")]
    fragile = {
        flip["of"] for check in checks if check["id"] == "assumptions_hold" for flip in check["numbers"]["flips"]
    }
    of_arms = [
        {
            "arm": block["arm"],
            "level": "withheld" if blocking else _level(plan, block, good, final, block["arm"] in fragile),
        }
        for block in decisive
        if block["baseline"] == plan.baseline.key
    ]
    if blocking or not of_arms:
        return of_arms, {"level": "withheld", "arm": None, "because": blocking or ["nothing_to_compare"]}
    effects = {
        block["arm"]: good * (block["effect"] or 0.0) for block in decisive if block["baseline"] == plan.baseline.key
    }
    best = min(of_arms, key=lambda one: (ORDER.index(one["level"]), -effects[one["arm"]]))
    because = [check["id"] for check in checks if check["severity"] != "info" and not check["passed"]]
    disagreeing = {
        one["arm"] for check in checks if check["id"] == "driver_and_money" for one in check["numbers"]["disagreeing"]
    }
    if best["arm"] in disagreeing and best["level"] != "harmful":
        return of_arms, {"level": "unclear", "arm": None, "because": because}
    return of_arms, {"level": best["level"], "arm": best["arm"], "because": because}


def _level(plan: Plan, block: Mapping[str, Any], good: int, final: bool, fragile: bool) -> str:
    """Return the word for one comparison; what an assumption flips within its range is never proven.

    Nothing is likely before the end, for under the null one experiment in three passes 90 % when it is looked at
    twenty times.
    """
    if block["status"] != "estimated" or block["p_value"] is None:
        return "unclear" if final else "too_early"
    effect, p, ends = _reading(plan, block, final)
    effect *= good
    if p <= plan.alpha and effect < 0:
        return "harmful"
    if p <= plan.alpha and min(good * end for end in ends) > plan.smallest_effect and not fragile:
        return "proven"
    if not final:
        return "too_early"
    chance = block["p_gt_0"] if good > 0 else 1 - block["p_gt_0"]
    return "likely" if effect > 0 and chance >= LIKELY else "unclear"


def _reading(plan: Plan, block: Mapping[str, Any], final: bool) -> tuple[float, float, Sequence[float]]:
    """Effect, p-value and range by which it is judged: those of the look that decided where looks were planned.

    Otherwise before the end, and where the plan says so at the end too, only the reading of any day counts,
    divided among the comparisons.
    """
    if plan.looks == "group_sequential":
        crossed = next((look for look in block["looks"] if look["crossed"]), None)
        return (crossed["effect"], crossed["p_adjusted"], crossed["ci"]) if crossed else (block["effect"], 1.0, ANY)
    if final and plan.looks == "fixed":
        return block["effect"], block["p_adjusted"], block["ci_adjusted"]
    anytime = block.get("always_valid") or {"p_value": 1.0, "ci": ANY}
    return block["effect"], min(1.0, anytime["p_value"] * len(plan.pairs)), anytime["ci"]
