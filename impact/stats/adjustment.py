"""Regression adjustment by covariates from before: Lin's estimator and CUPED, from moments, within cells."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import reduce
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from impact.stats.effects import ArmMeans, NotEstimable, TEffect, difference
from impact.stats.moments import Contrast, Moments, MomentTable, Share, comparable_cells

ROWS = 20
ROWS_PER_COVARIATE = 10
TOO_FEW_ROWS = "too few rows in an arm for its covariates"

Array = NDArray[np.float64]


class Parts(NamedTuple):
    """An adjusted difference, taken apart.

    Attributes
    ----------
    effect : TEffect
    means : ArmMeans
        Adjusted means of both arms, origin included.
    residual, leverage, superpopulation : float
        What se^2 is the sum of: the residuals' share, that of the arms' covariate means, and that of the
        rows as a sample with slopes that differ between the arms.
    """

    effect: TEffect
    means: ArmMeans
    residual: float
    leverage: float
    superpopulation: float


def lin(
    table: MomentTable, contrast: Contrast, covariates: Sequence[str], treated: str, baseline: str, rows: int = ROWS
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
    parts = lin_parts(table, contrast, covariates, treated, baseline, rows)
    return parts if isinstance(parts, NotEstimable) else parts.effect


def lin_parts(
    table: MomentTable, contrast: Contrast, covariates: Sequence[str], treated: str, baseline: str, rows: int = ROWS
) -> Parts | NotEstimable:
    """Return ``lin`` with what its error is made of, and the adjusted means that a lift needs.

    Parameters
    ----------
    table, contrast, covariates, treated, baseline, rows
        As in ``lin``.

    Returns
    -------
    Parts or NotEstimable
    """
    shares = comparable_cells(table, (treated, baseline), max(rows, ROWS_PER_COVARIATE * len(covariates)))
    if not shares:
        return NotEstimable(TOO_FEW_ROWS)
    outcome = table.weights(contrast)
    at = [table.columns.index(name) for name in covariates]
    return adjusted(shares, {treated: outcome, baseline: outcome}, at, float(outcome @ table.origin), "lin")


def adjusted(
    shares: Sequence[Share], outcomes: Mapping[str, Array], at: list[int], origin: float, method: str
) -> Parts:
    """Adjusted difference between the first and the second arm of ``outcomes``.

    Parameters
    ----------
    shares : sequence of Share
        Cells with enough rows.
    outcomes : mapping of arm to ndarray, shape (k,)
        Each arm's outcome as weights over the columns.
    at : list of int
        Positions of the covariates, maybe none.
    origin : float
        Added to both arms' means.
    method : str
        For the effect.
    """
    residual = leverage = superpopulation = spread = covariance = 0.0
    means, variances = [0.0, 0.0], [0.0, 0.0]
    for share, arms in shares:
        everyone = reduce(Moments.__add__, arms.values())
        slopes = np.zeros((2, len(at)))
        for side, (arm, outcome) in enumerate(outcomes.items()):
            fit = _fit(arms[arm], everyone, outcome, at)
            own = share**2 * (fit.residual + fit.leverage)
            means[side] += share * fit.mean
            variances[side] += own
            residual += share**2 * fit.residual
            leverage += share**2 * fit.leverage
            spread += own**2 / fit.df
            slopes[side] = fit.slopes
        (high, both), (_, low) = (
            slopes @ everyone.comoments[at][:, at] @ slopes.T * (share**2 / (everyone.n - 1) / everyone.n)
        )
        superpopulation += max(0.0, float(high + low - 2 * both))
        variances[0] += float(high)
        variances[1] += float(low)
        covariance += float(both)
    sampling = residual + leverage
    df = sampling**2 / spread if spread else math.inf
    effect = TEffect(means[0] - means[1], math.sqrt(sampling + superpopulation), df, method)
    arm_means = ArmMeans(means[0] + origin, means[1] + origin, variances[0], variances[1], covariance)
    return Parts(effect, arm_means, residual, leverage, superpopulation)


def cuped(
    table: MomentTable, contrast: Contrast, covariates: Sequence[str], treated: str, baseline: str, rows: int = ROWS
) -> TEffect | NotEstimable:
    """Adjust the stratified difference by covariates with one slope for all arms and cells.

    Parameters
    ----------
    table, contrast, covariates, treated, baseline, rows
        As in ``lin``.

    Returns
    -------
    TEffect or NotEstimable
        The stratified difference of outcome - theta covariates, theta from the co-moments of all arms
        together, within cells.

    References
    ----------
    Deng, Xu, Kohavi and Walker 2013, WSDM. Theta counts as known: with few rows, or slopes that differ and
    arms of different size, the error comes out too small, and ``lin`` is the one to use.
    """
    if not comparable_cells(table, (treated, baseline), max(rows, ROWS_PER_COVARIATE * len(covariates))):
        return NotEstimable(TOO_FEW_ROWS)
    theta = slopes(table, contrast, covariates)
    moved = {**contrast, **{name: contrast.get(name, 0.0) - slope for name, slope in theta.items()}}
    effect = difference(table, moved, treated, baseline)
    return effect if isinstance(effect, NotEstimable) else TEffect(effect.estimate, effect.se, effect.df, "cuped")


def slopes(table: MomentTable, contrast: Contrast, covariates: Sequence[str]) -> dict[str, float]:
    """CUPED's theta for each covariate: one slope over all arms, within stratum x phase.

    Parameters
    ----------
    table : MomentTable
    contrast : mapping of column to weight
        The outcome.
    covariates : sequence of str

    Returns
    -------
    dict of str to float
        In units of the outcome per unit of the covariate; 0 for one that doesn't vary.
    """
    cells: dict[tuple[str, str], Moments] = {}
    for cell, moments in table.cells.items():
        key = cell.stratum, cell.phase
        cells[key] = cells[key] + moments if key in cells else moments
    rows = np.array([table.weights(contrast), *(table.weights({name: 1.0}) for name in covariates)])
    comoments = np.sum([moments.combined(rows).comoments for moments in cells.values()], axis=0)
    slope, _, _ = _solve(comoments[1:, 1:], comoments[1:, 0])
    return dict(zip(covariates, map(float, slope), strict=True))


def missing_by_indicator(name: str, values: ArrayLike) -> dict[str, Array]:
    """Two covariates in place of one with gaps: its values, centred and 0 where missing, and whether it is.

    Parameters
    ----------
    name : str
        Of the covariate; the second one is called ``<name>_missing``.
    values : array, shape (n,)
        nan where missing.
    """
    given = np.asarray(values, dtype=np.float64)
    missing = np.isnan(given)
    centre = given[~missing].mean() if not missing.all() else 0.0
    return {name: np.where(missing, 0.0, given - centre), f"{name}_missing": missing.astype(np.float64)}


class _Fit(NamedTuple):
    """One arm of one cell: adjusted mean, its variance in two parts, degrees of freedom, slopes."""

    mean: float
    residual: float
    leverage: float
    df: int
    slopes: Array


def _fit(moments: Moments, everyone: Moments, outcome: Array, at: list[int]) -> _Fit:
    rows = np.zeros((1 + len(at), outcome.size))
    rows[0] = outcome
    rows[range(1, 1 + len(at)), at] = 1.0
    mine = moments.combined(rows)
    if math.isnan(mine.comoments.sum()):
        raise ValueError("co-moments of these columns weren't aggregated")
    syy, sxy, sxx = mine.comoments[0, 0], mine.comoments[1:, 0], mine.comoments[1:, 1:]
    slope, inverse, rank = _solve(sxx, sxy)
    distance = mine.mean[1:] - everyone.mean[at]
    df = moments.n - 1 - rank
    left = float(syy - slope @ sxy)
    variance = left / df if left > 1e-14 * syy else 0.0
    leverage = variance * float(distance @ inverse @ distance)
    return _Fit(float(mine.mean[0] - slope @ distance), variance / moments.n, leverage, df, slope)


def _solve(sxx: Array, sxy: Array) -> tuple[Array, Array, int]:
    """Slopes, inverse of sxx, and rank; in units of the covariates' own spread, so that scales don't matter."""
    if not sxy.size:
        return sxy, sxx, 0
    if sxy.size == 1:
        inverse = 1 / sxx if sxx[0, 0] > 0 else np.zeros((1, 1))
        return inverse[0] * sxy, inverse, int(sxx[0, 0] > 0)
    unit = np.sqrt(np.where(sxx.diagonal() > 0, sxx.diagonal(), 1.0))
    units = unit[:, None] * unit
    values, vectors = np.linalg.eigh(sxx / units)
    kept = values > 1e-10
    inverse = (vectors[:, kept] / values[kept]) @ vectors[:, kept].T / units
    return inverse @ sxy, inverse, int(kept.sum())
