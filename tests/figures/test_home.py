"""The home page in words: what may be added is added end by end, what may not is named, projected stays apart."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from impact.figures.home import home_page, next_text, period_text, running_text, total_of, why_not_added
from tests.figures.documents import judged, plain, said
from tests.figures.test_worth import LADDER, STATEMENT


def churn(language: str = "en", **changes: Any) -> dict[str, Any]:
    return said("churn", language, **({"value_ladder": LADDER, "value_statement": STATEMENT} | changes))


def test_an_experiments_arms_are_added_end_by_end() -> None:
    document = churn()
    blocks = document["money"]["comparisons"]
    total = total_of(document)
    assert total is not None
    assert total.amount == pytest.approx(sum(block["total"]["net"] for block in blocks))
    assert total.low == pytest.approx(sum(block["total"]["net_ci"][0] for block in blocks))
    assert total.high == pytest.approx(sum(block["total"]["net_ci"][1] for block in blocks))
    assert total.rows == sum(block["total"]["n"] for block in blocks)


def test_before_the_end_the_range_is_the_one_that_may_be_looked_at_any_day() -> None:
    early = churn()
    early["maturity"] = early["maturity"] | {"final": False}
    blocks = early["money"]["comparisons"]
    total = total_of(early)
    assert total is not None
    assert total.low == pytest.approx(sum(b["total"]["n"] * b["net"]["always_valid"]["ci"][0] for b in blocks))


@pytest.mark.parametrize(("language", "said_"), [("en", "between"), ("ja", "範囲")])
def test_the_sentence_has_its_range_and_says_where_it_is_unclear(language: str, said_: str) -> None:
    page = home_page([churn(language)], "EUR", language)
    total = total_of(churn(language))
    assert total is not None
    assert total.low < 0 < total.high
    assert said_ in page["headline"] and f"{abs(total.amount):,.0f}" in page["headline"]
    assert page["level"] == "unclear"


@pytest.mark.parametrize(("sign", "start"), [(1, "Acting on predictions earned"), (-1, "Acting on predictions lost")])
def test_what_is_clear_is_said_to_be_earned_or_lost(sign: int, start: str) -> None:
    document = churn()
    for block in document["money"]["comparisons"]:
        block["net"] |= {"effect": sign * 5.0, "ci": sorted([sign * 4.0, sign * 6.0])}
    page = home_page([document], "EUR", "en")
    assert page["headline"].startswith(start) and "unclear" not in page["headline"] and page["level"] == ""


@pytest.mark.parametrize("level", ["withheld", "too_early"])
def test_what_may_not_be_believed_is_named_and_not_added(level: str) -> None:
    document = churn()
    document["verdict"] = document["verdict"] | {"level": level}
    page = home_page([document], "EUR", "en")
    assert page["headline"] == "Nothing that was measured in this time may be added up."
    assert "Left out of the sum" in page["notes"][0] and document["name"] in page["notes"][0]
    assert page["projected"] == []
    assert bool(page["measured"]) == (level == "too_early")


def test_other_currencies_and_what_nobody_agreed_are_left_out() -> None:
    agreed, loaded, yen = churn(), churn() | {"origin": "loaded", "name": "Mails"}, churn() | {"name": "Osaka"}
    yen["money"] = yen["money"] | {"currency": "JPY"}
    assert [why_not_added(one, "EUR") for one in (agreed, loaded, yen)] == ["", "loaded", "currency"]
    page = home_page([agreed, loaded, yen], "EUR", "en")
    assert page["headline"] == home_page([agreed], "EUR", "en")["headline"]
    assert "Mails (not agreed beforehand), Osaka (in JPY)" in page["notes"][1]
    assert [tile["label"] for tile in page["measured"]].count("Measured, Mails") == 1


def test_without_money_there_is_nothing_to_add() -> None:
    document = churn(value_statement=None, value_ladder=None) | {"money": None}
    assert total_of(document) is None and why_not_added(document, "EUR") == "no_money"


def test_an_arm_that_is_withheld_is_left_out_of_its_experiment() -> None:
    document = churn()
    whole = total_of(document)
    document["verdicts"] = [
        one | ({"level": "withheld"} if one["arm"] == "credit" else {}) for one in document["verdicts"]
    ]
    part = total_of(document)
    assert whole is not None and part is not None
    assert [arm for arm, _ in part.arms] == ["bonus"] and part.amount != whole.amount


def test_a_year_is_booked_and_stands_apart_from_what_was_measured() -> None:
    [tile] = home_page([churn()], "EUR", "en")["projected"]
    assert tile["label"] == "Projected, a year of the policy challenger"
    assert plain(tile["amount"]) == "+717,750 EUR"
    assert "Booked" in tile["note"] and "Never added" in tile["note"]
    [plainly] = home_page([churn(value_statement=STATEMENT | {"booked": None})], "EUR", "en")["projected"]
    assert "not booked" in plainly["note"]


def test_the_models_policy_is_shown_after_its_running_cost() -> None:
    [ladder] = home_page([churn()], "EUR", "en")["ladders"]
    last = ladder["figure"]["rows"][-1]
    assert last["label"] == "... after 0.70 of running cost"
    # 3.50 less 180,000 over 256,500 cases
    assert last["effect"] == "+2.80"
    assert home_page([churn(value_ladder=None)], "EUR", "en")["ladders"] == []


def test_a_withheld_experiment_has_no_ladder() -> None:
    document = judged("churn", "withheld", None) | {"value_ladder": LADDER, "value_statement": STATEMENT}
    assert home_page([document | {"name": "Churn"}], "EUR", "en")["ladders"] == []


def test_no_documents_say_that_nothing_was_measured() -> None:
    page = home_page([], "EUR", "en")
    assert page["headline"] == "Nothing was measured in this time." and page["notes"] == []


def test_times_and_costs_in_words() -> None:
    day = datetime(2026, 6, 22, tzinfo=UTC)
    assert next_text("maturing", day, "UTC", "en") == "final on 22 June 2026"
    assert next_text("draft", None, "UTC", "ja") == "署名待ち"
    assert next_text("", None, "UTC", "en") == ""
    assert period_text("all", None, day, "UTC", "en") == "everything until 22 June 2026"
    assert period_text("year", day, day, "UTC", "en").startswith("12 months, from 22 June 2026")
    assert plain(running_text(420_000, "EUR", "en")).startswith("Running the models costs 420,000 EUR")
    assert running_text(0, "EUR", "en") == ""


def test_of_many_that_are_left_out_a_few_are_named() -> None:
    many = [churn() | {"origin": "loaded", "name": f"Mails {place}"} for place in range(8)]
    [note] = home_page(many, "EUR", "en")["notes"]
    assert "Mails 4" in note and "Mails 5" not in note and "3 others" in note
    [note] = home_page(many[:2], "EUR", "en", unread=40)["notes"]
    assert "Mails 1" in note and "40 others" in note
