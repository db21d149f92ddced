"""Whether the keys were drawn into the arms as they should have been."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from scipy import stats

from impact.agreements.plan import Plan
from impact.analysis.checks.evidence import Evidence, Finding
from impact.analysis.measure import Assigned
from impact.stats.multiplicity import holm
from impact.stats.sample_ratio import ALARM, sample_ratio


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


def propensity_logged(seen: Evidence) -> Finding | None:
    """The logged propensities are those that the arms were really drawn with."""
    if seen.plan.origin == "loaded" or not seen.measured.assigned:
        return None
    arms = [arm.key for arm in seen.plan.arms]
    worst, name = 0.0, arms[0]
    for arm in arms:
        distance = _distance(seen.measured.assigned, arm)
        if distance is None:
            return None
        if distance > worst:
            worst, name = distance, arm
    # of two arms both say the same; more are as many tests
    p_value = min(1.0, float(2 * stats.norm.sf(worst)) * (len(arms) if len(arms) > 2 else 1))
    passed = p_value >= ALARM
    return Finding(
        "propensity_logged", "block", passed, worst if math.isfinite(worst) else None, p_value, {"arms": [name]}
    )


def _distance(assigned: Sequence[Assigned], arm: str) -> float | None:
    """Standard errors by which an arm's keys, each weighing one over its propensity, miss standing for all keys.

    The error is that of the draws as logged: by the keys that an arm got it would be too small where it got few.
    """
    keys, drawn, logged = Counter[str](), Counter[str](), defaultdict[str, float](float)
    missing = -float(sum(row.keys for row in assigned))
    for row in assigned:
        keys[row.phase] += row.keys
        if row.arm == arm and row.keys:
            if row.propensity <= 0:
                return None
            missing += row.keys**2 / row.propensity
            drawn[row.phase] += row.keys
            logged[row.phase] += row.propensity
    shares = {phase: logged[phase] / n for phase, n in drawn.items()}
    error = math.sqrt(sum(keys[phase] * (1 - p) / p for phase, p in shares.items()))
    if error:
        return abs(missing) / error
    return math.inf if abs(missing) > 1e-6 * keys.total() else 0.0


def draws_replayed(seen: Evidence) -> Finding | None:
    """A sample of the draws, made again from what is stored, gives the same arms."""
    again = seen.measured.looked.redrawn
    if not again.get("looked"):
        return None
    numbers = {"looked": again["looked"], "differing": again["differing"]}
    return Finding("draws_replayed", "block", not again["differing"], numbers=numbers)


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
