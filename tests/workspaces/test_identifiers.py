"""What may name a thing."""

from __future__ import annotations

import re
import sys
import unicodedata

import pytest

from workspaces.errors import Refusal
from workspaces.identifiers import ID_PATTERN, check_key, new_id
from workspaces.strict import Currency, Id, Key, convert

# control, format, separator, surrogate, private use
UNSEEN = {"Cc", "Cf", "Zl", "Zp", "Zs", "Cs", "Co"}


def test_no_invisible_character_stands_in_an_id() -> None:
    unseen = [chr(code) for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)) in UNSEEN]
    assert len(unseen) > 130_000
    assert [hex(ord(one)) for one in unseen if re.search(ID_PATTERN, f"a{one}b")] == [hex(ord(" "))]
    assert not any(re.search(ID_PATTERN, text) for one in unseen for text in (one, f"a{one}", f"{one}a"))


@pytest.mark.parametrize("text", ["cust-00042", "a", "Müller, Jörg", "顧客 7", "a|b", "🚗", "אב", "a" * 200])
def test_ids_of_any_script_pass(text: str) -> None:
    assert convert(text, Id) == text


@pytest.mark.parametrize("text", ["", " ", " a", "a ", "a\n", "\na", "a\tb", "a\x7fb", "a\x1fb", "a\u200bb", "a" * 201])
def test_other_ids_are_refused(text: str) -> None:
    with pytest.raises(Refusal) as refusal:
        convert(text, Id)
    assert refusal.value.code == "invalid-field"


@pytest.mark.parametrize("text", ["a", "0", "churn-q4", "a.b_c-d", "a" * 64])
def test_keys_pass(text: str) -> None:
    assert check_key(text) == convert(text, Key) == text


@pytest.mark.parametrize("text", ["", "A", "-a", ".a", "_a", "a b", "a/b", "é", "a\n", "a" * 65])
def test_other_keys_are_refused(text: str) -> None:
    with pytest.raises(Refusal):
        convert(text, Key)
    with pytest.raises(ValueError, match="is no key"):
        check_key(text)


@pytest.mark.parametrize("text", ["eur", "EURO", "EU", "EUR\n", "€"])
def test_a_currency_has_three_capitals(text: str) -> None:
    assert convert("EUR", Currency) == "EUR"
    with pytest.raises(Refusal):
        convert(text, Currency)


def test_new_ids_sort_by_the_time_they_were_made() -> None:
    made = [new_id() for _ in range(2000)]
    assert made == sorted(set(made))
    assert {one.version for one in made} == {7}
