"""Asymptotic confidence sequences: intervals that may be looked at any time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from scipy import special

from impact.stats import ranges
from impact.stats.effects import Effect


class AlwaysValid(NamedTuple):
    """Interval and p-value that hold at every look together."""

    interval: tuple[float, float]
    p_value: float


def always_valid(effect: Effect, planned_se: float, level: float) -> AlwaysValid:
    """Widen an effect's interval so that it may be looked at any time.

    Parameters
    ----------
    effect : Effect
        Any estimate with a standard error; information is 1 / se^2.
    planned_se : float
        Standard error at which the sequence is tightest: that of the planned final look.
    level : float
        Confidence level in (0, 1).

    Raises
    ------
    ValueError
        A standard error isn't positive.

    Notes
    -----
    Right in large samples only: not before some fifty rows in each arm.

    References
    ----------
    Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas 2024, Annals of Statistics 52 (arXiv 2103.06476), with
    the exact optimum of the mixture's width.
    """
    if not effect.se or not planned_se > 0:
        raise ValueError(f"standard errors must be positive, got {effect.se} and {planned_se}")
    alpha = 1 - ranges.share("level", level)
    # information relative to the plan, times the mixture's width that is best at the plan
    width = (-special.lambertw(-(alpha**2) / math.e, -1).real - 1) * (planned_se / effect.se) ** 2
    half = effect.se * math.sqrt((1 + 1 / width) * math.log((width + 1) / alpha**2))
    z = effect.estimate / effect.se
    p = min(1.0, math.sqrt(width + 1) * math.exp(-(z**2) / 2 * width / (width + 1)))
    return AlwaysValid((effect.estimate - half, effect.estimate + half), p)


def running(looks: Sequence[AlwaysValid]) -> AlwaysValid:
    """Interval and p-value after several looks: what every look leaves possible, and the smallest p.

    Parameters
    ----------
    looks : sequence of AlwaysValid
        One or more, of the same comparison.

    Returns
    -------
    AlwaysValid
        Its lower end is above its upper one where no effect is left, as when it changed over time.
    """
    lows, highs = zip(*(look.interval for look in looks), strict=True)
    return AlwaysValid((max(lows), min(highs)), min(look.p_value for look in looks))
