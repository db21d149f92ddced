"""Rules that people try: what the address says, what it would have earned, and where the rule comes from."""

from __future__ import annotations

from itertools import product
from typing import Any

from impact.figures.what_if import what_if_section
from tests.figures.documents import plain, said

ARMS = ("none", "bonus", "credit")
WORTH = {"L": {"none": 0.0, "bonus": 2.0, "credit": -6.0}, "H": {"none": 0.0, "bonus": -1.0, "credit": 1.0}}
AGAINST = [
    {"key": "nobody", "arm": "none", "policy": None},
    {"key": "best_single", "arm": "bonus", "policy": None},
    {"key": "todays_rule", "arm": None, "policy": "champion"},
]


def value(effect: float, booked: bool = True) -> dict[str, Any]:
    shrunk = {"shrinkage": 0.7, "effect": 0.7 * effect, "ci": [0.7 * effect - 1, 0.7 * effect + 1]}
    return {"effect": effect, "se": 1.0 if effect else 0.0, "ci": [effect - 2, effect + 2],
            "booked": shrunk if booked else None}  # fmt: skip


def against(effect: float, booked: bool = True) -> dict[str, Any]:
    # as it is stored, by the alphabet
    return {"best_single": value(effect - 1, booked), "nobody": value(effect, booked), "todays_rule": None}


def what_if(booked: bool = True, **changes: Any) -> dict[str, Any]:
    cells = {
        band: [{"arm": arm, "n": 500, "net": 250 + worth, "effect": worth or None, "se": (worth and 1.0) or None}
               for arm, worth in of.items()]
        for band, of in WORTH.items()
    }  # fmt: skip
    table = {
        "by": "score_band",
        "exploratory": False,
        "policies": {"challenger": {"H": "credit", "L": "bonus"}, "champion": {"H": "credit", "L": "none"}},
        "values": [{"value": band, "n": 1500, "share": 0.5, "arms": cells[band]} for band in ("L", "H")],
        "rules": [
            {"choices": [low, high], "against": against(WORTH["L"][low] + WORTH["H"][high], booked)}
            for low, high in product(ARMS, repeat=2)
        ],
    }
    points = [
        {"at": at, "share": share, "against": against(effect, booked)}
        for at, share, effect in ((0.1, 1.0, -1.0), (0.3, 0.6, 2.0), (0.4, 0.5, 3.0), (0.6, 0.0, 0.0))
    ]
    curves = [{"arm": "credit", "side": side, "points": points} for side in ("from", "below")]
    marks = [{"at": 0.3, "policy": "champion", "low": "none", "high": "credit"}]
    content = {
        "rows": 3000, "deploys": "challenger", "against": AGAINST, "tables": [table], "thresholds": curves,
        "marks": marks,
    }  # fmt: skip
    return content | changes


def section(asked: dict[str, str] | None = None, language: str = "en", **changes: Any) -> Any:
    document = said("churn", language, what_if=what_if(**changes))
    return what_if_section(document, asked or {}, language)


def tried(asked: dict[str, str], **changes: Any) -> Any:
    return section({"by": "score_band"} | asked, **changes)["tables"][0]


def test_the_agreed_policy_is_what_one_begins_with() -> None:
    table = section()["tables"][0]
    assert [[one for one in field["options"] if one[2]] for field in table["fields"]] == [
        [("bonus", "Bonus", True)], [("credit", "Credit", True)],
    ]  # fmt: skip
    assert table["by"] == "By score band"
    assert plain(table["result"]["sentence"]) == (
        "L Bonus, H Credit: +3.00 EUR per customer compared with no action for everybody, between 1.00 and 5.00."
    )
    assert table["result"]["origin"] == "This is challenger, which was agreed before these rows were seen."
    assert not table["result"]["selected"]


def test_the_address_says_the_rule() -> None:
    result = tried({"L": "credit", "H": "none"})["result"]
    assert plain(result["sentence"]).startswith("L Credit, H No action: \u22126.00 EUR per customer")
    assert result["selected"]
    assert plain(result["origin"]) == (
        "Chosen on these data, so partly for its luck: book \u22124.20 EUR (\u22125.20 to \u22123.20), shrunk to 70 %,"
        " until a new experiment has measured it."
    )


