"""The set of ratios that a test doesn't reject: an interval, two rays, or the whole line."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from impact.stats.effects import NotEstimable, TEffect
from impact.stats.moments import Contrast

Estimator = Callable[[Contrast], "TEffect | NotEstimable"]


@dataclass(frozen=True, slots=True)
class RatioSet:
    """A confidence set for a ratio.

    Attributes
    ----------
    kind : str
        ``interval`` [low, high]; ``rays`` (-inf, low] and [high, inf); ``line``: every ratio.
    bounds : tuple of float
        (low, high), or empty for ``line``.
    """

    kind: Literal["interval", "rays", "line"]
    bounds: tuple[float, ...]

    def shifted(self, by: float) -> RatioSet:
        return RatioSet(self.kind, tuple(bound + by for bound in self.bounds))

    def __contains__(self, ratio: float) -> bool:
        if self.kind == "line":
            return True
        low, high = self.bounds
        return low <= ratio <= high if self.kind == "interval" else ratio <= low or ratio >= high


def fieller(
    numerator: float, denominator: float, v_numerator: float, v_denominator: float, covariance: float, q: float
) -> RatioSet:
    """Fieller's set for numerator / denominator at the critical value q.

    Parameters
    ----------
    numerator, denominator : float
        Estimates.
    v_numerator, v_denominator, covariance : float
        Their variances and covariance.
    q : float
        Two-sided critical value, > 0.

    References
    ----------
    Fieller 1954, Journal of the Royal Statistical Society B 16.
    """
    a = denominator**2 - q**2 * v_denominator
    b = numerator * denominator - q**2 * covariance
    c = numerator**2 - q**2 * v_numerator
    discriminant = b**2 - a * c
    if (a == 0 and b == 0) or (discriminant < 0 and a < 0):
        return RatioSet("line", ())
    if a == 0:
        # just between interval and rays: one ray, the other one infinitely far away
        return RatioSet("rays", (-math.inf, c / b / 2) if b > 0 else (c / b / 2, math.inf))
    # with a firm denominator it is below 0 by rounding only
    discriminant = max(discriminant, 0.0)
    # the root of larger size first, the other by their product: no cancellation
    large = b + math.copysign(math.sqrt(discriminant), b)
    roots = sorted((large / a, c / large if large else 0.0))
    return RatioSet("interval" if a > 0 else "rays", (roots[0], roots[1]))


class Inverted(NamedTuple):
    """A ratio of two effects by inverting the test on numerator - x denominator.

    Attributes
    ----------
    numerator, denominator : TEffect
    covariance : float
        Of the two estimates.
    set : RatioSet
        Every x that isn't rejected.
    g : float
        q^2 Var(denominator) / denominator^2; below 1 the denominator differs from 0 at the level.
    """

    numerator: TEffect
    denominator: TEffect
    covariance: float
    set: RatioSet
    g: float


def inverted(estimate: Estimator, numerator: str, denominator: str, level: float) -> Inverted | NotEstimable:
    """Confidence set of effect on numerator / effect on denominator.

    Parameters
    ----------
    estimate : function
        From a contrast over the two columns to its effect, linear in the contrast; the degrees of freedom it
        gives belong to the contrast.
    numerator, denominator : str
        Columns.
    level : float
        Confidence level in (0, 1); at a planned look, its nominal one.

    References
    ----------
    Fieller 1954; Heitjan 2000, Health Economics 9.
    """
    above, below = estimate({numerator: 1.0}), estimate({denominator: 1.0})
    apart = estimate({numerator: 1.0, denominator: -1.0})
    for effect in (above, below, apart):
        if isinstance(effect, NotEstimable):
            return effect
    assert isinstance(above, TEffect) and isinstance(below, TEffect) and isinstance(apart, TEffect)
    if not above.se and not below.se:
        return NotEstimable(f"neither {numerator} nor {denominator} varies in either arm")
    covariance = (above.se**2 + below.se**2 - apart.se**2) / 2

    def at(ratio: float) -> RatioSet:
        there = estimate({numerator: 1.0, denominator: -ratio})
        assert isinstance(there, TEffect)
        return fieller(above.estimate, below.estimate, above.se**2, below.se**2, covariance, there.quantile(level))

    q = below.quantile(level) if below.se else 0.0
    g = (q * below.se / below.estimate) ** 2 if below.estimate else math.inf
    # far out the test is on the denominator alone, so its critical value decides between interval and rays
    ends = fieller(above.estimate, below.estimate, above.se**2, below.se**2, covariance, q or above.quantile(level))
    return Inverted(above, below, covariance, _refined(ends, at), g)


def _refined(start: RatioSet, at: Callable[[float], RatioSet]) -> RatioSet:
    """Move each bound to where it is a root at the critical value of the test on itself."""
    bounds = []
    for side, bound in enumerate(start.bounds):
        for _ in range(100):
            there = at(bound)
            if there.kind != start.kind:
                break
            previous, bound = bound, there.bounds[side]
            if abs(bound - previous) <= 1e-14 * max(1.0, abs(bound)):
                break
        bounds.append(bound)
    return RatioSet(start.kind, tuple(bounds))
