"""Fiscal periods: worked examples, and sums that always come out."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from impact.agreements.periods import Line, Month, fiscal_period, lines_of, prior_line, restated, to_reissue, total

MONEY = st.floats(-1e9, 1e9, allow_nan=False)
ROWS = st.integers(0, 10_000)
MONTHS = st.lists(st.tuples(ROWS, ROWS, MONEY), min_size=1, max_size=30).map(
    lambda found: [Month(f"{2026 + n // 12}-{n % 12 + 1:02d}", *one) for n, one in enumerate(found)]
)
AMOUNT = st.decimals(-10_000, 10_000, places=2)
LINES = st.lists(st.tuples(st.integers(1, 12), AMOUNT, AMOUNT, st.booleans()), max_size=12).map(
    lambda found: [Line(f"2026-{n:02d}", *one) for n, *one in found]
)


@pytest.mark.parametrize(
    ("month", "start", "expected"),
    [
        ("2026-01", 1, ("2026", 1)), ("2026-12", 1, ("2026", 4)), ("2026-04", 4, ("2026/27", 1)),
        ("2026-03", 4, ("2025/26", 4)), ("2026-09", 10, ("2025/26", 4)), ("1999-12", 7, ("1999/00", 2)),
    ],
)  # fmt: skip
def test_months_belong_to_a_fiscal_quarter(month: str, start: int, expected: tuple[str, int]) -> None:
    assert fiscal_period(month, start) == expected


def test_there_are_twelve_months() -> None:
    with pytest.raises(ValueError, match="start == 13"):
        fiscal_period("2026-01", 13)


def test_value_goes_where_windows_mature_and_cost_where_it_was_spent() -> None:
    # 100 customers get a bonus of 2 in January, windows of 20 of them end in March, of 80 in April; each earns 9
    months = [Month("2026-01", 0, 100, 200.0), Month("2026-03", 20, 0, 0.0), Month("2026-04", 80, 0, 0.0)]
    january, march, april = lines_of(900.0, 200.0, months, 2)
    assert (january.value, january.cost, january.net) == (0, Decimal("200.00"), Decimal("-200.00"))
    assert (march.value, march.cost) == (Decimal("180.00"), 0)
    assert (april.value, april.cost, april.net) == (Decimal("720.00"), 0, Decimal("720.00"))


def test_a_saving_later_is_told_later() -> None:
    # stopping costs 9250 now; waiting costs 1500 at the window, a month after
    now, later = lines_of(0.0, 7750.0, [Month("2026-01", 0, 1, 9250.0), Month("2026-02", 1, 0, -1500.0)], 2)
    assert (now.cost, later.cost) == (Decimal(9250), Decimal(-1500))


def test_what_was_adjusted_goes_by_rows_that_opened() -> None:
    first, second = lines_of(0.0, 110.0, [Month("2026-01", 0, 30, 60.0), Month("2026-02", 40, 10, 40.0)], 2)
    assert (first.cost, second.cost) == (Decimal("67.50"), Decimal("42.50"))


def test_no_yen_has_decimals() -> None:
    lines = lines_of(100.0, 0.0, [Month(f"2026-0{n}", 1, 1, 0.0) for n in (1, 2, 3)], 0)
    assert [one.value for one in lines] == [33, 34, 33]


def test_nothing_has_no_lines() -> None:
    assert lines_of(0.0, 0.0, [], 2) == []


@given(MONEY, MONEY, MONTHS, st.sampled_from([0, 2]))
def test_periods_add_up_to_the_total(value: float, cost: float, months: list[Month], places: int) -> None:
    lines = lines_of(value, cost, months, places)
    unit = Decimal(1).scaleb(-places)
    assert [one.month for one in lines] == [one.month for one in months]
    assert total(lines, "value") == Decimal(repr(value)).quantize(unit)
    assert total(lines, "cost") == Decimal(repr(cost)).quantize(unit)
    assert total(lines) == total(lines, "value") - total(lines, "cost")


def test_closed_months_stay_and_the_change_is_a_line_of_its_own() -> None:
    told = [Line("2026-01", Decimal(100), Decimal(10)), Line("2026-02", Decimal(50), Decimal(0))]
    now = [Line("2026-01", Decimal(90), Decimal(12)), Line("2026-02", Decimal(60), Decimal(0))]
    change = prior_line(now, told, "2026-02", "2026-04")
    assert change == Line("2026-04", Decimal(-10), Decimal(2), prior=True)
    assert restated(now, told, "2026-02", change) == [told[0], now[1], change]
    # told once, it isn't a change any more
    again = restated(now, told, "2026-02", change)
    assert prior_line(now, again, "2026-05", "2026-06") is None


@given(LINES, LINES, st.integers(1, 12))
def test_restating_changes_no_sum_and_no_closed_month(now: list[Line], told: list[Line], closed: int) -> None:
    now, before = [one._replace(prior=False) for one in now], f"2026-{closed:02d}"
    change = prior_line(now, told, before, "2027-01")
    lines = restated(now, told, before, change)
    assert all(total(lines, name) == total(now, name) for name in ("value", "cost", "net"))
    kept = [one for one in told if one.month < before]
    assert sorted(kept) == sorted(one for one in lines if one.month < before and one in kept)
    assert prior_line(now, lines, "2027-01", "2027-02") is None


@pytest.mark.parametrize(
    ("change", "net", "agreed", "expected"),
    [("50", "1000", "0", False), ("50.01", "1000", "0", True), ("-50.01", "-1000", "0", True),
     ("60", "1000", "60", False), ("61", "1000", "60", True), ("0", "0", "0", False)],
)  # fmt: skip
def test_reissued_above_the_larger_of_both(change: str, net: str, agreed: str, expected: bool) -> None:
    assert to_reissue(Decimal(change), Decimal(net), Decimal(agreed)) is expected