def test_another_segments_address_and_nonsense_change_nothing() -> None:
    wanted = section()["tables"][0]["result"]
    assert section({"by": "region", "L": "credit"})["tables"][0]["result"] == wanted
    assert tried({"L": "everything", "threshold": "nan"})["result"] == wanted


def test_rows_compare_in_the_order_of_the_opponents_and_leave_out_what_is_not_known() -> None:
    result = tried({"L": "bonus", "H": "bonus"})["result"]
    assert [row[0][1] for row in result["rows"]] == [
        "No action for everybody",
        "The best action without a score, Bonus",
    ]
    texts = [text for _, text in result["rows"][0][1:]]
    assert texts == ["+1.00", "\u22121.00 to 3.00", "+0.70", "\u22120.30 to 1.70"]
    assert result["origin"] == "One action for everybody; no score is needed for it."


def test_what_was_there_before_was_not_chosen_on_these_data() -> None:
    result = tried({"L": "none", "H": "credit"})["result"]
    assert result["origin"] == "This is champion, which was there before these rows were seen."


def test_without_a_spread_nothing_chosen_can_be_booked() -> None:
    result = tried({"L": "credit", "H": "none"}, booked=False)["result"]
    assert "not bookable" in result["origin"] and len(result["heads"]) == 3 == len(result["rows"][0])


def test_a_threshold_is_the_nearest_that_was_worked_out() -> None:
    begun = section()["threshold"]
    assert (begun["at"], begun["nearest"]) == ("0.3", "")
    assert begun["result"]["origin"] == "This is champion, which was there before these rows were seen."
    one = section({"threshold": "0.41"})["threshold"]
    assert one["at"] == "0.4" and one["nearest"] == "Worked out at 0.400, the nearest of 4 scores."
    assert plain(one["result"]["sentence"]).startswith("Credit from 0.400 on: +3.00 EUR")
    assert one["result"]["selected"]
    below = section({"threshold": "0.4", "rule": "credit.below"})["threshold"]
    assert below["result"]["sentence"].startswith("Credit below 0.400")


def test_the_figure_marks_what_was_there_what_is_best_and_what_was_chosen() -> None:
    figure = section({"threshold": "0.6"})["threshold"]["figure"]
    assert plain(figure["title"]) == "Credit from 0.400 does best of the thresholds, +3.00 EUR per customer"
    assert [(mark["text"], mark["x"]) for mark in figure["marks"]] == [
        ("champion 0.300", 40.0), ("best 0.400", 60.0), ("chosen 0.600", 100.0),
    ]  # fmt: skip
    assert [text for _, text in figure["rows"][1]] == ["0.300", "60\u00a0%", "+2.00", "0.00", "4.00"]
    assert len({mark["y"] for mark in figure["marks"]}) == 3
    same = section({"threshold": "0.3"}, deploys="champion")["threshold"]["figure"]
    assert [mark["text"] for mark in same["marks"]] == ["agreed, chosen 0.300", "best 0.400"]


def test_a_rule_of_too_few_rows_is_said_not_to_be_known() -> None:
    changed = what_if()
    for one in changed["tables"][0]["rules"]:
        one["against"]["nobody"] = None
    found = section(**changed)["tables"][0]["result"]
    assert "too few rows" in found["sentence"] and found["rows"] == []


def test_it_is_said_in_japanese() -> None:
    found = section(language="ja")
    assert found["tables"][0]["result"]["sentence"].startswith("LはBonus、HはCredit：全員をNo action")
    assert found["threshold"]["figure"]["title"].startswith("しきい値の中で")


def test_nothing_to_try_where_it_is_withheld_without_money_or_of_before() -> None:
    document = said("churn", "en", what_if=what_if())
    withheld = document | {"verdict": document["verdict"] | {"level": "withheld"}}
    assert what_if_section(withheld, {}, "en") is None
    assert what_if_section(document | {"money": None}, {}, "en") is None
    assert what_if_section(said("churn", "en"), {}, "en") is None
    assert section(thresholds=[])["threshold"] is None
