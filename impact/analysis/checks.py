"""Checks that decide whether a figure may be shown: one function each, all in one list.

Each returns a finding or nothing. ``block`` withholds the figure, ``warn`` is printed on its face, ``info``
is told. A finding carries numbers, not sentences; ``impact.figures`` says it in the reader's language.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import numpy as np
from scipy import stats

from impact.agreements.plan import MONEY, Plan
from impact.analysis.measure import NET, Assigned, Measured
from impact.stats.choice import FEW_CLUSTERS
from impact.stats.clusters import ClusterSums
from impact.stats.effects import TEffect, difference
from impact.stats.moments import MomentTable
from impact.stats.multiplicity import holm
from impact.stats.redraws import possible_draws
from impact.stats.sample_ratio import ALARM, sample_ratio

IMBALANCE = 0.1
ESTIMATED_SHARE = 0.2
CENSORED_ALARM = 0.01


@dataclass(frozen=True, slots=True)
class Finding:
    id: str
    severity: str
    passed: bool
    statistic: float | None = None
    p_value: float | None = None
    numbers: Mapping[str, Any] = field(default_factory=dict)

    def block(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "severity": self.severity,
            "passed": self.passed,
            "statistic": self.statistic,
            "p_value": self.p_value,
            "numbers": dict(self.numbers),
        }


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the checks look at."""

    plan: Plan
    measured: Measured
    metrics: list[dict[str, Any]]
    money: dict[str, Any] | None
    statement: dict[str, Any] | None = None


def mature_rows(seen: Evidence) -> Finding:
    """Only rows whose window is over and whose feed is complete count."""
    primary = _primary(seen)
    censored = seen.measured.censored.get(primary, 0)
    counted = seen.measured.mature - censored
    return Finding(
        "mature_rows",
        "block",
        counted > 0,
        numbers={"counted": counted, "open": seen.measured.open, "censored": censored},
    )


def feeds_complete(seen: Evidence) -> Finding | None:
    """Rows without an outcome count as none only where the feed is known to be complete."""
    primary = _primary(seen)
    if seen.plan.origin == "loaded" or not seen.measured.mature:
        return None
    censored = seen.measured.censored.get(primary, 0)
    return Finding("feeds_complete", "warn", not censored, numbers={"censored": censored, "of": seen.measured.mature})


def sample_ratio_overall(seen: Evidence) -> Finding | None:
    """Arms have the sizes that the draws should have given them."""
    observed = _observed(seen.plan, seen.measured.assigned)
    expected = _expected(seen.plan, seen.measured.assigned)
    if expected is None:
        return Finding("sample_ratio", "info", False, numbers={"counts": observed, "unknown": True})
    if not sum(observed.values()):
        return None
    ratio = sample_ratio(list(observed.values()), [expected[arm] for arm in observed])
    return Finding(
        "sample_ratio",
        "block",
        ratio.p_value >= ALARM,
        ratio.statistic,
        ratio.p_value,
        {"counts": observed, "expected": expected},
    )


def sample_ratio_by_stratum(seen: Evidence) -> Finding | None:
    """Each stratum by itself, many at once, so only a warning."""
    strata = sorted({assigned.stratum for assigned in seen.measured.assigned})
    if len(strata) < 2:
        return None
    tests = {}
    for stratum in strata:
        rows = [assigned for assigned in seen.measured.assigned if assigned.stratum == stratum]
        observed, expected = _observed(seen.plan, rows), _expected(seen.plan, rows)
        if expected is None:
            return None
        tests[stratum] = sample_ratio(list(observed.values()), [expected[arm] for arm in observed])
    adjusted = dict(zip(tests, holm([test.p_value for test in tests.values()]), strict=True))
    worst = min(adjusted, key=lambda stratum: adjusted[stratum])
    return Finding(
        "sample_ratio_by_stratum",
        "warn",
        adjusted[worst] >= ALARM,
        tests[worst].statistic,
        adjusted[worst],
        {"stratum": worst, "strata": len(strata)},
    )


