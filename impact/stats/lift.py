"""Effect relative to the baseline's mean."""

from __future__ import annotations

from typing import NamedTuple

from impact.stats.effects import TEffect
from impact.stats.moments import Contrast, MomentTable, comparable_cells
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
    weights = table.weights(contrast)
    origin = float(weights @ table.origin)
    means, variances = [0.0, 0.0], [0.0, 0.0]
    for share, arms in comparable_cells(table, (treated, baseline)):
        for side, arm in enumerate((treated, baseline)):
            sample = arms[arm].sample(weights)
            means[side] += share * (sample.mean + origin)
            variances[side] += share**2 * sample.variance / sample.n
    if means[1] <= 0:
        return None
    ratio = fieller(*means, *variances, 0.0, effect.quantile(level))
    return Lift(effect.estimate / means[1], ratio.shifted(-1.0))
