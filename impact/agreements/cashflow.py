"""From a net effect per case to a year of it: run-rate, net present value, both paybacks, and what would flip it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from impact.stats import ranges

MONTHS = 12


class Programme(NamedTuple):
    """What deploying costs and how often it acts.

    Attributes
    ----------
    cases_per_year : float
        Cases that are eligible in a year, as observed.
    build, running_per_year : float
        Money spent once before the start, and every year.
    years : int
        How long it is counted, >= 1.
    discount_rate : float
        A year, in (-1, inf); money of a year counts at its end.
    holdout : float
        Share of the cases that never get it, in [0, 1).
    adoption : float
        Share of the other cases that really follow the decision, in [0, 1].
    """

    cases_per_year: float
    build: float = 0.0
    running_per_year: float = 0.0
    years: int = 1
    discount_rate: float = 0.0
    holdout: float = 0.0
    adoption: float = 1.0

    @property
    def cases(self) -> float:
        """Cases a year that get it."""
        return self.cases_per_year * (1 - self.holdout) * self.adoption

    @property
    def annuity(self) -> float:
        """Present value of 1 at the end of every year."""
        return math.fsum((1 + self.discount_rate) ** -year for year in range(1, self.years + 1))


class Year(NamedTuple):
    """What an effect per case is worth in a programme.

    Attributes
    ----------
    per_case : float
    gross_per_year : float
        The run-rate: effect times cases.
    net_per_year : float
        After running cost.
    npv : float
        Net present value, building included.
    programme_return : float or None
        Net present value / (build + present value of running cost); None where nothing is spent.
    payback_months : float or None
        On value: months of net income that the building costs; None where it never comes back.
    """

    per_case: float
    gross_per_year: float
    net_per_year: float
    npv: float
    programme_return: float | None
    payback_months: float | None


class Flow(NamedTuple):
    """Money that a case brings, and when.

    Attributes
    ----------
    per_case : float
    shares : sequence of float
        Of 1 of ``per_case``, what arrives in the month of the decision and in each month after.
    """

    per_case: float
    shares: Sequence[float] = (1.0,)


class Cash(NamedTuple):
    """The balance of dated cash.

    Attributes
    ----------
    months_to_positive : int or None
        The month from which on the balance stays at or above 0; None where there is none.
    peak_funding : float
        The most that is needed in between, >= 0.
    peak_month : int
        When; 0 before the first month.
    balance : tuple of float
        At the end of every month, from the first.
    """

    months_to_positive: int | None
    peak_funding: float
    peak_month: int
    balance: tuple[float, ...]


class Swing(NamedTuple):
    """What an assumption does to a figure that is linear in it.

    Attributes
    ----------
    at_low, at_high : float
        The figure at the ends of the assumption.
    flips_at : float or None
        The assumption at which the figure is 0; None where it doesn't depend on it.
    inside : bool
        Whether that lies within low and high.
    """

    at_low: float
    at_high: float
    flips_at: float | None
    inside: bool


def year_of(per_case: float, programme: Programme) -> Year:
    """Project an effect per case to a year and to the programme's life.

    Parameters
    ----------
    per_case : float
        Net effect per case, in money.
    programme : Programme

    Returns
    -------
    Year

    Raises
    ------
    ValueError
        A number of the programme is outside its range.
    """
    _check(programme)
    gross = per_case * programme.cases
    net = gross - programme.running_per_year
    npv = -programme.build + net * programme.annuity
    spent = programme.build + programme.running_per_year * programme.annuity
    payback = MONTHS * programme.build / net if net > 0 else None
    return Year(per_case, gross, net, npv, npv / spent if spent > 0 else None, payback)


def fading_margin(months: int, kept: float, discount_rate: float) -> tuple[float, ...]:
    """Shares of a value that arrives as a monthly margin of which a part is lost each month.

    Parameters
    ----------
    months : int
        How many months it arrives, from the one after the decision, >= 1.
    kept : float
        Share that is left from one month to the next, in (0, 1].
    discount_rate : float
        A year; the present value of the shares is 1.

    Returns
    -------
    tuple of float, length months + 1
        The month of the decision, which brings nothing, and the months after; their sum is above 1.
    """
    if months < 1:
        raise ValueError(f"months == {months}, must be >= 1")
    if not 0 < kept <= 1:
        raise ValueError(f"kept == {kept}, must be in (0, 1]")
    monthly = (1 + discount_rate) ** (1 / MONTHS)
    worth = math.fsum((kept / monthly) ** month for month in range(1, months + 1))
    return (0.0, *(kept**month / worth for month in range(1, months + 1)))


def dated_cash(incomes: Sequence[Flow], cost_per_case: float, programme: Programme) -> Cash:
    """Run a programme month by month: costs when the decision is taken, incomes when they arrive.

    Parameters
    ----------
    incomes : sequence of Flow
    cost_per_case : float
        Spent in the month of the decision.
    programme : Programme
        Decides for ``years``; what arrives after is counted too. Not discounted.
    """
    _check(programme)
    cases, deciding = programme.cases / MONTHS, MONTHS * programme.years
    longest = max((len(flow.shares) for flow in incomes), default=1)
    balance, course = -programme.build, []
    for month in range(deciding + longest - 1):
        # a share arrives once for each month that decided so long ago
        first, last = max(0, month - deciding + 1), month + 1
        arrived = math.fsum(flow.per_case * math.fsum(flow.shares[first:last]) for flow in incomes)
        spent = cases * cost_per_case + programme.running_per_year / MONTHS if month < deciding else 0.0
        balance += cases * arrived - spent
        course.append(balance)
    lowest = min(course)
    peak = max(0.0, programme.build, -lowest)
    month = course.index(lowest) + 1 if -lowest >= programme.build and peak else 0
    below = [place for place, one in enumerate(course) if one < 0]
    start = below[-1] + 2 if below else 1
    return Cash(start if start <= len(course) else None, peak, month, tuple(course))


def price_of_holdout(share: float, cases_per_year: float, booked: float) -> float:
    """Return what a year of measuring costs: the booked effect, forgone on those that are held out.

    Parameters
    ----------
    share : float
        In [0, 1).
    cases_per_year : float
        All that are eligible.
    booked : float
        Effect per case as it is booked; a negative one costs nothing to forgo.
    """
    return share * cases_per_year * max(0.0, booked)


def stop_threshold(now: float, at_window: float, failure: float, residual: float = 0.0) -> float:
    """Return the probability of failure from which on stopping at once costs less than waiting.

    Parameters
    ----------
    now, at_window, failure : float
        Cost of stopping at once, of the planned window, and of a failure; ``failure`` > ``at_window``.
    residual : float
        Probability of failing in spite of stopping, in [0, 1].

    Returns
    -------
    float
        (now - at_window + residual x failure) / (failure - at_window); above 1, waiting always costs less.
    """
    ranges.within("residual", residual, 0.0, 1.0)
    if not failure > at_window:
        raise ValueError(f"failure == {failure}, must cost more than the window, {at_window}")
    return (now - at_window + residual * failure) / (failure - at_window)


def swing(figure: float, slope: float, low: float, base: float, high: float) -> Swing:
    """Move an assumption over its range, where the figure is linear in it.

    Parameters
    ----------
    figure : float
        At the assumption's base.
    slope : float
        Change of the figure per 1 of the assumption.
    low, base, high : float
        The assumption's three values, ascending.
    """
    if not low <= base <= high:
        raise ValueError(f"low, base, high == {low}, {base}, {high}, must ascend")
    flips = base - figure / slope if slope else None
    at_low, at_high = figure + slope * (low - base), figure + slope * (high - base)
    return Swing(at_low, at_high, flips, flips is not None and low <= flips <= high)


def crossing(figure: Callable[[float], float], low: float, high: float) -> float | None:
    """Return where a figure changes its sign between two values, or None where both ends have the same.

    Parameters
    ----------
    figure : function
        Continuous and monotone between the two.
    low, high : float
    """
    at_low = figure(low)
    if not at_low:
        return low
    if (at_low > 0) == (figure(high) > 0):
        return None
    for _ in range(200):
        middle = (low + high) / 2
        if not low < middle < high:
            break
        if (figure(middle) > 0) == (at_low > 0):
            low = middle
        else:
            high = middle
    return high


def _check(programme: Programme) -> None:
    """Refuse numbers outside their range."""
    if programme.years < 1:
        raise ValueError(f"years == {programme.years}, must be >= 1")
    if not programme.discount_rate > -1:
        raise ValueError(f"discount_rate == {programme.discount_rate}, must be above -1")
    for name, above in (("holdout", programme.holdout < 1), ("adoption", programme.adoption <= 1)):
        share = getattr(programme, name)
        if not (share >= 0 and above):
            raise ValueError(f"{name} == {share}, must be a share")
    for name in ("cases_per_year", "build", "running_per_year"):
        if not getattr(programme, name) >= 0:
            raise ValueError(f"{name} == {getattr(programme, name)}, must be >= 0")
