"""Amounts: numbers or decimal strings as clients write them, each read as one double."""

from __future__ import annotations

import re
from decimal import Context, Decimal
from functools import lru_cache

from workspaces.errors import Invalid

Amount = float | str

# below this, double precision gives back every decimal of 15 significant digits
LARGEST = 1e15
DIGITS = 15
# Decimal itself also reads "1_000", " 12 " and digits of other scripts
PLAIN = re.compile(r"-?[0-9]+(\.[0-9]+)?")
WRITTEN = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,2})?")


def converted(amount: float, rate: float) -> float:
    """Multiply as decimals, and keep as many digits as money has."""
    exact = Decimal(repr(amount)) * Decimal(repr(rate))
    return float(Context(prec=DIGITS).plus(exact)) + 0.0


def number(value: Amount, name: str, *, money: bool) -> float:
    """Read a number or a decimal string; money has at most 15 significant digits, so a double holds it exactly."""
    amount, digits = _read(value, name)
    if money and digits > DIGITS:
        raise Invalid(
            "invalid-field", f"{name} == {value!r} has {digits} digits, at most {DIGITS} are kept", f"/{name}"
        )
    return amount


# an amount is read for its row and for its digest
@lru_cache(maxsize=4096)
def _read(value: Amount, name: str) -> tuple[float, int]:
    """The double nearest to an amount, and how many digits it was written with."""
    # so few characters are neither too large nor too many digits
    if isinstance(value, str) and len(value) <= DIGITS and PLAIN.fullmatch(value):
        return float(value) + 0.0, len(value)
    if isinstance(value, str) and not WRITTEN.fullmatch(value):
        raise Invalid("invalid-field", f'{name} == {value!r} is no number; write it like "12.50"', f"/{name}")
    exact = Decimal(value if isinstance(value, str) else repr(value))
    if not exact.is_finite() or abs(exact) >= Decimal(LARGEST):
        raise Invalid("invalid-field", f"{name} == {value!r}, must be below {LARGEST:.0e}", f"/{name}")
    digits = len("".join(map(str, exact.as_tuple().digits)).rstrip("0"))
    # adding 0 takes the sign off a zero, so that it is written in one way
    return float(exact) + 0.0, digits
