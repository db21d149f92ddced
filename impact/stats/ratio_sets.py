"""The set of ratios that a test doesn't reject: an interval, two rays, or the whole line."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal


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
    if discriminant < 0 or a == 0:
        return RatioSet("line", ())
    # the root of larger size first, the other by their product: no cancellation
    large = b + math.copysign(math.sqrt(discriminant), b)
    roots = sorted((large / a, c / large if large else 0.0))
    return RatioSet("interval" if a > 0 else "rays", (roots[0], roots[1]))


def refined(start: RatioSet, at: Callable[[float], RatioSet]) -> RatioSet:
    """Move each bound to where it is a root at the critical value that belongs to itself.

    Parameters
    ----------
    start : RatioSet
        The set at one critical value.
    at : function
        Fieller's set at the critical value of the test on that ratio, whose degrees of freedom vary with it.
    """
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
