"""The method that a comparison's design and counts ask for, why, and what it gives."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from impact.analysis.measure import Rows, Skews
from impact.stats.choice import Choice, Facts, choose
from impact.stats.clusters import ClusterSums, cr2
from impact.stats.effects import Effect, NotEstimable, TEffect, difference, estimable
from impact.stats.exact import ExactEffect
from impact.stats.lift import Lift, lift, proportion_lift
from impact.stats.lift import lift_of as lift_of_means
from impact.stats.moments import Contrast, MomentTable, comparable_cells
from impact.stats.proportions import ScoreEffect, successes
from impact.stats.ratios import ratio, ratio_parts
from impact.stats.redraws import DRAWS, Keys, keys_of_clusters, keys_of_rows, possible_draws, redrawn
from impact.stats.tails import shape
from impact.stats.wild import wild_bootstrap

Estimated = Effect | NotEstimable
# keys times draws that are looked at where not every draw is
WORK = 4_000_000
LEAST_DRAWS = 1_999


@dataclass(frozen=True, slots=True)
class Data:
    """What a comparison is made from: moments, and the cluster sums or the few rows where they are needed."""

    table: MomentTable
    sums: ClusterSums | None = None
    rows: Rows | None = None
    skews: Skews | None = None
    covariates: int = 0


@dataclass(frozen=True, slots=True)
class Comparison:
    """One arm against another on one figure: its method with the reason, and what stands beside."""

    arm: str
    baseline: str
    effect: Estimated
    choice: Choice
    beside: tuple[Effect, ...] = ()


def compared(
    data: Data,
    kind: str,
    contrast: Contrast,
    arm: str,
    baseline: str,
    *,
    level: float,
    seed: int,
    per: Contrast | None = None,
) -> Comparison:
    """Compare two arms by the method that fits.

    ``kind`` is ``mean`` or ``proportion``, or ``per`` is what the contrast is a ratio to; a level that the method's
    interval must reach, or it isn't estimable; the seed is of the draws, where not every one is looked at.
    """
    if per:
        return _ratios(data, contrast, per, arm, baseline)
    counts, strange = None, False
    if kind == "proportion" and data.sums is None:
        try:
            counts = _counts(data, contrast, arm, baseline)
        except ValueError:
            strange = True
    choice = choose(_facts(data, contrast, arm, baseline, counts))
    if strange:
        choice = choice._replace(warnings=(*choice.warnings, "not 0 or 1 in every row: compared as a mean"))
    beside: tuple[Estimated, ...] = ()
    effect: Estimated
    if choice.method == "exact" and counts:
        effect, beside = ExactEffect(*counts), (ScoreEffect(*counts),)
    elif choice.method == "score" and counts:
        effect = ScoreEffect(*counts)
    elif choice.method == "randomization" and (data.sums is not None or data.rows is not None):
        effect = _with_ends(_redrawn(data, contrast, arm, baseline, seed), level)
    elif data.sums is not None:
        effect = estimable(cr2(data.sums, contrast, arm, baseline))
        if "wild_bootstrap" in choice.beside:
            beside = (wild_bootstrap(data.sums, contrast, arm, baseline, seed=seed),)
    else:
        effect = estimable(difference(data.table, contrast, arm, baseline))
        if choice.method == "randomization":
            choice = Choice("stratified", choice.reason, (), (f"{choice.reason}: holds for normal rows",))
    there = tuple(one for one in beside if not isinstance(one, NotEstimable))
    return Comparison(arm, baseline, effect, choice, there if not isinstance(effect, NotEstimable) else ())


def lift_of(
    data: Data, comparison: Comparison, contrast: Contrast, level: float, per: Contrast | None = None
) -> Lift | None:
    """Lift whose set says what the effect says; without a set where the method has none that does."""
    effect = comparison.effect
    if per and isinstance(effect, TEffect):
        parts = ratio_parts(_of_keys(data), contrast, per, comparison.arm, comparison.baseline)
        return None if isinstance(parts, NotEstimable) else lift_of_means(parts.means, effect, level)
    if data.sums is not None or isinstance(effect, NotEstimable):
        return None
    if isinstance(effect, ScoreEffect):
        return proportion_lift(effect, level)
    if isinstance(effect, TEffect):
        return lift(data.table, contrast, comparison.arm, comparison.baseline, effect, level)
    return None


def _ratios(data: Data, above: Contrast, below: Contrast, arm: str, baseline: str) -> Comparison:
    """Compare two ratios of sums over what was randomized: rows, or whole clusters."""
    clustered = data.sums is not None
    table = _of_keys(data)
    sizes = [0 if (moments := table.of_arm(one)) is None else moments.n for one in (arm, baseline)]
    choice = choose(Facts("ratio", (sizes[0], sizes[1]), clustered=clustered))
    if choice.method == "none":
        return Comparison(arm, baseline, NotEstimable(choice.reason), choice)
    return Comparison(arm, baseline, estimable(ratio(table, above, below, arm, baseline)), choice)


def _of_keys(data: Data) -> MomentTable:
    return data.table if data.sums is None else data.sums.totals()


def _facts(data: Data, contrast: Contrast, arm: str, baseline: str, counts: Any) -> Facts:
    if data.sums is not None:
        return _facts_of_clusters(data.sums, contrast, arm, baseline)
    sizes = [0 if (moments := data.table.of_arm(one)) is None else moments.n for one in (arm, baseline)]
    strata = len(comparable_cells(data.table, (arm, baseline)))
    skews = (data.skews or {}).get("net" if len(contrast) > 1 else next(iter(contrast)), {})
    facts = Facts(
        "proportion" if counts else "mean",
        (sizes[0], sizes[1]),
        strata=max(1, strata),
        counts=counts,
        covariates=data.covariates,
        skew=max(abs(skews.get(one, 0.0)) for one in (arm, baseline)),
    )
    if data.rows is None or not min(sizes):
        return facts
    pair = np.isin(data.rows.arm, (arm, baseline))
    treated, cells = data.rows.arm[pair] == arm, data.rows.cell[pair]
    found = shape(_outcome(data.rows, contrast)[pair], treated, cells)
    return facts._replace(skew=found.skew, spread=found.spread, draws=float(possible_draws(treated, cells)))


def _facts_of_clusters(sums: ClusterSums, contrast: Contrast, arm: str, baseline: str) -> Facts:
    keys = sums.clusters(arm), sums.clusters(baseline)
    facts = Facts("mean", keys, clustered=True)
    pair = (sums.arm == arm) | (sums.arm == baseline)
    if not min(keys):
        return facts
    sizes = np.bincount(np.unique(sums.cluster[pair], return_inverse=True)[1], weights=sums.n[pair])
    treated, strata = sums.arm[pair] == arm, sums.stratum[pair]
    found = shape((sums.sums[pair] @ sums.weights(contrast)) / sums.n[pair], treated, strata)
    return facts._replace(
        size_cv=float(sizes.std() / sizes.mean()),
        skew=found.skew,
        spread=found.spread,
        draws=float(min(possible_draws(treated, strata), 10**18)),
    )


def _counts(data: Data, contrast: Contrast, arm: str, baseline: str) -> Any:
    """Successes and rows of both arms, where everything is one cell."""
    if len(comparable_cells(data.table, (arm, baseline))) != 1:
        return None
    [column] = contrast
    found = [data.table.of_arm(one) for one in (arm, baseline)]
    return tuple(
        (successes(data.table, column, one), moments.n)
        for one, moments in zip((arm, baseline), found, strict=True)
        if moments
    )


def _redrawn(data: Data, contrast: Contrast, arm: str, baseline: str, seed: int) -> Estimated:
    keys: Keys | NotEstimable
    if data.sums is not None:
        keys = keys_of_clusters(data.sums, contrast)
    else:
        assert data.rows is not None
        keys = keys_of_rows(_outcome(data.rows, contrast), data.rows.arm, data.rows.cell)
    if isinstance(keys, NotEstimable):
        return keys
    draws = max(LEAST_DRAWS, min(DRAWS, WORK // max(1, keys.arm.size)))
    return redrawn(keys, arm, baseline, seed=seed, draws=draws)


def _with_ends(effect: Estimated, level: float) -> Estimated:
    if isinstance(effect, NotEstimable) or all(map(math.isfinite, effect.interval(level))):
        return effect
    return NotEstimable("too few possible draws of the arms for an interval")


def _outcome(rows: Rows, contrast: Contrast) -> Any:
    return sum(weight * rows.columns[column] for column, weight in contrast.items())
