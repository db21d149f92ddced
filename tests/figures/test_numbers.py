"""The numbers behind the pictures: those that are drawn, unrounded, and none of what is withheld."""

from __future__ import annotations

import pytest

from impact.figures.numbers import PICTURES, numbers_of
from tests.figures.documents import said
from tests.figures.test_worth import STATEMENT, document

LANGUAGES = ("en", "ja")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_ladder_has_its_rungs(language: str) -> None:
    found = numbers_of(document(language), "ladder", language)
    assert found is not None
    head, rows = found
    assert head == ["label", "estimate", "low", "high"]
    assert [round(row[1], 2) for row in rows] == [-2.2, 1.9, 3.5, 2.8]


def test_a_tornado_is_of_the_statement() -> None:
    found = numbers_of(document("en"), "tornado", "en")
    assert found is not None
    npv = STATEMENT["projected"]["base"]["npv"]
    assert {row[1] for row in found[1]} == {npv} and len(found[1]) == len(STATEMENT["tornado"]) + 1


def test_cash_begins_with_the_build() -> None:
    found = numbers_of(document("en"), "cash", "en")
    assert found is not None
    head, rows = found
    assert head[0] == "month" and rows[0][:2] == [0, -STATEMENT["programme"]["build"]]
    assert [row[1] for row in rows[1:]] == STATEMENT["cash"]["projected"]["balance"]


@pytest.mark.parametrize("picture", PICTURES)
def test_what_is_withheld_or_not_there_has_none(picture: str) -> None:
    withheld = document("en") | {"verdict": document("en")["verdict"] | {"level": "withheld"}}
    assert numbers_of(withheld, picture, "en") is None
    assert numbers_of(said("six_arms", "en"), picture, "en") is None
