"""Before the start: rows that a comparison needs, the effect that it can prove, and how long it takes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import optimize, special

from impact.stats import ranges
from impact.stats.moments import Contrast, MomentTable, comparable_cells

# with fewer keys in an arm than this, the planned test is Student's and not the normal one
SMALL = 50


class Variances(NamedTuple):
    """Variance of a column per row in each arm, within strata (``within_strata``)."""

    treated: float
    baseline: float


class Sizes(NamedTuple):
    """Rows needed in each arm, not rounded."""

    treated: float
    baseline: float


class Duration(NamedTuple):
    """Whole weeks of enrolment, and days from the first row until the last one is mature."""

    weeks: int
    days: int


@dataclass(frozen=True, slots=True)
class Clusters:
    """What randomizing whole clusters costs.

    Attributes
    ----------
    size : float
        Mean rows of a cluster, >= 1.
    icc : float
        Intracluster correlation of the column, in [0, 1].
    cv : float
        Coefficient of variation of the sizes, >= 0.

    References
    ----------
    Eldridge, Ashby and Kerry 2006, International Journal of Epidemiology 35.
    """

    size: float
    icc: float
    cv: float = 0.0

    @property
    def design_effect(self) -> float:
        """Factor on the variance of a mean: 1 + (size (1 + cv^2) - 1) icc."""
        return 1 + (self.size * (1 + self.cv**2) - 1) * self.icc


@dataclass(frozen=True, slots=True)
class Plan:
    """One two-sided comparison as it is planned.

    Attributes
    ----------
    alpha : float
        Per comparison: alpha / m for m comparisons, in (0, 1).
    power : float
        Chance to prove the effect if it is there, in (0, 1).
    ratio : float
        Treated rows per baseline row, > 0.
    r_squared : float
        Share of the variance that covariates from before explain, in [0, 1).
    clusters : Clusters, optional
        Where whole clusters are randomized.
    inflation : float
        Factor on the rows for looking early (``boundaries.inflation``), >= 1.

    References
    ----------
    Chow, Shao, Wang and Lokhnytska 2017, Sample Size Calculations in Clinical Research, chapter 3. Under 50
    keys in an arm the noncentral t distribution, as in statsmodels' ``TTestIndPower``.
    """

    alpha: float = 0.05
    power: float = 0.8
    ratio: float = 1.0
    r_squared: float = 0.0
    clusters: Clusters | None = None
    inflation: float = 1.0

    def __post_init__(self) -> None:
        ranges.share("alpha", self.alpha)
        ranges.share("power", self.power)
        ranges.positive("ratio", self.ratio)
        ranges.within("inflation", self.inflation, 1.0, math.inf)
        if not 0 <= self.r_squared < 1:
            raise ValueError(f"r_squared == {self.r_squared!r}, must be in [0, 1)")

    def required_n(self, effect: float, variances: Variances) -> Sizes:
        """Rows that prove a true effect with the power wanted.

        Parameters
        ----------
        effect : float
            True effect per row, either sign, not 0: for net value, in money. Measured from the smallest
            effect to prove, where that isn't 0.
        variances : Variances
            Not both 0.

        Returns
        -------
        Sizes
            Baseline rows: (z_{1 - alpha/2} + z_{power})^2 (s_b^2 + s_t^2 / ratio) / effect^2.
        """
        if not effect:
            raise ValueError(f"effect == {effect!r}, no number of rows proves an effect of 0")
        n = (self._distance() / effect) ** 2 * self.se(1.0, variances) ** 2
        if self._keys(n) < SMALL:
            few = 1.001 * n / self._keys(n)

            def lacking(rows: float) -> float:
                return self._t_power(effect, rows, variances) - self.power

            n = optimize.brentq(lacking, few, 4 * n + 50 * few, rtol=1e-12) if lacking(few) < 0 else few
        return Sizes(n * self.ratio, n)

    def detectable_effect(self, n: float, variances: Variances) -> float:
        """Smallest true effect, in the column's unit, that n baseline rows prove with the power wanted; > 0."""
        effect = self._distance() * self.se(n, variances)
        if self._keys(n) < SMALL:
            return float(
                optimize.brentq(
                    lambda there: self._t_power(there, n, variances) - self.power, 0.0, 100 * effect, rtol=1e-12
                )
            )
        return effect

    def chance_to_prove(self, effect: float, n: float, variances: Variances) -> float:
        """Power: the chance that n baseline rows prove a true effect of this size."""
        if self._keys(n) < SMALL:
            return self._t_power(effect, n, variances)
        return float(special.ndtr(abs(effect) / self.se(n, variances) - special.ndtri(1 - self.alpha / 2)))

    def se(self, n: float, variances: Variances) -> float:
        """Standard error of the difference with n baseline rows and n ratio treated ones."""
        rows = ranges.positive("n", n) / self.inflation / (1 - self.r_squared)
        rows /= self.clusters.design_effect if self.clusters else 1.0
        return math.sqrt(variances.baseline / rows + variances.treated / (rows * self.ratio))

    def _distance(self) -> float:
        """Standard errors between no effect and one that is proven with the power wanted."""
        return float(special.ndtri(1 - self.alpha / 2) + special.ndtri(self.power))

    def _keys(self, n: float) -> float:
        """What is randomized in the smaller arm: rows or clusters."""
        return n * min(1.0, self.ratio) / (self.clusters.size if self.clusters else 1.0)

    def _t_power(self, effect: float, n: float, variances: Variances) -> float:
        size = self.clusters.size if self.clusters else 1.0
        parts = np.array([variances.treated / self.ratio, variances.baseline])
        df = parts.sum() ** 2 / (parts**2 / (np.array([n * self.ratio, n]) / size - 1)).sum()
        q, shift = special.stdtrit(df, 1 - self.alpha / 2), abs(effect) / self.se(n, variances)
        # far out scipy gives nan for what is 0
        below = np.nan_to_num(special.nctdtr(df, shift, np.array([q, -q])))
        return float(1 - below[0] + below[1])


