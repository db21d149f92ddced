"""Return on investment: the set of ROIs that the data don't reject, and when a single figure may be shown."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from scipy import special

from impact.stats.adjustment import lin
from impact.stats.clusters import ClusterSums, cr2
from impact.stats.effects import NotEstimable, TEffect, difference
from impact.stats.moments import MomentTable
from impact.stats.ratio_sets import Estimator, RatioSet, inverted

SHOWN_BELOW = 0.1


class Quadrants(NamedTuple):
    """Probabilities, summing to 1, of the signs of incremental value and incremental cost."""

    more_value_more_cost: float
    more_value_less_cost: float
    less_value_more_cost: float
    less_value_less_cost: float


@dataclass(frozen=True, slots=True)
class Roi:
    """Incremental value / incremental cost - 1.

    Attributes
    ----------
    status : str
        ``shown``: a point may be shown; ``interval_only``; ``not_defined``: the extra cost isn't firmly
        positive, so no ratio is.
    point : float or None
        The estimate, where there is an extra cost to divide by.
    set : RatioSet
        Every ROI x at which value - (1 + x) cost doesn't differ from 0 at the level.
    g : float
        q^2 Var(cost) / cost^2, what the status is decided by.
    p_above_target : float
        P(ROI > target and extra cost > 0), flat prior.
    quadrants : Quadrants
    """

    status: Literal["shown", "interval_only", "not_defined"]
    point: float | None
    set: RatioSet
    g: float
    p_above_target: float
    quadrants: Quadrants


def roi(estimate: Estimator, level: float, target: float = 0.0) -> Roi | NotEstimable:
    """Estimate the ROI by inverting the test on value - (1 + x) cost.

    Parameters
    ----------
    estimate : function
        From a contrast over the columns ``value`` and ``cost`` to its effect: any estimator that is linear
        in the contrast (strata, covariates, clusters) serves, with the degrees of freedom it gives.
    level : float
        Confidence level in (0, 1); at a planned look, its nominal one (``boundaries``).
    target : float
        ROI to exceed; 0.25 is 25 %.

    References
    ----------
    Fieller 1954; Heitjan 2000, Health Economics 9 (net benefit and Fieller's method); Stinnett and Mullahy
    1998, Medical Decision Making 18 (net benefit).
    """
    found = inverted(estimate, "value", "cost", level)
    if isinstance(found, NotEstimable):
        return found
    value, cost, g = found.numerator, found.denominator, found.g
    return Roi(
        status="not_defined" if cost.estimate <= 0 or g >= 1 else "shown" if g < SHOWN_BELOW else "interval_only",
        point=value.estimate / cost.estimate - 1 if cost.estimate > 0 else None,
        set=found.set.shifted(-1.0),
        g=g,
        p_above_target=chance_above(estimate, cost, target),
        quadrants=quadrants(value, cost, found.covariance),
    )


def acceptability(estimate: Estimator, targets: Sequence[float]) -> list[float] | NotEstimable:
    """P(ROI > target) for each target: the cost-effectiveness acceptability curve, flat prior.

    Parameters
    ----------
    estimate : function
        As in ``roi``.
    targets : sequence of float
        ROIs; 0.25 is 25 %.

    Returns
    -------
    list of float or NotEstimable

    References
    ----------
    Stinnett and Mullahy 1998, Medical Decision Making 18.
    """
    cost = estimate({"cost": 1.0})
    if isinstance(cost, NotEstimable):
        return cost
    return [chance_above(estimate, cost, target) for target in targets]


def chance_above(estimate: Estimator, cost: TEffect, target: float) -> float:
    """P(ROI > target) under a flat prior: net benefit at the target > 0, together with an extra cost > 0.

    Parameters
    ----------
    estimate : function
        As in ``roi``.
    cost : TEffect
        Its effect on cost.
    target : float

    Returns
    -------
    float
        By the (bivariate) normal distribution.
    """
    benefit = estimate({"value": 1.0, "cost": -(1.0 + target)})
    assert isinstance(benefit, TEffect)
    if not cost.se:
        return normal_chance(benefit) if cost.estimate > 0 else 0.0
    value = estimate({"value": 1.0})
    assert isinstance(value, TEffect)
    # Cov(value - k cost, cost) from Var(value) = Var(benefit + k cost)
    k = 1.0 + target
    covariance = (value.se**2 - benefit.se**2 - k**2 * cost.se**2) / (2 * k) if k else 0.0
    return _both_positive(benefit, cost, covariance)


def quadrants(value: TEffect, cost: TEffect, covariance: float) -> Quadrants:
    """Probabilities of the four combinations of signs, by the bivariate normal.

    Parameters
    ----------
    value, cost : TEffect
    covariance : float
        Of the two estimates.
    """
    both = _both_positive(value, cost, covariance)
    more_value, more_cost = normal_chance(value), normal_chance(cost)
    rest = max(0.0, 1 - more_value - more_cost + both)
    return Quadrants(both, max(0.0, more_value - both), max(0.0, more_cost - both), rest)


def _both_positive(first: TEffect, second: TEffect, covariance: float) -> float:
    for exact, other in ((first, second), (second, first)):
        if not exact.se:
            return float(exact.estimate > 0) * normal_chance(other)
    correlation = max(-1.0, min(1.0, covariance / (first.se * second.se)))
    return both_above(first.estimate / first.se, second.estimate / second.se, correlation)


def both_above(h: float, k: float, correlation: float) -> float:
    """P(X < h and Y < k) of two standard normals, which is that both effects with these z are above 0.

    Parameters
    ----------
    h, k : float
        Estimates over their standard errors.
    correlation : float
        In [-1, 1].

    References
    ----------
    Owen 1956, Annals of Mathematical Statistics 27.
    """
    rest = math.sqrt(1 - correlation**2)
    if rest < 1e-8:
        return float(special.ndtr(min(h, k)) if correlation > 0 else max(0.0, special.ndtr(h) - special.ndtr(-k)))

    def wedge(one: float, other: float) -> float:
        slope = (other - correlation * one) / rest
        return float(special.owens_t(one, slope / one if one else math.copysign(math.inf, slope)))

    if h == 0 and k == 0:
        return 0.25 + math.asin(correlation) / (2 * math.pi)
    apart = 0.5 if h * k < 0 or (h * k == 0 and h + k < 0) else 0.0
    chance = float(special.ndtr(h) + special.ndtr(k)) / 2 - wedge(h, k) - wedge(k, h) - apart
    return min(1.0, max(0.0, chance))


def normal_chance(effect: TEffect) -> float:
    """P(true difference > 0) by the normal approximation, flat prior; 0 or 1 where it is exact.

    Parameters
    ----------
    effect : TEffect
    """
    return float(special.ndtr(effect.estimate / effect.se)) if effect.se else float(effect.estimate > 0)


def stratified(table: MomentTable, treated: str, baseline: str) -> Estimator:
    """Return the stratified difference on this table as an estimator.

    Parameters
    ----------
    table : MomentTable
    treated, baseline : str
        Arms.

    Returns
    -------
    function
        From a contrast to ``difference``.
    """
    return lambda contrast: difference(table, contrast, treated, baseline)


def covariate_adjusted(table: MomentTable, covariates: Sequence[str], treated: str, baseline: str) -> Estimator:
    """Return Lin's adjusted difference on this table as an estimator.

    Parameters
    ----------
    table, covariates, treated, baseline
        As in ``lin``.

    Returns
    -------
    function
        From a contrast to ``lin``.
    """
    return lambda contrast: lin(table, contrast, covariates, treated, baseline)


def clustered(sums: ClusterSums, treated: str, baseline: str) -> Estimator:
    """Return the difference with CR2 errors on these clusters as an estimator.

    Parameters
    ----------
    sums, treated, baseline
        As in ``cr2``.

    Returns
    -------
    function
        From a contrast to ``cr2``.
    """
    return lambda contrast: cr2(sums, contrast, treated, baseline)
