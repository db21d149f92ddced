"""The policy as the subject: what the model is worth against the best action that needs no score."""

from __future__ import annotations

from typing import Any

import pytest

from impact.figures.executive import points
from impact.figures.experiment import experiment_page
from impact.figures.forms import Forms
from impact.figures.model_worth import model_worth, score_free
from tests.figures.documents import CASE, judged, plain, said
from tests.figures.test_worth import LADDER


def document(ci: tuple[float, float] = (-0.5, 3.7), arm: str = "bonus", language: str = "en", **changes: Any) -> Any:
    ladder = LADDER | {"model": LADDER["model"] | {"arm": arm, "ci": list(ci)}}
    return said("churn", language, value_ladder=ladder, **changes)


def final(found: Any, is_final: bool = True) -> Any:
    return found | {"maturity": found["maturity"] | {"final": is_final}}


def test_it_is_told_against_the_baseline_and_the_best_action_without_a_score() -> None:
    text = plain(model_worth(final(document()), Forms("en")))
    assert text.startswith("The policy challenger earned +3.50 EUR per customer compared with no action")
    assert text.endswith(
        "Compared with the best action without a score, bonus for everybody, it earned +1.60 EUR"
        " (\u22120.50 to 3.70): that is what the model is worth, not proven."
    )
    assert "これがモデルの価値で、実証されていません。" in model_worth(final(document(language="ja")), Forms("ja"))


@pytest.mark.parametrize(
    ("ci", "is_final", "word"),
    [((0.5, 2.7), True, "proven."), ((-2.7, -0.5), True, "proven to lose."), ((0.5, 2.7), False, "too early to say.")],
)
def test_the_word_follows_the_range_and_the_end(ci: tuple[float, float], is_final: bool, word: str) -> None:
    assert model_worth(final(document(ci), is_final), Forms("en")).endswith(f"worth, {word}")


def test_where_the_baseline_is_best_it_is_told_once() -> None:
    text = model_worth(final(document(arm="none")), Forms("en"))
    assert "no action" in text and "which is the best action without a score" in text


def test_page_and_report_say_it() -> None:
    found = final(document())
    assert experiment_page(found, "en")["model_worth"] == model_worth(found, Forms("en"))
    [compared] = [one["text"] for one in points(found, CASE, [], "en") if one["title"] == "Compared with"]
    assert model_worth(found, Forms("en")) in compared


def test_without_a_policy_the_best_action_is_named() -> None:
    found = said("churn", "en", value_ladder=LADDER | {"model": None})
    assert model_worth(found, Forms("en")) == ""
    assert score_free(found, Forms("en")) == "The best action without a score: Bonus for everybody."


def test_of_what_is_withheld_nothing_is_told() -> None:
    found = judged("churn", "withheld", None) | {"value_ladder": LADDER}
    assert model_worth(found, Forms("en")) == score_free(found, Forms("en")) == ""
