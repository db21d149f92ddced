"""Amounts are read alike however they are written."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from impact.ledger.amounts import number
from workspaces.errors import Invalid


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**9), max_value=10**9))
def test_a_decimal_is_the_double_nearest_to_it(exact: Decimal) -> None:
    assert number(f"{exact:f}", "amount", money=True) == float(exact)
    assert number(f"{exact:e}", "amount", money=True) == float(exact)


def test_a_zero_has_no_sign() -> None:
    assert [str(number(zero, "amount", money=True)) for zero in ("-0", "-0.00", "0", -0.0)] == ["0.0"] * 4


@pytest.mark.parametrize(
    "text", ["", "-", "1.", ".5", "1,5", "1_0", " 1", "1\n", "\u0661", "nan", "1e15", "1" + "0" * 15, "-1" + "0" * 15]
)
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        number(text, "amount", money=False)


def test_money_has_no_more_digits_than_a_double() -> None:
    assert number("0.123456789012345", "amount", money=True) == 0.123456789012345
    assert number("0.1234567890123456", "value", money=False) == 0.1234567890123456
    with pytest.raises(Invalid, match="has 16 digits"):
        number("0.1234567890123456", "amount", money=True)
