"""Benefit and cost by fiscal period: what was earned where its window matured, what was spent where it was."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

MONTHS, QUARTER = 12, 3
# of what a signed report said; less is told as a prior-period line only
REISSUED_FROM = Decimal("0.05")


class Month(NamedTuple):
    """What happened to an arm's rows in a calendar month.

    Attributes
    ----------
    month : str
        Like 2026-04.
    matured, opened : int
        Rows that count and whose window ended or began in it.
    spent : float
        On the arm's rows, less what as many rows of the baseline spent.
    """

    month: str
    matured: int
    opened: int
    spent: float


class Line(NamedTuple):
    """A month's incremental value and cost, in money; ``prior`` where it corrects periods closed before."""

    month: str
    value: Decimal
    cost: Decimal
    prior: bool = False

    @property
    def net(self) -> Decimal:
        return self.value - self.cost


def fiscal_period(month: str, start: int) -> tuple[str, int]:
    """Return the fiscal year and quarter of a calendar month.

    Parameters
    ----------
    month : str
        Like 2026-04.
    start : int
        Month in which the fiscal year begins, 1 to 12.

    Returns
    -------
    tuple of str and int
        Year like 2026, or 2025/26 where it spans two; quarter 1 to 4.
    """
    if not 1 <= start <= MONTHS:
        raise ValueError(f"start == {start}, must be 1 to {MONTHS}")
    year, number = int(month[:4]), int(month[5:])
    first = year if number >= start else year - 1
    name = f"{first}" if start == 1 else f"{first}/{(first + 1) % 100:02d}"
    return name, (number - start) % MONTHS // QUARTER + 1


def lines_of(value: float, cost: float, months: Sequence[Month], places: int) -> list[Line]:
    """Divide an arm's measured value and cost over the months.

    Parameters
    ----------
    value, cost : float
        Effect times the arm's rows, in money.
    months : sequence of Month
        Ascending; together all rows that count.
    places : int
        Decimals of the currency.

    Returns
    -------
    list of Line
        One a month; they add up to the value and the cost, rounded once.

    Notes
    -----
    Value goes by rows that matured. Cost goes where it was spent; what the estimate differs from the plain difference,
    because it is adjusted for strata, goes by rows that opened.
    """
    if not months:
        return []
    opened, matured = (max(1, sum(getattr(one, name) for one in months)) for name in ("opened", "matured"))
    rest = cost - sum(one.spent for one in months)
    values = _rounded([value * one.matured / matured for one in months], value, places)
    costs = _rounded([one.spent + rest * one.opened / opened for one in months], cost, places)
    return [Line(one.month, *amounts) for one, amounts in zip(months, zip(values, costs, strict=True), strict=True)]


def prior_line(now: Sequence[Line], told: Sequence[Line], closed_before: str, current: str) -> Line | None:
    """Return what closed months changed by, as a line of the current month; None where they are as they were told.

    Parameters
    ----------
    now, told : sequence of Line
        As computed now, and as the signed report before said, its own prior-period lines included.
    closed_before : str
        First month that was still open then.
    current : str
        Month that the line is told in.
    """
    again = [one for one in now if one.month < closed_before]
    kept = _closed(told, closed_before)
    value, cost = (total(again, name) - total(kept, name) for name in ("value", "cost"))
    return Line(current, value, cost, prior=True) if value or cost else None


def restated(now: Sequence[Line], told: Sequence[Line], closed_before: str, change: Line | None) -> list[Line]:
    """Return closed months as they were told, open ones as they are, and the change: together the sum of ``now``."""
    found = [*_closed(told, closed_before), *(one for one in now if one.month >= closed_before)]
    return sorted([*found, *([change] if change else [])], key=lambda one: (one.month, one.prior))


def to_reissue(change: Decimal, net: Decimal, agreed: Decimal) -> bool:
    """Whether a change of closed periods exceeds the larger of 5 % of the net that was told and the agreed amount."""
    return abs(change) > max(REISSUED_FROM * abs(net), agreed)


def total(lines: Sequence[Line], name: str = "net") -> Decimal:
    return sum((getattr(one, name) for one in lines), Decimal())


def _closed(told: Sequence[Line], closed_before: str) -> list[Line]:
    return [one for one in told if one.month < closed_before or one.prior]


def _rounded(parts: Sequence[float], whole: float, places: int) -> list[Decimal]:
    """Round running sums, not parts, so that the parts add up to the rounded whole."""
    unit = Decimal(1).scaleb(-places)
    found, before, running = [], Decimal(), 0.0
    for place, part in enumerate(parts):
        running += part
        until = Decimal(repr(whole if place == len(parts) - 1 else running)).quantize(unit)
        found.append(until - before)
        before = until
    return found
