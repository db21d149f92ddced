"""Refusals as pages say them: in the reader's language, with names and values in place."""

from __future__ import annotations

import pytest
from django.utils import translation

from workspaces.errors import Missing
from workspaces.saying import in_words

SAID = [
    ("send either unit_id or decision_id", "unit_idまたはdecision_idのどちらか一方を送ってください"),
    (Missing("decision point", "offers").detail, "このワークスペースに決定点'offers'はありません。"),
    ("'bonus' stands twice; name it once", "'bonus'が2回あります。1回だけ書いてください"),
    # a quoted value ends where its quotes end, whatever it holds
    (
        "is == 'a, must be b', must be a text, a number, true or false",
        "is == 'a, must be b'は使えません。文字列、数、true、falseのどれかにしてください",
    ),
    # a value that a field doesn't hold: the bound's words are a part of their own
    ("share == 2, must be at most 1", "share == 2は使えません。1以下にしてください"),
    # a sentence in a sentence
    (
        "rule 'x > 1' speaks of 'x'; the model knows score; change decision point offers first",
        "規則'x > 1'に'x'がありますが、モデルにあるのは次のものです：score。先に決定点offersを変更してください",
    ),
    (
        "churn can't start: signatures for business, finance are missing.",
        "churnは開始できません。事業、財務の署名がありません。",
    ),
    ("Object missing required field `key`", "必須の項目`key`がありません"),
    ("Expected `str`, got `int`, got '3'", "`str`が必要ですが、`int`でした（入力：'3'）"),
    (
        "/data/a.csv line 3, column 'spend': 'ten' is no number; write it like 12.5",
        "/data/a.csvの行3、列'spend'：'ten'は数ではありません。12.5のように書いてください",
    ),
    (
        "units.csv line 3 is not UTF-8; save the file as UTF-8.",
        "units.csvの3行目はUTF-8ではありません。UTF-8で保存してください",
    ),
]


@pytest.mark.parametrize(("english", "japanese"), SAID)
def test_says_a_refusal_in_japanese(english: str, japanese: str) -> None:
    with translation.override("ja"):
        assert in_words(english).removesuffix("。") == japanese.removesuffix("。")


@pytest.mark.parametrize("english", [english for english, _ in SAID])
def test_english_stays_as_it_is(english: str) -> None:
    assert in_words(english) == english


@pytest.mark.parametrize(
    "text", ["", "Connection refused", "a: b", "The mail server is away.", "もう宣言されています。"]
)
def test_what_has_no_words_stays_as_it_is(text: str) -> None:
    with translation.override("ja"):
        assert in_words(text) == text
