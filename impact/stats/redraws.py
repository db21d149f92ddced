"""Randomization inference: the effect against those of the draws that the mechanism could have made."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from impact.stats.clusters import ClusterSums
from impact.stats.drawn import DrawnEffect
from impact.stats.effects import NO_VARIANCE, NotEstimable
from impact.stats.moments import Contrast

DRAWS = 100_000
# with no more possible draws than this, each is looked at
EXACT_BELOW = 200_000
CHUNK = 20_000

Array = NDArray[np.float64]
Labels = NDArray[np.str_]


class Keys(NamedTuple):
    """What was randomized: rows or clusters, in every arm.

    Attributes
    ----------
    arm, stratum : ndarray of str, shape (k,)
        The stratum is that of the estimate.
    swap : ndarray of str, shape (k,)
        Keys with the same label could have had each other's arms: all of them after a complete
        randomization; those of a stratum, a block or a phase where the arms were dealt out within it.
        Assignment by hash counts as complete within its phase, given how large the arms came out.
    rows, sums : ndarray, shape (k,)
        Rows of each key and the sum of its outcome.
    """

    arm: Labels
    stratum: Labels
    swap: Labels
    rows: Array
    sums: Array


def keys_of_rows(
    outcome: ArrayLike, arm: ArrayLike, stratum: ArrayLike | None = None, swap: ArrayLike | None = None
) -> Keys:
    """Keys where each row was randomized, arrays of shape (n,); swapped within strata unless said otherwise.

    Parameters
    ----------
    outcome : array, shape (n,)
    arm, stratum, swap : array of str, shape (n,)
        As in ``Keys``; one stratum and swapped within strata by default.
    """
    arms, y = np.asarray(arm, dtype=str), np.asarray(outcome, dtype=np.float64)
    strata = np.full(arms.shape, "") if stratum is None else np.asarray(stratum, dtype=str)
    return Keys(arms, strata, strata if swap is None else np.asarray(swap, dtype=str), np.ones(y.size), y)


def keys_of_clusters(sums: ClusterSums, contrast: Contrast, swap: ArrayLike | None = None) -> Keys | NotEstimable:
    """Keys where whole clusters were randomized, within strata unless ``swap`` says otherwise.

    Parameters
    ----------
    sums : ClusterSums
    contrast : mapping of column to weight
    swap : array of str, shape (m,), optional
        One label for each entry of ``sums``.

    Returns
    -------
    Keys or NotEstimable
        The latter where a cluster has rows in several arms or strata.
    """
    if len(np.unique(sums.cluster)) < sums.cluster.size:
        return NotEstimable("a cluster has rows in two arms or strata, so clusters weren't what was randomized")
    strata = sums.stratum if swap is None else np.asarray(swap, dtype=str)
    return Keys(sums.arm, sums.stratum, strata, sums.n, sums.sums @ sums.weights(contrast))


def redrawn(
    keys: Keys, treated: str, baseline: str, *, seed: int, draws: int = DRAWS, exact_below: int = EXACT_BELOW
) -> DrawnEffect | NotEstimable:
    """Estimate the difference between two arms, judged against other draws of the same mechanism.

    Parameters
    ----------
    keys : Keys
        Of every arm; only those of the two arms are swapped, with each other.
    treated, baseline : str
    seed : int
        Of the draws, where not all are looked at.
    draws : int
        How many, where more than ``exact_below`` are possible.

    Returns
    -------
    DrawnEffect or NotEstimable
        Sum over strata of the difference between the arms' means, weighted by the strata's shares of all
        rows, over its standard error. p is exact if the treatment shifts every row alike, and asymptotically
        right for the average effect if it doesn't.

    References
    ----------
    Wu and Ding 2021, Journal of the American Statistical Association 116; Imbens and Rubin 2015, Causal
    Inference, chapter 5.
    """
    pair = (keys.arm == treated) | (keys.arm == baseline)
    arm = keys.arm[pair] == treated
    strata = keys.stratum
    counts = [(arm[strata[pair] == s].sum(), (~arm[strata[pair] == s]).sum()) for s in np.unique(strata)]
    if min(min(pair) for pair in counts) < 2:
        # too thin for a variance of its own: one stratum, though still redrawn as it was drawn
        strata = np.full(strata.shape, "")
    if min(arm.sum(), (~arm).sum()) < 2:
        return NotEstimable("fewer than two randomized keys in an arm")
    shares = {str(s): float(keys.rows[strata == s].sum() / keys.rows.sum()) for s in np.unique(strata)}
    treated_rows, y, swap = keys.rows[pair] * arm, keys.sums[pair].copy(), keys.swap[pair]
    terms = _Terms(strata[pair], shares, keys.rows[pair])
    for stratum in shares:
        # around the stratum's mean, so that an offset of all rows costs no digits
        mine = terms.strata == stratum
        y[mine] -= terms.rows[mine] * (y[mine].sum() / terms.rows[mine].sum())
    numerators, variances = terms.of(arm[None, :], y, treated_rows)
    estimate, square = float(numerators[0, 0]), float(variances[0, 0])
    # what is left of arms that are constant is rounding
    if not square > 1e-14 * float(y @ y) / len(y) ** 2:
        return NotEstimable(NO_VARIANCE)
    exact = possible_draws(arm, swap) <= exact_below
    found = [
        terms.of(draw, y - estimate * treated_rows, treated_rows)
        for draw in (_all(arm, swap) if exact else _some(arm, swap, draws, np.random.default_rng(seed)))
    ]
    return DrawnEffect(
        estimate,
        math.sqrt(square),
        "randomization",
        np.concatenate([above for above, _ in found]),
        np.concatenate([below for _, below in found]),
        exact,
    )


def possible_draws(arm: NDArray[np.bool_], swap: Labels) -> int:
    """Count the ways in which the arms could have fallen.

    Parameters
    ----------
    arm : ndarray of bool, shape (k,)
        Treated or not.
    swap : ndarray of str, shape (k,)
    """
    return math.prod(math.comb(int((swap == s).sum()), int(arm[swap == s].sum())) for s in np.unique(swap))


class _Terms(NamedTuple):
    """The statistic's numerator and variance as polynomials of a constant effect, for many draws at once."""

    strata: Labels
    shares: dict[str, float]
    rows: Array

    def of(self, draws: NDArray[np.bool_], y: Array, treated_rows: Array) -> tuple[Array, Array]:
        """Draws of shape (m, k), outcome y + d treated_rows -> coefficients, shapes (m, 2) and (m, 3)."""
        numerators, variances = np.zeros((len(draws), 2)), np.zeros((len(draws), 3))
        for stratum, share in self.shares.items():
            mine = self.strata == stratum
            n, a, b = self.rows[mine], y[mine], treated_rows[mine]
            columns = np.column_stack([np.ones(n.size), n, a, b, n * n, n * a, n * b, a * a, a * b, b * b])
            of_treated = draws[:, mine].astype(np.float64) @ columns
            for sign, sums in ((1.0, of_treated), (-1.0, columns.sum(axis=0) - of_treated)):
                keys, total, sa, sb, nn, na, nb, aa, ab, bb = sums.T
                mean_a, mean_b = sa / total, sb / total
                scale = share**2 * keys / (keys - 1) / total**2
                numerators += sign * share * np.column_stack([mean_a, mean_b])
                variances[:, 0] += scale * (aa - 2 * mean_a * na + mean_a**2 * nn)
                variances[:, 1] += scale * 2 * (ab - mean_a * nb - mean_b * na + mean_a * mean_b * nn)
                variances[:, 2] += scale * (bb - 2 * mean_b * nb + mean_b**2 * nn)
        return numerators, variances


