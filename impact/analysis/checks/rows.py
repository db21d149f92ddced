"""Whether the rows that count are enough, and alike in every arm."""

from __future__ import annotations

import math
from itertools import count

import numpy as np
from scipy import stats

from impact.analysis.checks.evidence import Evidence, Finding, primary_of
from impact.stats.choice import FEW_CLUSTERS
from impact.stats.clusters import ClusterSums
from impact.stats.redraws import possible_draws

IMBALANCE = 0.1
CENSORED_ALARM = 0.01


def mature_rows(seen: Evidence) -> Finding:
    """Only rows whose window is over and whose feed is complete count."""
    primary = primary_of(seen)
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
    primary = primary_of(seen)
    if seen.plan.origin == "loaded" or not seen.measured.mature:
        return None
    censored = seen.measured.censored.get(primary, 0)
    return Finding("feeds_complete", "warn", not censored, numbers={"censored": censored, "of": seen.measured.mature})


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
    family = seen.measured.families.get(primary_of(seen))
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


def forced_left_out(seen: Evidence) -> Finding | None:
    """Decisions that were forced or held out never enter an effect."""
    left_out = {mode: n for mode, n in seen.measured.modes.items() if mode not in ("randomized", "policy") and n}
    return Finding("forced_left_out", "info", True, numbers=left_out) if left_out else None


def agreed_before(seen: Evidence) -> Finding:
    """Somebody agreed what would count before anybody saw it."""
    return Finding("agreed_before", "info", seen.plan.origin == "live")
