"""Before the start: how likely each verdict is if the true effect is this one."""

from __future__ import annotations

import math
from typing import NamedTuple

from scipy import special

from impact.stats import ranges

# P(net > 0) from which an effect that isn't proven is likely
LIKELY = 0.9


class VerdictChances(NamedTuple):
    """Chances of the verdicts at the planned end, summing to 1."""

    proven: float
    likely: float
    unclear: float
    harmful: float


def verdict_chances(
    effect: float, se: float, alpha: float, smallest: float = 0.0, prior_sd: float = 0.0
) -> VerdictChances:
    """Chance of each verdict on one comparison.

    Parameters
    ----------
    effect : float
        True effect, or the prior's mean; counted so that more is better.
    se : float
        Planned standard error (``planning.Plan.se``), > 0.
    alpha : float
        Two-sided, per comparison.
    smallest : float
        Smallest effect worth acting on, >= 0: what *proven* is tested against.
    prior_sd : float
        Spread of the true effect around ``effect``, >= 0.
    """
    sd = math.hypot(ranges.positive("se", se), prior_sd)
    z = -float(special.ndtri(ranges.share("alpha", alpha) / 2))

    def above(estimate: float) -> float:
        return float(special.ndtr((effect - estimate) / sd))

    proven = above(ranges.within("smallest", smallest, 0.0, math.inf) + z * se)
    likely = max(proven, above(float(special.ndtri(LIKELY)) * se))
    harmful = 1 - above(-z * se)
    return VerdictChances(proven, likely - proven, 1 - likely - harmful, harmful)