def missing_alike(seen: Evidence) -> Finding | None:
    """Outcomes are missing at the same rate in every arm."""
    arms = [arm.key for arm in seen.plan.arms]
    worst: tuple[float, float, str] | None = None
    for key, censored in seen.measured.censored_by_arm.items():
        missing = [censored.get(arm, 0) for arm in arms]
        there = [seen.measured.mature_by_arm.get(arm, 0) - gone for arm, gone in zip(arms, missing, strict=True)]
        if not sum(missing) or not sum(there):
            continue
        table = np.array([missing, there])
        table = table[:, table.sum(axis=0) > 0]
        if table.shape[1] < 2:
            continue
        test = stats.chi2_contingency(table, correction=False)
        found = (float(test.pvalue), float(test.statistic), key)
        worst = found if worst is None or found < worst else worst
    if worst is None:
        return None
    return Finding("missing_alike", "block", worst[0] >= CENSORED_ALARM, worst[1], worst[0], {"metric": worst[2]})


def clusters_enough(seen: Evidence) -> Finding | None:
    """Errors by cluster need ten in each arm; with fewer the draws must be enough to reject anything at all."""
    if not seen.plan.clustered:
        return None
    sums = next(iter(seen.measured.families.values())).sums
    assert sums is not None
    fewest = min(sums.clusters(arm.key) for arm in seen.plan.arms)
    least = 2 / seen.plan.alpha
    enough = fewest >= FEW_CLUSTERS or min(_draws(sums, *pair) for pair in seen.plan.pairs) >= least
    needed = next(size for size in count(2) if math.comb(2 * size, size) >= least)
    return Finding("clusters_enough", "block", enough, float(fewest), None, {"needed": needed})


def _draws(sums: ClusterSums, arm: str, baseline: str) -> int:
    pair = (sums.arm == arm) | (sums.arm == baseline)
    return possible_draws(sums.arm[pair] == arm, sums.stratum[pair])


def covariates_balanced(seen: Evidence) -> Finding | None:
    """What was known before looks alike in every arm."""
    family = seen.measured.families.get(_primary(seen))
    if family is None or not family.covariates:
        return None
    worst, name = 0.0, family.covariates[0]
    for covariate in family.covariates:
        for arm, baseline in seen.plan.pairs:
            left, right = (family.table.arm_sample(one, {covariate: 1.0}) for one in (arm, baseline))
            spread = ((left.variance + right.variance) / 2) ** 0.5 if min(left.n, right.n) > 1 else 0.0
            distance = abs(left.mean - right.mean) / spread if spread else 0.0
            if distance > worst:
                worst, name = distance, covariate
    return Finding("covariates_balanced", "warn", worst <= IMBALANCE, worst, None, {"covariate": name.split(" ", 1)[1]})


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


def loss_cap(seen: Evidence) -> Finding | None:
    """What was lost on the rows that were treated stays within the cap that was signed."""
    cap = seen.plan.case.loss_cap
    if cap is None or seen.money is None:
        return None
    against = [block for block in seen.money["comparisons"] if block["baseline"] == seen.plan.baseline.key]
    lost = -sum(block["total"]["net"] for block in against if block["total"])
    return Finding("loss_cap", "block", lost <= cap, numbers={"lost": max(0.0, lost), "cap": cap})


def propensity_logged(seen: Evidence) -> Finding | None:
    """The logged propensities are those that the arms were really drawn with."""
    if seen.plan.origin == "loaded" or not seen.measured.assigned:
        return None
    keys = sum(row.keys for row in seen.measured.assigned)
    worst, name = 0.0, seen.plan.arms[0].key
    for arm in (arm.key for arm in seen.plan.arms):
        rows = [(row.keys, row.propensity / row.keys) for row in seen.measured.assigned if row.arm == arm and row.keys]
        if any(p <= 0 for _, p in rows):
            return None
        # every key weighs one over its propensity, so that each arm stands for all keys
        missing = sum(n / p for n, p in rows) - keys
        error = math.sqrt(sum(n * (1 - p) / p**2 for n, p in rows))
        distance = abs(missing) / error if error else math.inf if abs(missing) > 1e-6 * keys else 0.0
        if distance > worst:
            worst, name = distance, arm
    p_value = float(2 * stats.norm.sf(worst)) if math.isfinite(worst) else 0.0
    passed = p_value >= ALARM
    return Finding(
        "propensity_logged", "block", passed, worst if math.isfinite(worst) else None, p_value, {"arms": [name]}
    )


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


