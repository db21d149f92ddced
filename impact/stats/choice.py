"""Which method a comparison gets, from its design and its counts, and why."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

from impact.stats.adjustment import ROWS, ROWS_PER_COVARIATE
from impact.stats.exact import feasible
from impact.stats.tails import rows_for_normality

FEW_ROWS = 20
FEW_CLUSTERS = 10
UNEASY_CLUSTERS = 40
UNBALANCED = 0.5
FEW_SUCCESSES = 5
COUNTS_JUMP = 50
FEW_DRAWS = 200
# beyond, redrawing them all takes longer than it tells
MANY_KEYS = 2_000
UNEQUAL_SPREAD = 1.5
FEW_DECIDE = 2.0

Counts = tuple[tuple[int, int], tuple[int, int]]


class Facts(NamedTuple):
    """What the choice depends on.

    Attributes
    ----------
    kind : str
        ``mean`` (net value and any other), ``proportion`` or ``ratio``.
    keys : tuple of int
        Randomized keys of the treated arm and of the baseline: rows, or clusters where those were randomized.
    clustered : bool
        Whole clusters were randomized.
    strata : int
        Cells of stratum x phase.
    counts : pair of (successes, rows), optional
        Of the treated arm and the baseline, for a proportion.
    covariates : int
        Columns from before that the plan names.
    size_cv : float
        Coefficient of variation of the clusters' sizes.
    skew : float
        Largest size of the arms' skewness, where it is known.
    spread : float
        Larger standard deviation of the two arms over the smaller one, where it is known.
    draws : float
        Possible draws of the arms (``redraws.possible_draws``), where few keys were randomized.
    """

    kind: Literal["mean", "proportion", "ratio"]
    keys: tuple[int, int]
    clustered: bool = False
    strata: int = 1
    counts: Counts | None = None
    covariates: int = 0
    size_cv: float = 0.0
    skew: float = 0.0
    spread: float = 1.0
    draws: float = math.inf


class Choice(NamedTuple):
    """A method, why it is the one, what is shown beside it, and what to say on its face.

    Attributes
    ----------
    method : str
        ``none``, ``stratified`` (one cell: Welch), ``score``, ``exact``, ``delta``, ``cluster_cr2`` or
        ``randomization``.
    reason : str
    beside : tuple of str
        ``lin``, ``wild_bootstrap``: labelled, with no p-value of the family.
    warnings : tuple of str
    """

    method: str
    reason: str
    beside: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def choose(facts: Facts) -> Choice:
    """Choose the method of a comparison; the first rule that fits decides.

    Parameters
    ----------
    facts : Facts

    Returns
    -------
    Choice
    """
    fewest = min(facts.keys)
    if fewest < 2:
        return Choice("none", "fewer than two randomized keys in an arm")
    if facts.kind == "ratio":
        return _of_ratio(facts, fewest)
    if facts.clustered and fewest < FEW_CLUSTERS:
        return Choice("randomization", f"{fewest} clusters in an arm, fewer than {FEW_CLUSTERS}", (), _few(facts))
    if facts.clustered:
        uneasy = sum(facts.keys) < UNEASY_CLUSTERS or facts.size_cv > UNBALANCED
        return Choice("cluster_cr2", "clusters were randomized", ("wild_bootstrap",) if uneasy else (), _heavy(facts))
    if facts.kind == "proportion" and facts.strata == 1 and facts.counts:
        few = min(min(x, n - x) for x, n in facts.counts)
        if few < FEW_SUCCESSES and feasible(*facts.counts):
            reason = f"{few} successes or failures in an arm, fewer than {FEW_SUCCESSES}"
            return Choice("exact", reason, (), ("rejects less often than alpha",))
        jumps = ("counts of so few rows jump: rejects more or less often than alpha",) if fewest < COUNTS_JUMP else ()
        return Choice("score", "a proportion in one stratum", (), jumps)
    lopsided: tuple[str, ...] = ()
    if fewest < FEW_ROWS:
        reason = f"{fewest} rows in an arm, fewer than {FEW_ROWS}"
        if sum(facts.keys) <= MANY_KEYS:
            return Choice("randomization", reason, (), _few(facts))
        lopsided = (f"{reason}: holds for normal rows",)
    enough = facts.covariates and fewest >= max(ROWS, ROWS_PER_COVARIATE * facts.covariates)
    reason = "rows were randomized" + (" within strata" if facts.strata > 1 else "")
    return Choice("stratified", reason, ("lin",) if enough else (), lopsided + _heavy(facts))


def _of_ratio(facts: Facts, fewest: int) -> Choice:
    """Ratios have their errors from many keys or not at all."""
    least, keys = (FEW_CLUSTERS, "clusters") if facts.clustered else (FEW_ROWS, "rows")
    if fewest < least:
        return Choice("none", f"{fewest} {keys} in an arm, fewer than the {least} that a ratio of sums needs")
    return Choice("delta", f"a ratio of sums over {keys}", (), _heavy(facts))


def _heavy(facts: Facts) -> tuple[str, ...]:
    """Warn of tails that the mean of so few rows isn't normal with."""
    # beyond what normal rows show by chance
    skew = max(0.0, facts.skew - 2 * math.sqrt(6 / min(facts.keys)))
    needed = rows_for_normality(skew)
    if min(facts.keys) >= needed:
        return ()
    return (f"heavy tails: {needed:.0f} {'clusters' if facts.clustered else 'rows'} an arm for a normal mean",)


def _few(facts: Facts) -> tuple[str, ...]:
    """Warn of what randomization inference doesn't hold with, beyond an effect that is the same everywhere."""
    return tuple(
        warning
        for warning, applies in (
            (f"{facts.draws:.0f} possible draws: rejects less often than alpha", facts.draws < FEW_DRAWS),
            ("spreads differ: exact only for an effect that is the same everywhere", facts.spread > UNEQUAL_SPREAD),
            ("heavy tails: a few rows decide", facts.skew > FEW_DECIDE),
        )
        if applies
    )
