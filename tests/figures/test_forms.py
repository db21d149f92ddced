"""Numbers, money, shares, dates: each language's form."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from impact.figures.forms import Forms, decimals_for
from tests.figures.documents import plain

EN, JA = Forms("en"), Forms("ja")
NEW_YEAR = datetime(2025, 12, 31, 23, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "decimals", "signed", "text"),
    [
        (0, 0, False, "0"),
        (1234567.891, 2, False, "1,234,567.89"),
        (-0.004, 2, True, "0.00"),
        (0.004, 2, True, "0.00"),
        (-1234.5, 1, False, "\u22121,234.5"),
        (2.675, 2, True, "+2.67"),
        (0.5, 0, False, "0"),
        (float("inf"), 0, False, "\u221e"),
        (float("-inf"), 1, False, "\u2212\u221e"),
    ],
)
@pytest.mark.parametrize("forms", [EN, JA], ids=["en", "ja"])
def test_numbers(forms: Forms, value: float, decimals: int, signed: bool, text: str) -> None:
    assert forms.number(value, decimals, signed=signed) == text


@given(st.floats(-1e12, 1e12), st.integers(0, 6))
def test_a_number_reads_back_as_itself(value: float, decimals: int) -> None:
    text = EN.number(value, decimals).replace("\u2212", "-").replace(",", "")
    assert float(text) == pytest.approx(round(value, decimals), abs=1e-9)
    assert float(text) != 0 or not text.startswith("-")


@pytest.mark.parametrize(
    ("amount", "currency", "decimals", "en", "ja"),
    [
        (4.6221, "EUR", None, "4.62 EUR", "4.62ユーロ"),
        (-1234.5, "USD", None, "\u22121,234.50 USD", "\u22121,234.50米ドル"),
        (222711.4, "JPY", None, "222,711 JPY", "222,711円"),
        (0.131, "USD", 3, "0.131 USD", "0.131米ドル"),
        (3, "points", 1, "3.0 points", "3.0 points"),
    ],
)
def test_money(amount: float, currency: str, decimals: int | None, en: str, ja: str) -> None:
    assert plain(EN.money(amount, currency, decimals)) == en
    assert plain(JA.money(amount, currency, decimals)) == ja


def test_an_amount_never_parts_from_its_currency() -> None:
    assert " " not in EN.money(5, "EUR") + EN.percent(0.5)


@pytest.mark.parametrize(("share", "decimals", "en", "ja"), [(0.95, 0, "95 %", "95%"), (-0.0123, 1, "−1.2 %", "−1.2%")])
def test_shares(share: float, decimals: int, en: str, ja: str) -> None:
    assert (plain(EN.percent(share, decimals)), JA.percent(share, decimals)) == (en, ja)


def test_spans() -> None:
    assert (EN.span("−1", "2"), JA.span("−1", "2")) == ("−1 to 2", "−1〜2")


@pytest.mark.parametrize(
    ("p", "text"), [(0.04271, "= 0.0427"), (1.0, "= 1"), (0.001, "= 0.001"), (0.00099, "< 0.001"), (0.0, "< 0.001")]
)
def test_chances_too_small_to_matter_are_not_spelt_out(p: float, text: str) -> None:
    assert EN.probability(p) == text


@pytest.mark.parametrize(
    ("zone", "en", "ja"),
    [
        ("UTC", "31 December 2025 23:30", "2025年12月31日 23:30"),
        ("Europe/Berlin", "1 January 2026 00:30", "2026年1月1日 00:30"),
        ("Asia/Tokyo", "1 January 2026 08:30", "2026年1月1日 08:30"),
        ("America/New_York", "31 December 2025 18:30", "2025年12月31日 18:30"),
    ],
)
def test_times_are_those_of_the_zone(zone: str, en: str, ja: str) -> None:
    assert (EN.moment(NEW_YEAR, zone), JA.moment(NEW_YEAR, zone)) == (en, ja)
    assert (EN.day(NEW_YEAR, zone), JA.day(NEW_YEAR, zone)) == (en[:-6], ja[:-6])


def test_a_day_has_no_zone() -> None:
    assert EN.day(date(2026, 3, 1), "Pacific/Kiritimati") == "1 March 2026"


@pytest.mark.parametrize(
    ("low", "high", "currency", "decimals"),
    [
        (0.15, 9.09, "EUR", 2),
        (0.046, 0.216, "EUR", 3),
        (2589, 6660, "EUR", 0),
        (-48685, -853, "EUR", 0),
        (83.2, 214.1, "JPY", 0),
        (0.02, 0.08, "JPY", 3),
        (-3.6, -0.6, None, 1),
        (-80.0, -40.0, None, 0),
        (1.0, 1.0, None, 2),
        (float("-inf"), 5.0, None, 0),
        (1e-9, 2e-9, None, 6),
    ],
)
def test_decimals_show_two_digits_of_the_half_width(
    low: float, high: float, currency: str | None, decimals: int
) -> None:
    assert decimals_for(low, high, currency) == decimals
