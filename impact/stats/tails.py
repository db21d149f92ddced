"""Heavy tails: capped values beside raw ones, and whether a few rows decide."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from impact.stats import ranges


def cap(values: ArrayLike, quantile: float) -> float:
    """Where values are capped: a quantile of all arms' rows together, zeros included.

    Parameters
    ----------
    values : array, shape (n,)
        Values of every row, not the net: cost stays uncapped. n >= 1.
    quantile : float
        In (0, 1), agreed beforehand.

    Returns
    -------
    float
        By linear interpolation, numpy's default and DuckDB's ``quantile_cont``.
    """
    return float(np.quantile(np.asarray(values, dtype=np.float64), ranges.share("quantile", quantile)))


def capped_net(value: ArrayLike, cost: ArrayLike, at: float) -> NDArray[np.float64]:
    """Net value of each row, shape (n,), with its value capped and its cost as it is.

    Parameters
    ----------
    value, cost : array, shape (n,)
        In money.
    at : float
        The cap, in money.
    """
    return np.minimum(np.asarray(value, dtype=np.float64), at) - np.asarray(cost, dtype=np.float64)


def top_share(values: ArrayLike, rows: float = 0.001) -> float:
    """Share of the sum of sizes that the largest rows hold; nan if every value is 0.

    Parameters
    ----------
    values : array, shape (n,)
        Sizes count, signs don't.
    rows : float
        Share of the rows, in (0, 1); at least one row.
    """
    sizes = np.abs(np.asarray(values, dtype=np.float64))
    count = max(1, round(ranges.share("rows", rows) * sizes.size))
    total = float(sizes.sum())
    return float(np.partition(sizes, sizes.size - count)[-count:].sum()) / total if total else math.nan


def skewness(values: ArrayLike) -> float:
    """Third standardized moment of the values, shape (n,); 0 where they don't vary.

    Parameters
    ----------
    values : array, shape (n,)
        n >= 1.
    """
    given = np.asarray(values, dtype=np.float64)
    centred = given - given.mean()
    spread = float((centred**2).mean())
    return float((centred**3).mean()) / spread**1.5 if spread and np.ptp(given) else 0.0


class Shape(NamedTuple):
    """How two arms' rows lie around their means.

    Attributes
    ----------
    skew : float
        Larger size of the two skewnesses.
    spread : float
        Larger standard deviation over the smaller one; inf where one arm doesn't vary.
    """

    skew: float
    spread: float


def shape(values: ArrayLike, treated: ArrayLike, stratum: ArrayLike | None = None) -> Shape:
    """Shape of two arms' rows (or of clusters' means) around the means of their strata.

    Parameters
    ----------
    values : array, shape (n,)
    treated : array of bool, shape (n,)
        Treated arm or baseline; at least one row of each.
    stratum : array of str, shape (n,)
        One for all by default.
    """
    left, arm = np.array(values, dtype=np.float64), np.asarray(treated, dtype=bool)
    labels = np.full(left.shape, "") if stratum is None else np.asarray(stratum, dtype=str)
    for label in np.unique(labels):
        for side in (arm, ~arm):
            mine = side & (labels == label)
            left[mine] -= left[mine].mean() if mine.any() else 0.0
    low, high = sorted(float(left[side].std()) for side in (arm, ~arm))
    return Shape(
        max(abs(skewness(left[side])) for side in (arm, ~arm)), high / low if low else math.inf if high else 1.0
    )


def rows_for_normality(skew: float) -> float:
    """Rows an arm needs before its mean is normal enough for a 95 % interval: 355 skew^2.

    Parameters
    ----------
    skew : float
        Skewness of one arm's rows.

    References
    ----------
    Kohavi, Deng, Longbotham and Xu 2014, KDD, rule 7.
    """
    return 355.0 * skew**2