def _all(arm: NDArray[np.bool_], swap: Labels) -> Iterator[NDArray[np.bool_]]:
    """Every draw, in pieces of shape (m, k)."""
    sets = [np.flatnonzero(swap == s) for s in np.unique(swap)]
    ways = [_ways(at.size, int(arm[at].sum())) for at in sets]
    shape = tuple(len(way) for way in ways)
    for start in range(0, math.prod(shape), CHUNK):
        places = np.unravel_index(np.arange(start, min(start + CHUNK, math.prod(shape))), shape)
        draws = np.zeros((places[0].size, arm.size), dtype=bool)
        for at, way, place in zip(sets, ways, places, strict=True):
            draws[:, at] = way[place]
        yield draws


def _ways(keys: int, treated: int) -> NDArray[np.bool_]:
    """All ways to treat so many of these keys, shape (ways, keys)."""
    count = math.comb(keys, treated)
    chosen = np.fromiter(itertools.chain.from_iterable(itertools.combinations(range(keys), treated)), dtype=np.int64)
    ways = np.zeros((count, keys), dtype=bool)
    ways[np.repeat(np.arange(count), treated), chosen] = True
    return ways


def _some(arm: NDArray[np.bool_], swap: Labels, count: int, rng: np.random.Generator) -> Iterator[NDArray[np.bool_]]:
    """Random draws, in pieces of shape (m, k)."""
    sets = [np.flatnonzero(swap == s) for s in np.unique(swap)]
    for start in range(0, count, CHUNK):
        draws = np.zeros((min(CHUNK, count - start), arm.size), dtype=bool)
        for at in sets:
            # ranking random numbers deals the arms out anew within the set
            ranks = rng.random((len(draws), at.size)).argsort(axis=1).argsort(axis=1)
            draws[:, at] = ranks < arm[at].sum()
        yield draws
