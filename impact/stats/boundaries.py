"""Planned looks: group-sequential bounds by alpha spending, and the chances of crossing them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from impact.stats import ranges

Array = NDArray[np.float64]
Spending = Callable[[float, float], float]

# beyond this many standard errors the normal distribution has nothing left in double precision
FAR = 38.0
SAME = 1e-4


def obrien_fleming(fraction: float, tail: float) -> float:
    """What one tail may have spent at a fraction of the planned information.

    Parameters
    ----------
    fraction : float
        Planned SE^2 / SE^2 of the look, > 0; from 1 on everything is spent.
    tail : float
        alpha of this tail, in (0, 1).

    References
    ----------
    Lan and DeMets 1983, Biometrika 70: the O'Brien-Fleming type, 2 (1 - Phi(z_{tail / 2} / sqrt(fraction))),
    for each tail as in gsDesign and rpact.
    """
    z = -special.ndtri(tail / 2) / math.sqrt(min(ranges.positive("fraction", fraction), 1.0))
    return float(2 * special.ndtr(-z))


def bounds(
    fractions: Sequence[float], alpha: float, *, final: bool = False, spending: Spending = obrien_fleming
) -> list[float]:
    """Two-sided critical values of z at looks at these fractions of the planned information.

    Parameters
    ----------
    fractions : sequence of float
        Planned SE^2 / SE^2 on mature rows of every look so far: above 0 and rising, maybe beyond 1.
    alpha : float
        Two-sided, alpha / m for each of m comparisons.
    final : bool
        The last of these looks is the last of all: it spends what is left, before the plan's end or after.
    spending : function
        (fraction, tail's alpha) -> spent so far.

    Returns
    -------
    list of float
        > 0; inf where nothing may be spent yet, or nothing is left.
    """
    _rising(fractions)
    tail = ranges.share("alpha", alpha) / 2
    found: list[float] = []
    walk, start, before = _Walk.start(fractions[0]), 0.0, 0.0
    for position, fraction in enumerate(fractions):
        last = final and position == len(fractions) - 1
        spent = tail if last else max(before, min(tail, spending(fraction, tail)))
        # all but the same data are the same look: what both may spend is spent on it together
        if position and fraction - walk.time > SAME * fraction:
            walk, start = walk.past(found[-1], fraction), before
        found.append(walk.bound(spent - start))
        before = spent
    return found


def exits(limits: Sequence[float], fractions: Sequence[float], drift: float = 0.0) -> tuple[Array, Array]:
    """Chances of crossing first at each look, above and below.

    Parameters
    ----------
    limits : sequence of float
        Two-sided critical values of z.
    fractions : sequence of float
        As in ``bounds``.
    drift : float
        Mean of z at fraction 1: true effect / planned standard error.

    References
    ----------
    Armitage, McPherson and Rowe 1969, Journal of the Royal Statistical Society A 132; Jennison and Turnbull
    2000, Group Sequential Methods, chapter 19.
    """
    _rising(fractions)
    walk, above, below = _Walk.start(fractions[0], drift), [], []
    for position, limit in enumerate(limits):
        if position:
            walk = walk.past(limits[position - 1], fractions[position])
        above.append(walk.beyond(limit))
        below.append(walk.beyond(limit, side=-1))
    return np.array(above), np.array(below)


def inflation(limits: Sequence[float], fractions: Sequence[float], alpha: float, power: float) -> float:
    """Rows at the last look, relative to one test without looks of the same alpha and power; >= 1.

    Parameters
    ----------
    limits, fractions
        As in ``exits``; the last fraction is 1.
    alpha, power : float
        Two-sided alpha of the comparison and the chance to prove the effect, in (0, 1).
    """
    ranges.share("alpha", alpha), ranges.share("power", power)
    fixed = float(special.ndtri(1 - alpha / 2) + special.ndtri(power))

    def lacking(drift: float) -> float:
        above, below = exits(limits, fractions, drift)
        return float(above.sum() + below.sum()) - power

    drift = optimize.brentq(lacking, 0.5 * fixed, 3 * fixed, xtol=1e-12)
    return float(drift / fixed) ** 2


class _Walk(NamedTuple):
    """Where the score z sqrt(fraction) can be before a look: points and masses of the look before, and the step."""

    drift: float
    time: float
    step: float
    points: Array
    masses: Array

    @classmethod
    def start(cls, fraction: float, drift: float = 0.0) -> _Walk:
        return cls(drift, fraction, fraction, np.zeros(1), np.ones(1))

    def beyond(self, limit: float, side: int = 1) -> float:
        """Chance of a z above the limit, or below -limit, at this look."""
        ahead = side * (self.points + self.drift * self.step) - limit * math.sqrt(self.time)
        return float(self.masses @ special.ndtr(ahead / math.sqrt(self.step)))

    def bound(self, chance: float) -> float:
        """Limit with this chance beyond it."""
        if chance <= 1e-300:
            return math.inf
        return float(optimize.brentq(lambda limit: self._log_beyond(limit) - math.log(chance), 0.0, FAR, xtol=1e-13))

    def _log_beyond(self, limit: float) -> float:
        chance = self.beyond(limit)
        return math.log(chance) if chance else -math.inf

    def past(self, limit: float, fraction: float) -> _Walk:
        """Stay inside the limits at this look, and go on to the next."""
        middle, reach = self.drift * self.time, 9 * math.sqrt(self.time)
        low = max(-limit * math.sqrt(self.time), middle - reach)
        high = min(limit * math.sqrt(self.time), middle + reach)
        step = fraction - self.time
        if low >= high:
            return _Walk(self.drift, fraction, step, np.zeros(1), np.zeros(1))
        wanted = 3 * (high - low) / math.sqrt(min(step, self.step))
        # few different counts, since finding the nodes takes longer than using them
        nodes, weights = _gauss_legendre(64 * (2 + int(wanted / 64)))
        points = (low + high) / 2 + (high - low) / 2 * nodes
        ahead = points[:, None] - self.points - self.drift * self.step
        density = np.exp(-(ahead**2) / (2 * self.step)) @ self.masses / math.sqrt(2 * math.pi * self.step)
        return _Walk(self.drift, fraction, step, points, (high - low) / 2 * weights * density)


@lru_cache(maxsize=32)
def _gauss_legendre(count: int) -> tuple[Array, Array]:
    nodes, weights = np.polynomial.legendre.leggauss(count)
    return nodes, weights


def _rising(fractions: Sequence[float]) -> None:
    if not len(fractions) or any(b <= a for a, b in zip([0.0, *fractions], fractions, strict=False)):
        raise ValueError(f"fractions == {list(fractions)!r}, must be above 0 and rising")
