"""The difference between two proportions from few successes, by an exact unconditional test."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special, stats

# chance that the true baseline proportion lies outside the range that is searched; it is added to every p
OUTSIDE = 1e-6
# numbers of successes looked at in one arm: beyond, nothing is small and the score test is as good
LARGEST = 400
GRID = 65

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ExactEffect:
    """A difference between proportions whose p-values hold whatever the numbers.

    Every pair of counts is ranked by its score statistic; p is the largest probability, over the baseline
    proportions that the data leave possible, of a pair at least as extreme on the same side, twice the
    smaller side. As counts jump, it rejects less often than alpha.

    Attributes
    ----------
    treated, baseline : tuple of int
        Successes and rows of each arm; rows >= 1.

    References
    ----------
    Chan and Zhang 1999, Biometrics 55; Berger and Boos 1994, Journal of the American Statistical
    Association 89. One side at 0 agrees with scipy's ``barnard_exact``.
    """

    treated: tuple[int, int]
    baseline: tuple[int, int]
    method: str = "exact"

    @property
    def estimate(self) -> float:
        """Proportion of the treated arm minus that of the baseline."""
        return self.treated[0] / self.treated[1] - self.baseline[0] / self.baseline[1]

    @property
    def se(self) -> float:
        """Unpooled standard error, for plots; interval and p don't use it."""
        return math.sqrt(sum(x / n * (1 - x / n) / n for x, n in (self.treated, self.baseline)))

    def interval(self, level: float) -> tuple[float, float]:
        """Return the differences that neither side rejects at (1 - level) / 2, for a level in (0, 1)."""
        tail = (1 - level) / 2

        def bound(side: int, end: float) -> float:
            if self.estimate == end or self.tails(end)[side] > tail:
                return end
            return float(optimize.brentq(lambda d: self.tails(d)[side] - tail, end, self.estimate, xtol=1e-9))

        return bound(0, -1.0), bound(1, 1.0)

    def p_value(self, null: float = 0.0) -> float:
        """Two-sided p-value against ``null`` in [-1, 1]; agrees with the interval."""
        return min(1.0, 2 * min(self.tails(null)))

    def chance_above(self, threshold: float = 0.0) -> float:
        """P(true difference > threshold) under a flat prior, halfway between what the two sides say."""
        above, below = self.tails(threshold)
        return (1 - above + below) / 2

    def tails(self, difference: float) -> tuple[float, float]:
        """Largest chances, if this is the true difference, of one at least as high and of one at least as low."""
        low, high = self._possible(difference)
        if low > high:
            return (OUTSIDE, 1.0) if self.estimate > difference else (1.0, OUTSIDE)
        (x1, n1), (x0, n0) = self.treated, self.baseline
        first = _counts(n1, x1, max(low + difference, 0.0), min(high + difference, 1.0))
        second = _counts(n0, x0, low, high)
        ranks = _scores(first[:, None].astype(np.float64), n1, second[None, :].astype(np.float64), n0, difference)
        here = ranks[x1 - first[0], x0 - second[0]]
        slack = 1e-9 * max(1.0, abs(here))

        def chance(region: NDArray[np.bool_]) -> float:
            return self._largest(region.astype(np.float64), first, second, difference, low, high)

        return chance(ranks >= here - slack), chance(ranks <= here + slack)

    def _possible(self, difference: float) -> tuple[float, float]:
        """Baseline proportions that neither arm's own exact interval excludes; low > high if none is left."""
        (low1, high1), (low0, high0) = self._ranges
        return max(low0, low1 - difference, 0.0), min(high0, high1 - difference, 1.0)

    @cached_property
    def _ranges(self) -> list[tuple[float, float]]:
        tail = OUTSIDE / 4
        return [
            (
                float(special.betaincinv(x, n - x + 1, tail)) if x else 0.0,
                float(special.betaincinv(x + 1, n - x, 1 - tail)) if x < n else 1.0,
            )
            for x, n in (self.treated, self.baseline)
        ]

    def _largest(
        self,
        region: Array,
        first: NDArray[np.int64],
        second: NDArray[np.int64],
        difference: float,
        low: float,
        high: float,
    ) -> float:
        """Largest chance of the region over the baseline proportions from low to high, zooming in on it."""
        best = 0.0
        for _ in range(3):
            p0 = np.linspace(low, high, GRID)
            p1 = np.clip(p0 + difference, 0.0, 1.0)
            # scipy overflows on what is 0 but for a rounding
            p0[p0 < 1e-100] = p1[p1 < 1e-100] = 0.0
            of_first = stats.binom.pmf(first, self.treated[1], p1[:, None])
            of_second = stats.binom.pmf(second, self.baseline[1], p0[:, None])
            chances = ((of_first @ region) * of_second).sum(axis=1)
            top = int(np.argmax(chances))
            best = max(best, float(chances[top]))
            low, high = p0[max(top - 1, 0)], p0[min(top + 1, GRID - 1)]
        return min(1.0, best + OUTSIDE)


def feasible(treated: tuple[int, int], baseline: tuple[int, int]) -> bool:
    """Say whether so few pairs of counts are possible that all of them can be looked at.

    Parameters
    ----------
    treated, baseline : tuple of int
        Successes and rows of each arm.
    """
    ranges = ExactEffect(treated, baseline)._ranges
    return all(
        _counts(n, x, low, high).size <= LARGEST
        for (x, n), (low, high) in zip((treated, baseline), ranges, strict=True)
    )


def _counts(n: int, x: int, low: float, high: float) -> NDArray[np.int64]:
    """Numbers of successes, x among them, that aren't all but impossible at proportions from low to high."""
    least, most = stats.binom.ppf(1e-13, n, low), stats.binom.isf(1e-13, n, high)
    return np.arange(min(x, max(int(least), 0)), max(x, min(int(most), n)) + 1)


def _scores(x1: Array, n1: int, x0: Array, n0: int, difference: float) -> Array:
    """Score statistics of ``proportions.ScoreEffect`` for many counts at once."""
    n, x = n1 + n0, x1 + x0
    l2 = ((n1 + 2 * n0) * difference - n - x) / (3 * n)
    l1 = ((n0 * difference - n - 2 * x0) * difference + x) / n
    l0 = x0 * difference * (1 - difference) / n
    q = l2**3 - l1 * l2 / 2 + l0 / 2
    p = np.copysign(np.sqrt(np.maximum(l2**2 - l1 / 3, 0.0)), q)
    with np.errstate(divide="ignore", invalid="ignore"):
        angle = (np.pi + np.arccos(np.clip(np.where(p == 0, 1.0, q / p**3), -1.0, 1.0))) / 3
        p0 = np.clip(2 * p * np.cos(angle) - l2, 0.0, 1.0)
        p1 = np.clip(p0 + difference, 0.0, 1.0)
        variance = (p1 * (1 - p1) / n1 + p0 * (1 - p0) / n0) * n / (n - 1)
        distance = x1 / n1 - x0 / n0 - difference
        return np.where(np.abs(distance) < 1e-14, 0.0, distance / np.sqrt(variance))
