"""Effects where clusters were randomized: CR2 standard errors from cluster sums."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from impact.stats.effects import NotEstimable, TEffect
from impact.stats.moments import Contrast, MomentTable, distinct


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
        keys, index = distinct([arms, strata, np.asarray(cluster, dtype=str)])
        # a constant's mean can differ from it by a rounding, which would look like a variance
        origin = np.where(np.ptp(values, axis=0) == 0, values[0], values.mean(axis=0))
        sums = np.zeros((len(keys), values.shape[1]))
        np.add.at(sums, index, values - origin)
        n = np.bincount(index, minlength=len(keys)).astype(np.float64)
        return cls(tuple(columns), origin, keys[:, 0], keys[:, 1], keys[:, 2], n, sums)

    def totals(self) -> MomentTable:
        """Moments of the clusters' sums, each one row; within strata where every cluster lies in one."""
        sums = self.sums + self.n[:, None] * self.origin
        keys, index = distinct([self.arm, self.cluster])
        if len(keys) == len(self.arm):
            return MomentTable.from_arrays(dict(zip(self.columns, sums.T, strict=True)), self.arm, self.stratum)
        whole = {name: np.bincount(index, weights=one) for name, one in zip(self.columns, sums.T, strict=True)}
        return MomentTable.from_arrays(whole, keys[:, 0])

    def weights(self, contrast: Contrast) -> NDArray[np.float64]:
        """Return the contrast as a vector over the columns, shape (k,)."""
        unknown = set(contrast) - set(self.columns)
        if unknown:
            raise ValueError(f"unknown column {sorted(unknown)[0]!r}, columns are {', '.join(self.columns)}")
        return np.array([contrast.get(column, 0.0) for column in self.columns])

    def clusters(self, arm: str) -> int:
        """How many clusters have rows in an arm."""
        return len(np.unique(self.cluster[self.arm == arm]))


class Design(NamedTuple):
    """Regression of the rows on one indicator for each arm x stratum, as sums over entries of cluster and indicator.

    Attributes
    ----------
    column, cluster : ndarray of int, shape (m,)
        Indicator and cluster of each entry; treated even, baseline odd.
    n, y : ndarray, shape (m,)
        Rows and sum of the outcome of each entry.
    rows, mean, signs : ndarray, shape (2 strata,)
        Rows and mean of each indicator, and its weight in the effect: the stratum's share of all rows.
    clusters : ndarray of str
    rounding : float
        Below this a sum of squared scores is nothing but rounding.
    """

    column: NDArray[np.int64]
    cluster: NDArray[np.int64]
    n: NDArray[np.float64]
    y: NDArray[np.float64]
    rows: NDArray[np.float64]
    mean: NDArray[np.float64]
    signs: NDArray[np.float64]
    clusters: NDArray[np.str_]
    rounding: float


def design(sums: ClusterSums, contrast: Contrast, treated: str, baseline: str) -> Design | NotEstimable:
    """Set up the regression that ``cr2`` and the wild bootstrap share.

    Parameters
    ----------
    sums, contrast, treated, baseline
        As in ``cr2``.

    Returns
    -------
    Design or NotEstimable
        The latter where a stratum has rows in one arm only.
    """
    pair = (sums.arm == treated) | (sums.arm == baseline)
    strata, stratum = np.unique(sums.stratum, return_inverse=True)
    share = np.bincount(stratum, weights=sums.n) / sums.n.sum()
    column = (2 * stratum + (sums.arm == baseline))[pair]
    n, y = sums.n[pair], sums.sums[pair] @ sums.weights(contrast)
    rows = np.bincount(column, weights=n, minlength=2 * len(strata)).astype(np.float64)
    if not rows.size or (rows == 0).any():
        return NotEstimable("a stratum has rows in one arm only")
    mean = np.bincount(column, weights=y, minlength=2 * len(strata)) / rows
    signs = np.tile([1.0, -1.0], len(strata)) * np.repeat(share, 2)
    clusters, cluster = np.unique(sums.cluster[pair], return_inverse=True)
    size = np.abs(signs / rows)[column] * (np.abs(y) + n * np.abs(mean[column]))
    return Design(column, cluster, n, y, rows, mean, signs, clusters, 1e-24 * float(size @ size))


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
    found = design(sums, contrast, treated, baseline)
    if isinstance(found, NotEstimable):
        return found
    column, cluster, n = found.column, found.cluster, found.n
    leverage = n / found.rows[column]
    if np.isclose(leverage, 1.0).any():
        return NotEstimable("an arm has a single cluster in a stratum")
    estimate = float(found.signs @ found.mean)
    loading = found.signs[column] / found.rows[column] / np.sqrt(1 - leverage)
    scores = np.bincount(cluster, weights=loading * (found.y - n * found.mean[column]))
    variance = float(scores @ scores)
    if variance <= found.rounding:
        return TEffect(estimate, 0.0, np.inf, "cluster_cr2")
    # G'G of Bell and McCaffrey is diag(d) - B B' with B = (n loading / sqrt(rows)) by cluster and column
    d = np.bincount(cluster, weights=n * loading**2)
    b = np.zeros((len(found.clusters), len(found.rows)))
    b[cluster, column] = n * loading / np.sqrt(found.rows[column])
    trace = d.sum() - (b**2).sum()
    squares = (d**2).sum() - 2 * (d * (b**2).sum(axis=1)).sum() + ((b.T @ b) ** 2).sum()
    return TEffect(estimate, float(np.sqrt(variance)), float(trace**2 / squares), "cluster_cr2")
