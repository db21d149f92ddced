"""What another table of actions or another threshold would have earned on the rows of an experiment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from itertools import product
from typing import Any, NamedTuple

from impact.agreements.cashflow import stop_threshold
from impact.agreements.plan import Plan
from impact.analysis.measure import NET, Chosen
from impact.analysis.policies import NOBODY, best_single
from impact.analysis.segments import placed
from impact.stats.beliefs import booked
from impact.stats.effects import NotEstimable, TEffect, difference
from impact.stats.moments import MomentTable
from impact.stats.parts import Part, added, part_difference

# beyond the highest score by this share of their range, nobody is reached
BEYOND = 0.05
# tables of a segment are all worked out beforehand, if they are no more
MOST_TABLES = 256


class Opponent(NamedTuple):
    """What a rule is compared with: one arm for everybody, or a policy's choice in every stratum."""

    key: str
    arm: str | None
    policy: str | None
    choices: Mapping[str, str]


def what_if(plan: Plan, chosen: Chosen | None) -> dict[str, Any] | None:
    """Every table of actions by segment and every threshold on a grid, each with what it would have earned.

    None where the baseline is a policy, or where clusters were drawn. What a rule earns is the sum over its parts:
    estimates add up, and so do variances and spreads.
    """
    if chosen is None or plan.baseline.is_policy or plan.clustered:
        return None
    against = _opponents(plan, chosen)
    tables = [
        _table(plan, chosen, by, chosen.parts.segments[by], against)
        for by in sorted(chosen.parts.segments, key=lambda by: by not in plan.agreed_segments)
        if len(_single(plan)) ** len(chosen.parts.segments[by]) <= MOST_TABLES
    ]
    if not tables and not chosen.parts.cuts:
        return None
    return {
        "rows": chosen.table.n,
        "deploys": plan.deployment.deploys if plan.deployment else None,
        "against": [{"key": one.key, "arm": one.arm, "policy": one.policy} for one in against],
        "tables": tables,
        "thresholds": _thresholds(plan, chosen, against),
        "marks": _marks(plan, chosen),
    }


def _opponents(plan: Plan, chosen: Chosen) -> list[Opponent]:
    strata = sorted({cell.stratum for cell in chosen.table.cells})
    best, baseline = best_single(plan, chosen), plan.baseline.key
    found = [Opponent(NOBODY, baseline, None, dict.fromkeys(strata, baseline))]
    if best != baseline:
        found.append(Opponent("best_single", best, None, dict.fromkeys(strata, best)))
    rule = plan.deployment.todays_rule if plan.deployment else None
    if rule in chosen.policies:
        found.append(Opponent("todays_rule", None, rule, chosen.policies[rule]))
    return found


def _table(
    plan: Plan, chosen: Chosen, by: str, tables: Mapping[str, MomentTable], against: Sequence[Opponent]
) -> dict[str, Any]:
    ordered = sorted(tables.items(), key=lambda item: placed(plan, item[0]))
    parts = [_parts(plan, table, against, chosen.table.n) for _, table in ordered]
    return {
        "by": by,
        "exploratory": by not in plan.agreed_segments,
        "policies": _followed(chosen, tables),
        "values": [
            {
                "value": value,
                "n": table.n,
                "share": table.n / chosen.table.n,
                "arms": [_arm(plan, table, arm) for arm in _single(plan)],
            }
            for value, table in ordered
        ],
        "rules": [
            {
                "choices": list(arms),
                "against": {
                    one.key: _value(plan, [part[arm][one.key] for part, arm in zip(parts, arms, strict=True)])
                    for one in against
                },
            }
            for arms in product(_single(plan), repeat=len(ordered))
        ],
    }


def _arm(plan: Plan, table: MomentTable, arm: str) -> dict[str, Any]:
    """Net value of an arm's rows in one part, and what the arm earns there above the baseline."""
    sample, baseline = table.arm_sample(arm, NET), plan.baseline.key
    found = difference(table, NET, arm, baseline) if arm != baseline else None
    effect = found if isinstance(found, TEffect) else None
    return {
        "arm": arm,
        "n": sample.n,
        "net": sample.mean if sample.n else None,
        "effect": effect and effect.estimate,
        "se": effect and effect.se,
    }


