"""The difference between two proportions by the score method."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy import optimize, special

from impact.stats.effects import NotEstimable
from impact.stats.moments import MomentTable


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

    def ratio_interval(self, level: float) -> tuple[float, float]:
        """Score interval of the ratio treated / baseline; it excludes 1 just where ``interval`` excludes 0.

        (0, inf) where both arms have no success.
        """
        q = float(special.ndtri(0.5 + level / 2))
        low = 0.0 if not self.treated[0] else self._ratio_bound(q)
        return low, math.inf if not self.baseline[0] else self._ratio_bound(-q)

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

    def _ratio_bound(self, q: float) -> float:
        def lacking(log_ratio: float) -> float:
            return self._ratio_statistic(math.exp(log_ratio)) - q

        # where an arm's proportion is 0, its smallest possible size stands in as the start
        start = math.log(max(self.treated[0], 0.5) / self.treated[1] / (max(self.baseline[0], 0.5) / self.baseline[1]))
        step = math.copysign(1.0, -q)
        end = start + step
        while lacking(end) * q < 0:
            end += step
        start = next(at for at in (start, start - step, start - 40 * step) if lacking(at) * q <= 0)
        return math.exp(optimize.brentq(lacking, start, end, xtol=1e-15, rtol=1e-14))

    def _ratio_statistic(self, ratio: float) -> float:
        """Score statistic, standard normal if the true ratio is ``ratio`` > 0 (root of a quadratic)."""
        (x1, n1), (x0, n0) = self.treated, self.baseline
        n = n1 + n0
        b = ratio * (n1 + x0) + n0 + x1
        p0 = 2 * (x1 + x0) / (b + math.sqrt(max(b**2 - 4 * n * ratio * (x1 + x0), 0.0)))
        p1 = min(1.0, ratio * p0)
        variance = (p1 * (1 - p1) / n1 + ratio**2 * p0 * (1 - p0) / n0) * n / (n - 1)
        distance = x1 / n1 - ratio * x0 / n0
        if variance <= 0:
            return math.copysign(math.inf, distance) if distance else 0.0
        return distance / math.sqrt(variance)

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


def proportion_difference(table: MomentTable, column: str, treated: str, baseline: str) -> ScoreEffect | NotEstimable:
    """Difference in the proportion of a column of 0 and 1, from its counts in both arms, whatever the cell.

    Parameters
    ----------
    table : MomentTable
    column : str
    treated, baseline : str
        Arms.

    Returns
    -------
    ScoreEffect or NotEstimable

    Raises
    ------
    ValueError
        The column isn't 0 and 1.
    """
    counts = []
    for arm in (treated, baseline):
        moments = table.of_arm(arm)
        if moments is None:
            return NotEstimable(f"no rows in arm {arm}")
        counts.append((successes(table, column, arm), moments.n))
    if sum(n for _, n in counts) < 3:
        return NotEstimable("fewer than three rows")
    return ScoreEffect(counts[0], counts[1])


def successes(table: MomentTable, column: str, arm: str) -> int:
    """Count the rows of an arm in which a column of 0 and 1 is 1.

    Parameters
    ----------
    table : MomentTable
    column, arm : str

    Raises
    ------
    ValueError
        The column isn't 0 and 1.
    """
    moments = table.of_arm(arm)
    if moments is None:
        return 0
    at = table.columns.index(column)
    mean = float(moments.mean[at] + table.origin[at])
    x = round(mean * moments.n)
    # only 0 and 1 have this mean together with this sum of squares
    expected, found = x * (1 - x / moments.n), float(moments.comoments[at, at])
    if abs(mean * moments.n - x) > 1e-6 * moments.n or abs(found - expected) > 1e-6 * max(1.0, expected):
        raise ValueError(f"column {column!r} isn't 0 and 1")
    return x