def forced_left_out(seen: Evidence) -> Finding | None:
    """Decisions that were forced or held out never enter an effect."""
    left_out = {mode: n for mode, n in seen.measured.modes.items() if mode not in ("randomized", "policy") and n}
    return Finding("forced_left_out", "info", True, numbers=left_out) if left_out else None


def agreed_before(seen: Evidence) -> Finding:
    """Somebody agreed what would count before anybody saw it."""
    return Finding("agreed_before", "info", seen.plan.origin == "live")


CHECKS: tuple[Callable[[Evidence], Finding | None], ...] = (
    mature_rows,
    feeds_complete,
    sample_ratio_overall,
    sample_ratio_by_stratum,
    propensity_logged,
    missing_alike,
    clusters_enough,
    covariates_balanced,
    driver_and_money,
    assumptions_hold,
    cost_booked,
    cost_varies,
    guardrails_hold,
    loss_cap,
    strata_unharmed,
    phases_agree,
    forced_left_out,
    agreed_before,
)


def run_checks(seen: Evidence) -> list[dict[str, Any]]:
    return [finding.block() for check in CHECKS if (finding := check(seen)) is not None]


def _primary(seen: Evidence) -> str:
    return MONEY if seen.plan.net else seen.plan.primary.key if seen.plan.primary else ""


def _settled(comparison: Mapping[str, Any], alpha: float) -> bool:
    return comparison["p_adjusted"] is not None and comparison["p_adjusted"] <= alpha


def _observed(plan: Plan, assigned: Iterable[Assigned]) -> dict[str, int]:
    observed = {arm.key: 0 for arm in plan.arms}
    for row in assigned:
        observed[row.arm] += row.keys
    return observed


def _expected(plan: Plan, assigned: Sequence[Assigned]) -> dict[str, float] | None:
    """Keys that the draws should have given each arm: by the propensities logged in each phase.

    A loaded experiment's are by its weights, or by the propensities of two arms.
    """
    weights = {arm.key: arm.weight for arm in plan.arms}
    if any(weight is None for weight in weights.values()):
        return _expected_of_two(plan, assigned)
    shares = _scaled({arm: weight or 0.0 for arm, weight in weights.items()})
    expected = dict.fromkeys(shares, 0.0)
    for phase in sorted({row.phase for row in assigned}):
        rows = [row for row in assigned if row.phase == phase]
        drawn = _logged(rows, shares) if plan.origin == "live" else shares
        for arm, share in drawn.items():
            expected[arm] += share * sum(row.keys for row in rows)
    return expected


def _logged(rows: Sequence[Assigned], planned: Mapping[str, float]) -> dict[str, float]:
    """Propensity of each arm in one phase; arms that nobody was drawn into share what is left as was planned."""
    keys, sums = dict.fromkeys(planned, 0), dict.fromkeys(planned, 0.0)
    for row in rows:
        keys[row.arm] += row.keys
        sums[row.arm] += row.propensity
    known = {arm: sums[arm] / keys[arm] for arm in planned if keys[arm]}
    others = sum(share for arm, share in planned.items() if arm not in known)
    left = max(1 - sum(known.values()), 0.0)
    rest = {arm: share / others * left for arm, share in planned.items() if arm not in known}
    return _scaled({arm: (known | rest)[arm] for arm in planned})


def _scaled(parts: Mapping[str, float]) -> dict[str, float]:
    whole = sum(parts.values())
    return {arm: part / whole for arm, part in parts.items()}


def _expected_of_two(plan: Plan, assigned: Sequence[Assigned]) -> dict[str, float] | None:
    observed = _observed(plan, assigned)
    if len(observed) != 2 or not plan.propensities_known:
        return None
    first, second = observed
    due = sum(row.propensity if row.arm == first else row.keys - row.propensity for row in assigned)
    return {first: due, second: sum(observed.values()) - due}
