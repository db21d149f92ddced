"""The difference between two ratios of sums, by the delta method."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from impact.stats.adjustment import ROWS, ROWS_PER_COVARIATE, TOO_FEW_ROWS, Parts, adjusted
from impact.stats.effects import TOO_FEW_ROWS as TOO_FEW
from impact.stats.effects import NotEstimable, TEffect
from impact.stats.moments import Contrast, MomentTable, Share, comparable_cells

# squared critical value x relative error of a denominator, as for the ROI
FIRM = 0.1


def ratio(
    table: MomentTable,
    numerator: Contrast,
    denominator: Contrast,
    treated: str,
    baseline: str,
    covariates: Sequence[str] = (),
) -> TEffect | NotEstimable:
    """Estimate the difference between the arms' ratios.

    Parameters
    ----------
    table : MomentTable
        One row for each randomized key, which ratios per visit, order or hour then respect.
    numerator, denominator : mapping of column to weight
    treated, baseline : str
    covariates : sequence of str
        Columns known before assignment; each arm has slopes of its own, as in ``lin``.

    Returns
    -------
    TEffect or NotEstimable
        Ratio of the means of numerator and denominator, both over the cells' shares of all rows; its error is
        that of (numerator - ratio denominator) / mean denominator.

    References
    ----------
    Deng, Knoblich and Lu 2018, KDD (delta method for ratios of sums).
    """
    parts = ratio_parts(table, numerator, denominator, treated, baseline, covariates)
    return parts if isinstance(parts, NotEstimable) else parts.effect


def ratio_parts(
    table: MomentTable,
    numerator: Contrast,
    denominator: Contrast,
    treated: str,
    baseline: str,
    covariates: Sequence[str] = (),
) -> Parts | NotEstimable:
    """Return ``ratio`` with the arms' ratios, which a lift needs.

    Parameters
    ----------
    table, numerator, denominator, treated, baseline, covariates
        As in ``ratio``.

    Returns
    -------
    Parts or NotEstimable
    """
    rows = max(ROWS, ROWS_PER_COVARIATE * len(covariates)) if covariates else 2
    shares = comparable_cells(table, (treated, baseline), rows)
    if not shares:
        return NotEstimable(TOO_FEW_ROWS if covariates else TOO_FEW)
    above, below = table.weights(numerator), table.weights(denominator)
    ratios, outcomes = {}, {}
    for arm in (treated, baseline):
        mean, error = _mean(shares, arm, below)
        mean += float(below @ table.origin)
        if mean == 0 or 1.96**2 * error / mean**2 >= FIRM:
            return NotEstimable(f"the denominator isn't firmly away from 0 in arm {arm}")
        ratios[arm] = (_mean(shares, arm, above)[0] + float(above @ table.origin)) / mean
        outcomes[arm] = (above - ratios[arm] * below) / mean
    at = [table.columns.index(name) for name in covariates]
    parts = adjusted(shares, outcomes, at, 0.0, "delta")
    # around its own ratio each arm's outcome is 0, up to the origin that both sides of the fraction share
    shift = {arm: float(outcome @ table.origin) for arm, outcome in outcomes.items()}
    high = ratios[treated] + parts.means.treated + shift[treated]
    low = ratios[baseline] + parts.means.baseline + shift[baseline]
    effect = TEffect(high - low, parts.effect.se, parts.effect.df, "delta")
    return parts._replace(effect=effect, means=parts.means._replace(treated=high, baseline=low))


def _mean(shares: Sequence[Share], arm: str, weights: np.ndarray) -> tuple[float, float]:
    """Mean over the cells' shares, relative to the origin, and its variance."""
    samples = [(share, arms[arm].sample(weights)) for share, arms in shares]
    mean = sum(share * sample.mean for share, sample in samples)
    return mean, math.fsum(share**2 * sample.variance / sample.n for share, sample in samples)
