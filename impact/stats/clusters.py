"""Effects where clusters were randomized: CR2 standard errors from cluster sums."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from impact.stats.effects import NotEstimable, TEffect
from impact.stats.moments import Contrast


@dataclass(frozen=True, slots=True)
class ClusterSums:
    """Rows and column sums of every cluster in every arm and stratum it has rows in.

    Attributes
    ----------
    columns : tuple of str
    origin : ndarray, shape (k,)
        Subtracted from every row before summing.
    arm, stratum, cluster : ndarray of str, shape (m,)
        What each of the m entries belongs to; (arm, stratum, cluster) is unique.
    n : ndarray, shape (m,)
        Rows of the entry.
    sums : ndarray, shape (m, k)
        Sums of (x - origin) over the entry's rows.
    """

    columns: tuple[str, ...]
    origin: NDArray[np.float64]
    arm: NDArray[np.str_]
    stratum: NDArray[np.str_]
    cluster: NDArray[np.str_]
    n: NDArray[np.float64]
    sums: NDArray[np.float64]

    @classmethod
    def from_arrays(
        cls, columns: Mapping[str, ArrayLike], arm: ArrayLike, cluster: ArrayLike, stratum: ArrayLike | None = None
    ) -> ClusterSums:
        """Aggregate rows held in memory; every array has shape (n,)."""
        values = np.column_stack([np.asarray(column, dtype=np.float64) for column in columns.values()])
        arms = np.asarray(arm, dtype=str)
        strata = np.full(arms.shape, "") if stratum is None else np.asarray(stratum, dtype=str)
        keys, index = np.unique(
            np.column_stack([arms, strata, np.asarray(cluster, dtype=str)]), axis=0, return_inverse=True
        )
        origin = values.mean(axis=0)
        sums = np.zeros((len(keys), values.shape[1]))
        np.add.at(sums, index, values - origin)
        n = np.bincount(index, minlength=len(keys)).astype(np.float64)
        return cls(tuple(columns), origin, keys[:, 0], keys[:, 1], keys[:, 2], n, sums)

    def clusters(self, arm: str) -> int:
        """How many clusters have rows in an arm."""
        return len(np.unique(self.cluster[self.arm == arm]))


def cr2(sums: ClusterSums, contrast: Contrast, treated: str, baseline: str) -> TEffect | NotEstimable:
    """Estimate the difference with bias-reduced cluster-robust errors.

    Ordinary least squares on one indicator for each arm x stratum, combined with the strata's shares of
    all rows. Its residuals are adjusted cluster by cluster (CR2), which for indicators needs no more than
    sums: in column j the adjustment is (1 - n_gj / n_j)^(-1/2).

    Parameters
    ----------
    sums : ClusterSums
    contrast : mapping of column to weight
    treated, baseline : str

    Returns
    -------
    TEffect or NotEstimable
        Degrees of freedom of Bell and McCaffrey 2002 under independent rows.

    References
    ----------
    Bell and McCaffrey 2002, Survey Methodology 28; Pustejovsky and Tipton 2018, Journal of Business and
    Economic Statistics 36.
    """
    weights = np.array([contrast.get(column, 0.0) for column in sums.columns])
    pair = (sums.arm == treated) | (sums.arm == baseline)
    strata, stratum = np.unique(sums.stratum, return_inverse=True)
    share = np.bincount(stratum, weights=sums.n) / sums.n.sum()
    # one column of the design for each stratum and arm: treated even, baseline odd
    column = (2 * stratum + (sums.arm == baseline))[pair]
    n, y = sums.n[pair], sums.sums[pair] @ weights
    rows = np.bincount(column, weights=n, minlength=2 * len(strata))
    if (rows == 0).any():
        return NotEstimable("a stratum has rows in one arm only")
    mean = np.bincount(column, weights=y, minlength=2 * len(strata)) / rows
    signs = np.tile([1.0, -1.0], len(strata)) * np.repeat(share, 2)

    leverage = n / rows[column]
    if np.isclose(leverage, 1.0).any():
        return NotEstimable("an arm has a single cluster in a stratum")
    loading = signs[column] / rows[column] / np.sqrt(1 - leverage)
    clusters, cluster = np.unique(sums.cluster[pair], return_inverse=True)
    scores = np.bincount(cluster, weights=loading * (y - n * mean[column]))
    variance = float(scores @ scores)
    if not variance:
        return NotEstimable("no variance between the clusters")

    # G'G of Bell and McCaffrey is diag(d) - B B' with B = (n loading / sqrt(rows)) by cluster and column
    d = np.bincount(cluster, weights=n * loading**2)
    b = np.zeros((len(clusters), len(rows)))
    b[cluster, column] = n * loading / np.sqrt(rows[column])
    trace = d.sum() - (b**2).sum()
    squares = (d**2).sum() - 2 * (d * (b**2).sum(axis=1)).sum() + ((b.T @ b) ** 2).sum()
    return TEffect(float(signs @ mean), float(np.sqrt(variance)), float(trace**2 / squares), "cluster_cr2")