def _followed(chosen: Chosen, tables: Mapping[str, MomentTable]) -> dict[str, dict[str, str]]:
    """Policies that choose one arm in every value, with their choices."""
    found = {}
    for policy, choices in chosen.policies.items():
        arms = {value: {choices[cell.stratum] for cell in table.cells} for value, table in tables.items()}
        if all(len(one) == 1 for one in arms.values()):
            found[policy] = {value: one.pop() for value, one in arms.items()}
    return found


def _thresholds(plan: Plan, chosen: Chosen, against: Sequence[Opponent]) -> list[dict[str, Any]]:
    """For each arm, given from a cut on or below it: what that earns at every cut, against whom."""
    cuts, bins, rows = chosen.parts.cuts, chosen.parts.bins, chosen.table.n
    if not cuts:
        return []
    # at the last one, nobody's score is as high
    ends = [*cuts, cuts[-1] + BEYOND * (cuts[-1] - cuts[0])]
    sides = []
    for cut in range(len(ends)):
        below = _merged([table for place, table in bins.items() if place < cut])
        above = _merged([table for place, table in bins.items() if place >= cut])
        sides.append(
            [(_parts(plan, table, against, rows), table.n / rows if table else 0.0) for table in (below, above)]
        )
    baseline = plan.baseline.key
    return [
        {
            "arm": arm,
            "side": side,
            "points": [
                {
                    "at": at,
                    "share": above[1] if side == "from" else below[1],
                    "against": {
                        one.key: _value(plan, [below[0][low][one.key], above[0][high][one.key]]) for one in against
                    },
                }
                for at, (below, above) in zip(ends, sides, strict=True)
            ],
        }
        for arm in _single(plan)
        if arm != baseline
        for side, low, high in (("from", baseline, arm), ("below", arm, baseline))
    ]


def _parts(
    plan: Plan, table: MomentTable | None, against: Sequence[Opponent], rows: int
) -> dict[str, dict[str, Part | NotEstimable]]:
    """What each arm for everybody on one side of a cut adds, against whom."""
    return {
        arm: {
            one.key: part_difference(table, NET, arm, one.choices, rows) if table else Part(0.0, 0.0, 0.0)
            for one in against
        }
        for arm in _single(plan)
    }


def _value(plan: Plan, parts: Sequence[Part | NotEstimable]) -> dict[str, Any] | None:
    found = [part for part in parts if isinstance(part, Part)]
    if len(found) < len(parts):
        return None
    effect, level = added(found), 1 - plan.alpha
    spread = plan.deployment.spread if plan.deployment else None
    shrunk = booked(effect, spread, level) if spread else None
    return {
        "effect": effect.estimate,
        "se": effect.se,
        "ci": list(effect.interval(level)),
        "booked": shrunk and {"shrinkage": shrunk.shrinkage, "effect": shrunk.estimate, "ci": list(shrunk.interval)},
    }


def _marks(plan: Plan, chosen: Chosen) -> list[dict[str, Any]]:
    """Thresholds that were there before: the planned one, and those of policies that change once by the score."""
    cuts, bins, found = chosen.parts.cuts, chosen.parts.bins, list[dict[str, Any]]()
    if not cuts:
        return found
    if plan.stop_or_wait:
        case = plan.stop_or_wait
        planned = stop_threshold(case.now, case.window, case.loss)
        found.append({"at": planned, "policy": None, "low": case.wait, "high": case.stop})
    for policy, choices in chosen.policies.items():
        arms = [{choices[cell.stratum] for cell in bins[place].cells} for place in sorted(bins)]
        if any(len(one) > 1 for one in arms):
            continue
        plain = [one.pop() for one in arms]
        changes = [place for place in range(1, len(plain)) if plain[place] != plain[place - 1]]
        if len(changes) == 1:
            # any cut above what scores lower means the same here
            at = cuts[sorted(bins)[changes[0] - 1] + 1]
            found.append({"at": at, "policy": policy, "low": plain[0], "high": plain[-1]})
    return found


def _single(plan: Plan) -> list[str]:
    return [arm.key for arm in plan.arms if not arm.is_policy]


def _merged(tables: Sequence[MomentTable]) -> MomentTable | None:
    return reduce(MomentTable.__add__, tables) if tables else None
