"""What the action did to those who took it up because of their arm, beside the effect of assigning it."""

from __future__ import annotations

from typing import NamedTuple

from impact.stats.effects import NotEstimable
from impact.stats.ratio_sets import Estimator, RatioSet, inverted

# smaller differences in take-up carry too little to divide by
LEAST_TAKE_UP = 0.1


class Cace(NamedTuple):
    """Complier average causal effect on value; never of net, never the headline.

    Attributes
    ----------
    estimate : float
        Effect on value / difference in take-up, per row that took the action up.
    set : RatioSet
        Anderson-Rubin set.
    take_up : float
        Difference in take-up between the arms.
    """

    estimate: float
    set: RatioSet
    take_up: float


def cace(estimate: Estimator, level: float) -> Cace | NotEstimable:
    """Estimate the effect on compliers.

    Parameters
    ----------
    estimate : function
        From a contrast over the columns ``value`` and ``taken`` (0 or 1: the row got the treated arm's action)
        to its effect, linear in the contrast.
    level : float
        Confidence level in (0, 1).

    Returns
    -------
    Cace or NotEstimable
        Only where the interval of the difference in take-up lies above 0.1. Assumes that assignment changes
        the value through take-up alone, and that nobody does the opposite of what was assigned.

    References
    ----------
    Angrist, Imbens and Rubin 1996, Journal of the American Statistical Association 91; Anderson and Rubin
    1949, Annals of Mathematical Statistics 20.
    """
    found = inverted(estimate, "value", "taken", level)
    if isinstance(found, NotEstimable):
        return found
    if found.denominator.interval(level)[0] <= LEAST_TAKE_UP:
        return NotEstimable(f"the difference in take-up isn't firmly above {LEAST_TAKE_UP}")
    take_up = found.denominator.estimate
    return Cace(found.numerator.estimate / take_up, found.set, take_up)
