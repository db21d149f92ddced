"""Looking at a running comparison as planned: repeated intervals, and the estimate at the stop."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from scipy import optimize, special

from impact.stats import ranges
from impact.stats.boundaries import bounds, exits, inflation
from impact.stats.effects import Effect, TEffect
from impact.stats.sequences import always_valid


class Look(NamedTuple):
    """One look at one comparison.

    Attributes
    ----------
    fraction : float
        Planned SE^2 / SE^2.
    bound : float
        Critical value of z.
    level : float
        Nominal confidence level of the repeated interval; any interval or set at this level may be looked at.
    interval : tuple of float
        Repeated confidence interval, right at every look together.
    crossed : bool
        The effect differs from 0 at this look.
    """

    fraction: float
    bound: float
    level: float
    interval: tuple[float, float]
    crossed: bool


def look(effect: Effect, planned_se: float, earlier: Sequence[float], alpha: float, *, final: bool = False) -> Look:
    """Judge an effect at a planned look.

    Parameters
    ----------
    effect : Effect
        On mature rows.
    planned_se : float
        Standard error that the plan ends with, > 0; never moved after an effect was seen.
    earlier : sequence of float
        Fractions of the looks before.
    alpha : float
        Two-sided, alpha / m for each of m comparisons.
    final : bool
        No look follows.

    Returns
    -------
    Look
        Where the information hasn't grown since the look before, nothing is judged: bound inf, level 1, every
        effect in the interval. It then isn't one of the ``earlier`` ones of the next.
    """
    fraction = (ranges.positive("planned_se", planned_se) / ranges.positive("effect.se", effect.se)) ** 2
    if earlier and fraction <= earlier[-1]:
        return Look(fraction, math.inf, 1.0, (-math.inf, math.inf), False)
    bound = bounds([*earlier, fraction], alpha, final=final)[-1]
    level = 1 - 2 * float(special.ndtr(-bound))
    interval = effect.interval(level) if level < 1 else (-math.inf, math.inf)
    return Look(fraction, bound, level, interval, not interval[0] <= 0 <= interval[1])


def repeated_p(z: float, fractions: Sequence[float], *, final: bool = False) -> float:
    """Smallest alpha at which z crosses at the last of these looks: a p-value that holds at every look together.

    Parameters
    ----------
    z : float
        Statistic of the last look (``z_of``).
    fractions : sequence of float
        Of every look so far, the last one included.
    final : bool
        No look follows.

    Returns
    -------
    float
        In [1e-12, 1].

    References
    ----------
    Jennison and Turnbull 2000, Group Sequential Methods, chapter 9.
    """

    def short(log_alpha: float) -> float:
        return bounds(fractions, math.exp(log_alpha), final=final)[-1] - abs(z)

    least, most = math.log(1e-12), math.log(1 - 1e-9)
    if short(most) > 0:
        return 1.0
    return math.exp(optimize.brentq(short, least, most, xtol=1e-12)) if short(least) > 0 else 1e-12


def more_rows(at: Sequence[float], alpha: float, power: float, *, any_day: bool = False) -> float:
    """Rows that it takes, relative to one look at the end with the same alpha and power; >= 1.

    Parameters
    ----------
    at : sequence of float
        Shares of the planned rows at which it is looked at, rising to 1; none where it is looked at once.
    alpha, power : float
        Two-sided alpha of the comparison and the chance to prove the effect, in (0, 1).
    any_day : bool
        It may be looked at on any day: what the always-valid interval costs where the plan ends.
    """
    if at:
        return inflation(bounds(at, alpha, final=True), at, alpha, power)
    if not any_day:
        return 1.0
    critical = always_valid(TEffect(0.0, 1.0, math.inf, "planned"), 1.0, 1 - alpha).interval[1]
    further = float(special.ndtri(power))
    return float(((critical + further) / (special.ndtri(1 - alpha / 2) + further)) ** 2)


class Stopped(NamedTuple):
    """Estimate, interval and p-value that take into account where an experiment stopped."""

    estimate: float
    interval: tuple[float, float]
    p_value: float


def stopped(effect: Effect, planned_se: float, earlier: Sequence[float], alpha: float, level: float) -> Stopped:
    """Estimate an effect at the look that ended the experiment, where the plain estimate is too large.

    Parameters
    ----------
    effect, planned_se, earlier, alpha
        As in ``look``.
    level : float
        Confidence level in (0, 1).

    Returns
    -------
    Stopped
        Median-unbiased estimate and interval by stagewise ordering.

    References
    ----------
    Jennison and Turnbull 2000, Group Sequential Methods, chapter 8; Tsiatis, Rosner and Mehta 1984.
    """
    fraction = (planned_se / effect.se) ** 2
    fractions = [*earlier, fraction]
    limits = [*(bounds(earlier, alpha) if earlier else []), z_of(effect)]

    def higher(drift: float) -> float:
        """Chance of crossing above earlier, or of ending here with a z at least as high."""
        return float(exits(limits, fractions, drift)[0].sum())

    def drift(chance: float) -> float:
        middle = effect.estimate / planned_se
        reach = 12 / math.sqrt(fractions[0])
        return planned_se * optimize.brentq(
            lambda there: higher(there) - chance, middle - reach, middle + reach, xtol=1e-10
        )

    tail = (1 - ranges.share("level", level)) / 2
    above = higher(0.0)
    return Stopped(drift(0.5), (drift(tail), drift(1 - tail)), 2 * min(above, 1 - above))


def z_of(effect: Effect) -> float:
    """Normal statistic with the effect's sign and p-value, whatever its distribution.

    Parameters
    ----------
    effect : Effect
        With a standard error above 0.
    """
    p = effect.p_value()
    z = -float(special.ndtri(p / 2)) if p > 0 else abs(effect.estimate) / effect.se
    return math.copysign(z, effect.estimate)
