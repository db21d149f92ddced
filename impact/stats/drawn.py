"""An effect that is judged against draws: randomization inference and the wild bootstrap."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class DrawnEffect:
    """A difference whose studentised statistic is compared with the same statistic in draws under the null.

    Where the difference is supposed to be ``null``, with d = estimate - null, draw i has the statistic
    (a_i + d b_i) / sqrt(u_i + d v_i + d^2 w_i), so every null is tested on the same draws.

    Attributes
    ----------
    estimate, se : float
    method : str
        ``randomization`` or ``wild_bootstrap``.
    numerators : ndarray, shape (draws, 2)
        a and b.
    variances : ndarray, shape (draws, 3)
        u, v and w.
    exact : bool
        The draws are all that are possible, the one that happened among them. Else they are a random sample,
        and the one that happened is counted with them.

    References
    ----------
    Phipson and Smyth 2010, Statistical Applications in Genetics and Molecular Biology 9 (p is never 0).
    """

    estimate: float
    se: float
    method: str
    numerators: Array
    variances: Array
    exact: bool

    @cached_property
    def _columns(self) -> tuple[Array, Array]:
        """Numerators and variances by coefficient, which is faster to go through many times."""
        return np.ascontiguousarray(self.numerators.T), np.ascontiguousarray(self.variances.T)

    @property
    def draws(self) -> int:
        return len(self.numerators)

    def tails(self, null: float = 0.0) -> tuple[float, float]:
        """Shares of the draws with a statistic at least as high, and at least as low, as the one that happened."""
        distance = self.estimate - null
        statistic = distance / self.se
        (a, b), (u, v, w) = self._columns
        variance = u + distance * (v + distance * w)
        # what should be 0 comes out as rounding
        variance[variance <= 1e-14 * (u + distance**2 * w)] = 0.0
        with np.errstate(divide="ignore", invalid="ignore"):
            drawn = (a + distance * b) / np.sqrt(variance)
        drawn[np.isnan(drawn)] = 0.0
        slack = 1e-9 * max(1.0, abs(statistic))
        high, low = int((drawn >= statistic - slack).sum()), int((drawn <= statistic + slack).sum())
        if self.exact:
            return high / self.draws, low / self.draws
        return (1 + high) / (1 + self.draws), (1 + low) / (1 + self.draws)

    def p_value(self, null: float = 0.0) -> float:
        """Two-sided p-value against ``null``: twice the smaller tail; agrees with the interval."""
        return min(1.0, 2 * min(self.tails(null)))

    def chance_above(self, threshold: float = 0.0) -> float:
        """P(true difference > threshold) as the tails say it, halfway between both."""
        high, low = self.tails(threshold)
        return (1 - high + low) / 2

    def interval(self, level: float) -> tuple[float, float]:
        """Return the differences that aren't rejected at a level in (0, 1), by inversion.

        An end is infinite where the draws are too few to reject anything at this level.
        """
        tail = (1 - level) / 2
        return (
            self._bound(lambda null: self.tails(null)[0] - tail, -self.se),
            self._bound(lambda null: self.tails(null)[1] - tail, self.se),
        )

    def _bound(self, lacking: Callable[[float], float], step: float) -> float:
        inside = self.estimate
        for _ in range(60):
            outside = inside + step
            if lacking(outside) <= 0:
                return float(optimize.brentq(lacking, inside, outside, xtol=1e-9 * self.se, rtol=1e-14))
            inside, step = outside, 1.5 * step
        return math.copysign(math.inf, step)
