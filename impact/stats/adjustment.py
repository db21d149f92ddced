"""Regression adjustment by covariates from before: Lin's estimator from moments, within cells."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from impact.stats.effects import NotEstimable, TEffect
from impact.stats.moments import Contrast, Moments, MomentTable, Share, comparable_cells

ROWS_PER_COVARIATE = 10


def lin(
    table: MomentTable, contrast: Contrast, covariates: Sequence[str], treated: str, baseline: str, rows: int = 20
) -> TEffect | NotEstimable:
    """Adjust the stratified difference by covariates, each arm with slopes of its own.

    Parameters
    ----------
    table : MomentTable
        With the contrast's columns and the covariates.
    contrast : mapping of column to weight
    covariates : sequence of str
        Columns known before assignment.
    treated, baseline : str
    rows : int
        Rows that an arm needs in a cell (and 10 for each covariate), else cells are merged.

    Returns
    -------
    TEffect or NotEstimable
        Per cell the adjusted means at the covariates' mean over all arms; their variance holds the leverage
        of each arm's covariate mean and the superpopulation term (b1 - b0)' Var(x) (b1 - b0) / N.

    References
    ----------
    Lin 2013, Annals of Applied Statistics 7; Negi and Wooldridge 2021, Econometric Reviews 40.
    """
    shares = comparable_cells(table, (treated, baseline), max(rows, ROWS_PER_COVARIATE * len(covariates)))
    if not shares:
        return NotEstimable("too few rows in an arm for its covariates")
    outcome = table.weights(contrast)
    at = [table.columns.index(name) for name in covariates]
    estimate = sampling = spread = superpopulation = 0.0
    for share in shares:
        effect, parts, by_slopes = _cell(share, outcome, at, treated, baseline)
        estimate += share.share * effect
        superpopulation += share.share**2 * by_slopes
        for variance, df in parts:
            sampling += share.share**2 * variance
            spread += (share.share**2 * variance) ** 2 / df
    if not sampling:
        return NotEstimable("no variance left after adjustment")
    return TEffect(estimate, float(np.sqrt(sampling + superpopulation)), sampling**2 / spread, "lin")


def _cell(
    share: Share, outcome: NDArray[np.float64], at: list[int], treated: str, baseline: str
) -> tuple[float, list[tuple[float, int]], float]:
    """Effect in one cell, (variance, degrees of freedom) of each adjusted mean, superpopulation term."""
    everyone = reduce(Moments.__add__, share.arms.values())
    means, slopes, parts = [], [], []
    for arm in (treated, baseline):
        moments = share.arms[arm]
        sxx = moments.comoments[np.ix_(at, at)]
        sxy = moments.comoments[at] @ outcome
        inverse = np.linalg.pinv(sxx, hermitian=True)
        slope = inverse @ sxy
        distance = moments.mean[at] - everyone.mean[at]
        df = moments.n - 1 - len(at)
        residual = max(0.0, float(outcome @ moments.comoments @ outcome - slope @ sxy)) / df
        means.append(float(outcome @ moments.mean - slope @ distance))
        slopes.append(slope)
        parts.append((residual * (1 / moments.n + float(distance @ inverse @ distance)), df))
    gap = slopes[0] - slopes[1]
    covariance = everyone.comoments[np.ix_(at, at)] / (everyone.n - 1)
    return means[0] - means[1], parts, float(gap @ covariance @ gap) / everyone.n
