"""The difference between two proportions by the score method."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy import optimize, special


@dataclass(frozen=True, slots=True)
class ScoreEffect:
    """A difference between proportions by inversion of the score test.

    Attributes
    ----------
    treated, baseline : tuple of int
        Successes and rows of each arm; rows >= 1.

    References
    ----------
    Miettinen and Nurminen 1985, Statistics in Medicine 4. Agrees with statsmodels'
    ``confint_proportions_2indep(method="score")``, which fails where a proportion is 0 or 1.
    """

    treated: tuple[int, int]
    baseline: tuple[int, int]
    method: str = "score"

    @property
    def estimate(self) -> float:
        """Proportion of the treated arm minus that of the baseline."""
        return self.treated[0] / self.treated[1] - self.baseline[0] / self.baseline[1]

    @property
    def se(self) -> float:
        """Unpooled standard error, for planning and plots; interval and p don't use it."""
        return math.sqrt(sum(x / n * (1 - x / n) / n for x, n in (self.treated, self.baseline)))

    @property
    def df(self) -> float:
        return math.inf

    def statistic(self, difference: float) -> float:
        """Score statistic, standard normal if the true difference is ``difference`` in [-1, 1]."""
        distance = self.estimate - difference
        error = math.sqrt(self._restricted_variance(difference))
        if not error:
            return math.copysign(math.inf, distance) if distance else 0.0
        return distance / error

    def interval(self, level: float) -> tuple[float, float]:
        """Return the score interval at a level in (0, 1)."""
        q = float(special.ndtri(0.5 + level / 2))
        return self._bound(-1.0, q), self._bound(1.0, -q)

    def p_value(self, null: float = 0.0) -> float:
        """Two-sided p-value of the score test against ``null``; agrees with the interval."""
        return float(2 * special.ndtr(-abs(self.statistic(null))))

    def chance_above(self, threshold: float = 0.0) -> float:
        """P(true difference > threshold) under a flat prior."""
        return float(special.ndtr(self.statistic(threshold)))

    def _bound(self, end: float, q: float) -> float:
        if abs(self.statistic(end)) <= abs(q) or self.estimate == end:
            return end
        return float(optimize.brentq(lambda x: self.statistic(x) - q, end, self.estimate, xtol=1e-15, rtol=1e-14))

    def _restricted_variance(self, difference: float) -> float:
        """Variance at the most likely pair of proportions with this difference (root of a cubic)."""
        (x1, n1), (x0, n0) = self.treated, self.baseline
        n, x = n1 + n0, x1 + x0
        l2 = ((n1 + 2 * n0) * difference - n - x) / (3 * n)
        l1 = ((n0 * difference - n - 2 * x0) * difference + x) / n
        l0 = x0 * difference * (1 - difference) / n
        q = l2**3 - l1 * l2 / 2 + l0 / 2
        p = math.copysign(math.sqrt(max(l2**2 - l1 / 3, 0.0)), q)
        angle = (math.pi + math.acos(min(1.0, max(-1.0, q / p**3 if p else 1.0)))) / 3
        p0 = min(1.0, max(0.0, 2 * p * math.cos(angle) - l2))
        p1 = min(1.0, max(0.0, p0 + difference))
        return (p1 * (1 - p1) / n1 + p0 * (1 - p0) / n0) * n / (n - 1)