def within_strata(table: MomentTable, contrast: Contrast, treated: str, baseline: str) -> Variances:
    """Variance per row of each arm within strata, from rows of the past or of a finished experiment.

    Parameters
    ----------
    table : MomentTable
        With these two arms; history without arms may hold the same rows as both.
    contrast : mapping of column to weight
        ``{"value": 1, "cost": -1}`` is the net value.
    treated, baseline : str
        Arms.

    Returns
    -------
    Variances
        n SE^2 of each arm's mean, n its rows: what a variance is without strata. nan with fewer than two
        rows in an arm.
    """
    weights, shares = table.weights(contrast), comparable_cells(table, (treated, baseline))
    if not shares:
        return Variances(math.nan, math.nan)
    variances = []
    for arm in (treated, baseline):
        samples = [(share, arms[arm].sample(weights)) for share, arms in shares]
        n = sum(sample.n for _, sample in samples)
        variances.append(n * sum(share**2 * sample.variance / sample.n for share, sample in samples))
    return Variances(*variances)


def required_n_proportions(
    treated: float, baseline: float, *, alpha: float = 0.05, power: float = 0.8, ratio: float = 1.0
) -> Sizes:
    """Rows that prove a true difference between two proportions.

    Parameters
    ----------
    treated, baseline : float
        True proportions in (0, 1), not equal.
    alpha, power : float
        Two-sided alpha per comparison and the chance to prove the difference, in (0, 1).
    ratio : float
        Treated rows per baseline row, > 0.

    Returns
    -------
    Sizes
        With the pooled variance under no effect and the arms' own under the effect.

    References
    ----------
    Fleiss, Levin and Paik 2003, Statistical Methods for Rates and Proportions, chapter 4; statsmodels'
    ``samplesize_proportions_2indep_onetail`` at alpha / 2.
    """
    p, q = ranges.share("treated", treated), ranges.share("baseline", baseline)
    if p == q:
        raise ValueError(f"treated == baseline == {p!r}, no number of rows proves an effect of 0")
    pooled = (p * ratio + q) / (1 + ratio)
    under_null = pooled * (1 - pooled) * (1 + 1 / ranges.positive("ratio", ratio))
    under_effect = q * (1 - q) + p * (1 - p) / ratio
    z_alpha, z_power = special.ndtri(1 - ranges.share("alpha", alpha) / 2), special.ndtri(ranges.share("power", power))
    n = float((z_alpha * math.sqrt(under_null) + z_power * math.sqrt(under_effect)) / (p - q)) ** 2
    return Sizes(n * ratio, n)


def duration(rows: float, rows_per_week: float, window_days: int = 0) -> Duration:
    """How long until so many rows, all arms together, have enrolled and are mature.

    Parameters
    ----------
    rows, rows_per_week : float
        > 0.
    window_days : int
        Days from a row's first decision to its last outcome, grace included.
    """
    weeks = math.ceil(ranges.positive("rows", rows) / ranges.positive("rows_per_week", rows_per_week))
    return Duration(weeks, 7 * weeks + window_days)
