"""Forms of numbers, money and dates in each language."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from babel import dates, numbers

LANGUAGES = ("en", "ja")
MINUS = "\u2212"
NO_BREAK = "\u00a0"
SMALLEST_P = 0.001


@dataclass(frozen=True, slots=True)
class Forms:
    """How a reader's language writes things."""

    language: str

    def number(self, value: float | Decimal, decimals: int = 0, *, signed: bool = False) -> str:
        """Group thousands, use the real minus sign, and no minus before a zero."""
        rounded = round(float(value), decimals) + 0.0
        pattern = "#,##0" + ("." + "0" * decimals if decimals else "")
        text = numbers.format_decimal(abs(rounded), pattern, locale=self.language)
        sign = MINUS if rounded < 0 else "+" if signed and rounded > 0 else ""
        return sign + text

    def plain(self, value: float) -> str:
        """A number that somebody stated: up to four digits behind its point, and no zeros for nothing."""
        return self.number(value, len(f"{value:.4f}".rstrip("0").partition(".")[2]))

    def money(self, value: float | Decimal, currency: str, decimals: int | None = None, *, signed: bool = False) -> str:
        """An amount with its currency; with as many decimals as the currency has, unless told."""
        digits = numbers.get_currency_precision(currency) if decimals is None else decimals
        name = self.currency(currency)
        return f"{self.number(value, digits, signed=signed)}{NO_BREAK if name == currency else ''}{name}"

    def currency(self, code: str) -> str:
        return numbers.get_currency_name(code, count=1, locale=self.language) if self.language == "ja" else code

    def probability(self, p: float) -> str:
        """A p-value with its sign, as it follows the letter."""
        return f"= {p:.3g}" if p >= SMALLEST_P else f"< {SMALLEST_P}"

    def percent(self, share: float, decimals: int = 0, *, signed: bool = False) -> str:
        return f"{self.number(100 * share, decimals, signed=signed)}{'' if self.language == 'ja' else NO_BREAK}%"

    def span(self, low: str, high: str) -> str:
        """A range in running text."""
        return f"{low}〜{high}" if self.language == "ja" else f"{low} to {high}"

    def day(self, at: datetime | date, time_zone: str = "UTC") -> str:
        if isinstance(at, datetime):
            at = at.astimezone(ZoneInfo(time_zone)).date()
        return dates.format_date(at, "long" if self.language == "ja" else "d MMMM y", locale=self.language)

    def month_name(self, number: int) -> str:
        return str(dates.get_month_names("wide", "stand-alone", self.language)[number])

    def moment(self, at: datetime, time_zone: str = "UTC") -> str:
        local = at.astimezone(ZoneInfo(time_zone))
        return f"{self.day(local, time_zone)} {local:%H:%M}"


def decimals_for(low: float, high: float, currency: str | None = None) -> int:
    """How many decimals an estimate with this range needs: two digits of its half-width, cents for money."""
    half = abs(high - low) / 2
    least = 0 if currency is None else numbers.get_currency_precision(currency)
    if max(abs(low), abs(high)) >= 1000:
        return 0
    if not half or not math.isfinite(half):
        return max(least, 2)
    digits = 1 - math.floor(math.log10(half))
    return min(6, max(least, digits)) if least or currency is None else min(6, max(0, digits if half < 1 else 0))
