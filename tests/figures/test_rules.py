"""Rules in words, in both languages."""

from __future__ import annotations

import pytest

from impact.figures.rules import rule_in_words


@pytest.mark.parametrize(
    ("rule", "english", "japanese"),
    [
        ("score >= 0.10", "the score is at least 0.10", "スコアが0.10以上"),
        (
            'score > 0.1 and plan != "gone"',
            "the score is above 0.1 and plan is not gone",
            "スコアが0.1より大きい、かつplanがgone以外",
        ),
        ("0.1 < score <= 0.5", "0.1 is below the score and the score is at most 0.5", None),
        (
            'plan in ("basic", "plus") and (vip or not tenure < 24)',
            "plan is one of basic, plus and (vip holds or not (tenure is below 24))",
            "planがbasic, plusのいずれか、かつ(vipが成り立つ、または（tenureが24より小さい）ではない)",
        ),
        ("tenure not in [-1, 0] or vip == true", "tenure is none of -1, 0 or vip is true", None),
    ],
)
def test_says_what_must_hold(rule: str, english: str, japanese: str | None) -> None:
    assert rule_in_words(rule, "en") == english
    if japanese:
        assert rule_in_words(rule, "ja") == japanese
