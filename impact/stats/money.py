"""Money from effects: totals, break-evens, and the threshold between stopping and waiting."""

from __future__ import annotations

import math
from typing import NamedTuple

from impact.stats import ranges
from impact.stats.effects import Effect


class Total(NamedTuple):
    """A sum of money and its confidence interval."""

    estimate: float
    interval: tuple[float, float]


def total(effect: Effect, rows: float, level: float, fixed: float = 0.0) -> Total:
    """Total effect on so many rows, minus a fixed cost of the programme.

    Parameters
    ----------
    effect : Effect
        Net value per row, in money.
    rows : float
        Rows treated, or rows of the roll-out, >= 0.
    level : float
        Confidence level in (0, 1).
    fixed : float
        Cost that doesn't depend on the rows.
    """
    low, high = effect.interval(level)
    return Total(rows * effect.estimate - fixed, (rows * low - fixed, rows * high - fixed))


def break_even_effect(extra_cost: float, value: float) -> float:
    """Effect per row at which value pays for the extra cost.

    Parameters
    ----------
    extra_cost : float
        Cost per treated row above the baseline's, in money.
    value : float
        What one unit of the outcome is worth, in money, > 0: 300 for a customer kept.

    Returns
    -------
    float
        In units of the outcome: 0.0057 customers kept for each one treated.
    """
    return extra_cost / ranges.positive("value", value)


def break_even_value(outcome: Effect, cost: Effect) -> float | None:
    """Value of one unit of the outcome at which the net effect is 0, where the decision flips.

    Parameters
    ----------
    outcome, cost : Effect
        Effects on the outcome, counted so that more is better, and on the cost.

    Returns
    -------
    float or None
        In money; None where no positive value balances the cost.
    """
    if not outcome.estimate:
        return None
    value = cost.estimate / outcome.estimate
    return value if value > 0 else None


def break_even_rows(effect: Effect, fixed: float, level: float) -> tuple[float, tuple[float, float]]:
    """Rows at which the net effect has paid for a fixed cost, and their confidence interval.

    Parameters
    ----------
    effect : Effect
        Net value per row.
    fixed : float
        Fixed cost in money, > 0.
    level : float
        Confidence level in (0, 1).

    Returns
    -------
    tuple
        Estimate and (fewest, most); inf where the net value isn't above 0.
    """
    ranges.positive("fixed", fixed)
    low, high = effect.interval(level)
    rows = [fixed / net if net > 0 else math.inf for net in (effect.estimate, high, low)]
    return rows[0], (rows[1], rows[2])


def affordable_cost(value: Effect, rows: float = math.inf, fixed: float = 0.0) -> float:
    """Highest extra cost per row that the effect on value still pays for, after a share of the fixed cost.

    Parameters
    ----------
    value : Effect
        Effect on value per row, in money.
    rows : float
        Rows that share the fixed cost, > 0.
    fixed : float
        In money.
    """
    return value.estimate - fixed / rows
