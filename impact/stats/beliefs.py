"""A Bayesian reading beside an estimate: expected loss, and the shrinkage of what was chosen for doing best."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import optimize, special, stats

from impact.stats import ranges
from impact.stats.effects import Effect, NotEstimable

FEWEST_EXPERIMENTS = 5


class Booked(NamedTuple):
    """A figure as it is booked.

    Attributes
    ----------
    shrinkage : float
        lambda in [0, 1].
    estimate : float
        lambda x the measured effect.
    interval : tuple of float
        estimate +- z sqrt(lambda) SE.
    """

    shrinkage: float
    estimate: float
    interval: tuple[float, float]


def booked(effect: Effect, spread: float, level: float = 0.95) -> Booked:
    """Shrink an effect that was chosen because it did best, towards 0.

    Parameters
    ----------
    effect : Effect
        As measured, in money.
    spread : float
        Standard deviation of true effects around 0, in the same unit, >= 0: ``spread_of`` past experiments, or
        the signed agreement's.
    level : float
        Confidence level in (0, 1).

    Returns
    -------
    Booked
        lambda = spread^2 / (spread^2 + SE^2): mean and interval of the posterior under a normal prior.

    References
    ----------
    Efron 2011, Journal of the American Statistical Association 106 (selection bias and shrinkage).
    """
    ranges.within("spread", spread, 0.0, math.inf)
    total = spread**2 + effect.se**2
    shrinkage = spread**2 / total if total else 1.0
    half = float(special.ndtri(0.5 + ranges.share("level", level) / 2)) * math.sqrt(shrinkage) * effect.se
    middle = shrinkage * effect.estimate
    return Booked(shrinkage, middle, (middle - half, middle + half))


def spread_of(estimates: Sequence[float], errors: Sequence[float]) -> float | NotEstimable:
    """Standard deviation of the true effects behind past experiments, by empirical Bayes.

    Parameters
    ----------
    estimates, errors : sequence of float
        Effects and their standard errors (> 0) of all past experiments on the same metric, losers included.

    Returns
    -------
    float or NotEstimable
        The s with sum estimate^2 / (s^2 + error^2) = number of experiments; 0 where the estimates scatter no
        more than their errors.

    References
    ----------
    Paule and Mandel 1982, Journal of Research of the National Bureau of Standards 87, around a mean of 0.
    """
    squares, variances = np.square(np.asarray(estimates, dtype=np.float64)), np.square(np.asarray(errors, dtype=float))
    if squares.size != variances.size or not (variances > 0).all():
        raise ValueError(f"errors == {list(errors)!r}, must be above 0, one for each of {len(estimates)} estimates")
    if squares.size < FEWEST_EXPERIMENTS:
        return NotEstimable(f"fewer than {FEWEST_EXPERIMENTS} past experiments")

    def excess(s2: float) -> float:
        return float((squares / (s2 + variances)).sum()) - squares.size

    if excess(0.0) <= 0:
        return 0.0
    return math.sqrt(optimize.brentq(excess, 0.0, float(squares.sum()), xtol=1e-300, rtol=1e-14))


def expected_loss(effect: Effect, df: float = math.inf) -> float:
    """Money per row that acting on an improvement is expected to lose: E[max(0, -true effect)], flat prior.

    Parameters
    ----------
    effect : Effect
        Counted so that more is better.
    df : float
        Degrees of freedom of its error, > 1.
    """
    if not effect.se:
        return max(0.0, -effect.estimate)
    z = effect.estimate / effect.se
    if math.isinf(df):
        return effect.se * float(stats.norm.pdf(z) - z * special.ndtr(-z))
    if not df > 1:
        return math.inf
    return effect.se * float((df + z**2) / (df - 1) * stats.t.pdf(z, df) - z * special.stdtr(df, -z))


def expected_gain(effect: Effect, df: float = math.inf) -> float:
    """Money per row that not acting on it is expected to give away: E[max(0, true effect)], flat prior.

    Parameters
    ----------
    effect, df
        As in ``expected_loss``.
    """
    return effect.estimate + expected_loss(effect, df)
