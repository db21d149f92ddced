"""Effects where few or unequal clusters were randomized: the wild cluster bootstrap, from cluster sums."""

from __future__ import annotations

import math

import numpy as np

from impact.stats.clusters import ClusterSums, Design, design
from impact.stats.drawn import DrawnEffect
from impact.stats.effects import NO_VARIANCE, NotEstimable
from impact.stats.moments import Contrast

DRAWS = 9_999
CHUNK = 2_000


def wild_bootstrap(
    sums: ClusterSums, contrast: Contrast, treated: str, baseline: str, *, seed: int, draws: int = DRAWS
) -> DrawnEffect | NotEstimable:
    """Estimate the difference with residuals of whole clusters redrawn under the null.

    Parameters
    ----------
    sums : ClusterSums
    contrast : mapping of column to weight
    treated, baseline : str
    seed : int
    draws : int

    Returns
    -------
    DrawnEffect or NotEstimable
        The same regression as ``cr2``, fitted with the effect held at the null; each cluster's residuals keep
        or change their sign, and the statistic with cluster-robust errors is compared with its draws.

    References
    ----------
    Cameron, Gelbach and Miller 2008, Review of Economics and Statistics 90; MacKinnon, Nielsen and Webb 2023,
    Journal of Econometrics 232.
    """
    found = design(sums, contrast, treated, baseline)
    if isinstance(found, NotEstimable):
        return found
    if len(found.clusters) < 3:
        return NotEstimable("fewer than three clusters")
    g, columns = len(found.clusters), found.rows.size
    n, left = np.zeros((g, columns)), np.zeros((g, columns))
    n[found.cluster, found.column] = found.n
    left[found.cluster, found.column] = found.y - found.n * found.mean[found.column]
    slope = found.signs / found.rows
    square = float(((left @ slope) ** 2).sum())
    if square <= found.rounding:
        return NotEstimable(NO_VARIANCE)
    # holding the effect one lower moves the fitted means by this much
    step = slope / float(slope @ found.signs)
    numerators, variances = [], []
    rng = np.random.default_rng(seed)
    for start in range(0, draws, CHUNK):
        flips = 2.0 * rng.integers(0, 2, (min(CHUNK, draws - start), g)) - 1
        own, moved = (_drawn(flips, residuals, n, found, slope) for residuals in (left, n * step))
        numerators.append(np.column_stack([own[0], moved[0]]))
        variances.append(
            np.column_stack([(own[1] ** 2).sum(1), 2 * (own[1] * moved[1]).sum(1), (moved[1] ** 2).sum(1)])
        )
    estimate = float(found.signs @ found.mean)
    return DrawnEffect(
        estimate, math.sqrt(square), "wild_bootstrap", np.concatenate(numerators), np.concatenate(variances), False
    )


def _drawn(
    flips: np.ndarray, residuals: np.ndarray, n: np.ndarray, found: Design, slope: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Effect and clusters' scores of each draw; flips (m, g), residuals and n (g, columns)."""
    shift = flips @ residuals / found.rows
    return shift @ found.signs, flips * (residuals @ slope) - shift @ (n * slope).T
