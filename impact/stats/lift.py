"""Effect relative to the baseline's mean."""

from __future__ import annotations

from typing import NamedTuple

from impact.stats.effects import ArmMeans, NotEstimable, TEffect, arm_means
from impact.stats.moments import Contrast, MomentTable
from impact.stats.proportions import ScoreEffect
from impact.stats.ratio_sets import RatioSet, fieller


class Lift(NamedTuple):
    """Effect / baseline mean, and its confidence set."""

    estimate: float
    set: RatioSet


def lift(
    table: MomentTable, contrast: Contrast, treated: str, baseline: str, effect: TEffect, level: float
) -> Lift | None:
    """Estimate the lift by Fieller on the two means, at the critical value of the absolute effect.

    Parameters
    ----------
    table : MomentTable
    contrast : mapping of column to weight
    treated, baseline : str
        Arms.
    effect : TEffect
        The absolute difference on the same rows: with its critical value the lift's set excludes 0 just
        where the effect's interval does.
    level : float
        Confidence level in (0, 1).

    Returns
    -------
    Lift or None
        None where the baseline's mean isn't positive: a share of nothing, or of a loss, misleads.
    """
    means = arm_means(table, contrast, treated, baseline)
    return None if isinstance(means, NotEstimable) else lift_of(means, effect, level)


def lift_of(means: ArmMeans, effect: TEffect, level: float) -> Lift | None:
    """Estimate the lift from both arms' means: adjusted ones (``adjustment.Parts``) or ratios (``ratios``).

    Parameters
    ----------
    means : ArmMeans
    effect : TEffect
        Their difference.
    level : float
        Confidence level in (0, 1).

    Returns
    -------
    Lift or None
        As in ``lift``.
    """
    if not means.baseline > 0:
        return None
    ratio = fieller(
        effect.estimate + means.baseline,
        means.baseline,
        means.v_treated,
        means.v_baseline,
        means.covariance,
        effect.quantile(level),
    )
    return Lift(effect.estimate / means.baseline, ratio.shifted(-1.0))


def proportion_lift(effect: ScoreEffect, level: float) -> Lift | None:
    """Lift of a proportion by the score interval of the ratio, whose test at no effect is the difference's.

    Parameters
    ----------
    effect : ScoreEffect
    level : float
        Confidence level in (0, 1).

    Returns
    -------
    Lift or None
        None where the baseline has no success. The upper bound may be inf.

    References
    ----------
    Miettinen and Nurminen 1985, Statistics in Medicine 4.
    """
    base = effect.baseline[0] / effect.baseline[1]
    if not base:
        return None
    low, high = effect.ratio_interval(level)
    return Lift(effect.estimate / base, RatioSet("interval", (low - 1, high - 1)))
