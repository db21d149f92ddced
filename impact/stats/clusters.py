"""Effects where clusters were randomized: CR2 standard errors from cluster sums."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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

    def clusters(self, arm: str, strata: Sequence[str] | None = None) -> int:
        """How many clusters have rows in an arm, of these strata where they are named."""
        mine = self.arm == arm
        if strata is not None:
            mine &= np.isin(self.stratum, list(strata))
        return len(np.unique(self.cluster[mine]))


class Design(NamedTuple):
    """Regression of the rows on one indicator for each arm x stratum, as sums over entries of cluster and indicator.

    Attributes
    ----------
    column, cluster : ndarray of int, shape (m,)
        Indicator and cluster of each entry.
    n, y : ndarray, shape (m,)
        Rows and sum of the outcome of each entry.
    rows, mean, signs : ndarray, shape (indicators,)
        Rows and mean of each indicator, and its weight in the effect: plus or minus the stratum's share of all rows.
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
    signs: dict[tuple[str, str], float] = {}
    for stratum, share in shares(sums).items():
        signs |= {(treated, stratum): share, (baseline, stratum): -share}
    return regression(sums, contrast, signs)


def shares(sums: ClusterSums) -> dict[str, float]:
    """Each stratum's share of all rows.

    Parameters
    ----------
    sums : ClusterSums

    Returns
    -------
    dict of stratum to float
        In (0, 1], they sum to 1.
    """
    strata, stratum = np.unique(sums.stratum, return_inverse=True)
    found = np.bincount(stratum, weights=sums.n) / sums.n.sum()
    return dict(zip(strata.tolist(), found.tolist(), strict=True))


def regression(sums: ClusterSums, contrast: Contrast, signs: Mapping[tuple[str, str], float]) -> Design | NotEstimable:
    """Set up the regression for any sum of means of arms in strata.

    Parameters
    ----------
    sums : ClusterSums
    contrast : mapping of column to weight
    signs : mapping of (arm, stratum) to weight
        What each mean counts in the sum.

    Returns
    -------
    Design or NotEstimable
        The latter where one of them has no rows.
    """
    places = {key: place for place, key in enumerate(signs)}
    found = [places.get(key, -1) for key in zip(sums.arm.tolist(), sums.stratum.tolist(), strict=True)]
    place = np.array(found, dtype=int)
    counted = place >= 0
    column, n, y = place[counted], sums.n[counted], sums.sums[counted] @ sums.weights(contrast)
    rows = np.bincount(column, weights=n, minlength=len(signs)).astype(np.float64)
    if not rows.size or (rows == 0).any():
        return NotEstimable("a stratum has rows in one arm only")
    mean = np.bincount(column, weights=y, minlength=len(signs)) / rows
    weights = np.array(list(signs.values()))
    clusters, cluster = np.unique(sums.cluster[counted], return_inverse=True)
    size = np.abs(weights / rows)[column] * (np.abs(y) + n * np.abs(mean[column]))
    return Design(column, cluster, n, y, rows, mean, weights, clusters, 1e-24 * float(size @ size))


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
    return found if isinstance(found, NotEstimable) else robust(found)


def robust(found: Design) -> TEffect | NotEstimable:
    """Estimate what a regression was set up for, with the errors of ``cr2``.

    Parameters
    ----------
    found : Design

    Returns
    -------
    TEffect or NotEstimable
        The latter where an arm has a single cluster in a stratum.
    """
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
