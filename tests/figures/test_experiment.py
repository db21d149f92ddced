"""The experiment page: what it shows of a document, and what it holds back."""

from __future__ import annotations

import pytest

from impact.figures.experiment import experiment_page, roi_text
from impact.figures.forms import Forms
from impact.figures.sentences import completed
from tests.figures.documents import judged, plain, said, stored

EN = Forms("en")


def test_shows_value_cost_net_and_return() -> None:
    bonus, credit = experiment_page(said("churn", "en"), "en")["money"]
    assert {name: bonus[name] for name in ("arm", "baseline", "value", "cost", "net", "range", "rows")} == {
        "arm": "Bonus", "baseline": "No action", "value": "+6.34", "cost": "+1.71", "net": "+4.62",
        "range": "0.15 to 9.09", "rows": "5,438",
    }  # fmt: skip
    assert plain(bonus["total"]) == "+25,135 EUR"
    assert bonus["total_range"] == "826 to 49,444"
    assert plain(bonus["roi"]) == "+270 % (+9 % to +531 %)"
    assert plain(bonus["break_even"]) == "pays from 0.57 points of churn on"
    assert plain(credit["net"]) == "−4.55"


def test_shows_it_in_japanese() -> None:
    page = experiment_page(said("churn", "ja"), "ja")
    assert page["currency"] == "ユーロ"
    assert (page["money"][0]["total"], page["money"][0]["total_range"]) == ("+25,135ユーロ", "826〜49,444")
    assert page["verdict"]["word"] == "有望"
    assert page["forest"]["title"] == "Bonusはおそらく利益、Creditは不明"
    assert page["forest"]["axis"] == "No actionと比べた1件当たりの純価値（ユーロ）。線は95%の範囲"
    assert page["maturity"] == {"share": 100.0, "text": "100%", "mature": "16,317", "whole": "16,317"}


@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_withheld_figure_is_nowhere(language: str) -> None:
    document = judged("churn", "withheld", None)
    page = experiment_page(completed(document, language), language)
    assert (page["forest"], page["money"], page["metrics"], page["segments"]) == (None, None, [], [])
    assert page["checks"] and page["maturity"] and page["verdict"]["level"] == "withheld"
    assert "4.62" not in str(page)


def test_less_is_better_where_the_document_says_so() -> None:
    [churn] = experiment_page(said("churn", "en"), "en")["metrics"]
    none, bonus, credit = churn["rows"]
    assert (churn["less_is_better"], none["reading"], plain(none["level"])) == (True, "baseline", "22.0 %")
    assert (bonus["arrow"], plain(bonus["change"]), bonus["range"]) == ("▼", "2.1 points", "−3.6 to −0.6")
    assert (bonus["reading"], bonus["tone"]) == ("fewer, good", "good")
    assert credit["tone"] == "good"


@pytest.mark.parametrize(
    ("effect", "direction", "p", "arrow", "reading", "tone"),
    [
        (0.02, "decrease", 0.01, "▲", "more, bad", "bad"),
        (0.02, "increase", 0.01, "▲", "more, good", "good"),
        (-0.02, "increase", 0.01, "▼", "fewer, bad", "bad"),
        (-0.02, "decrease", 0.20, "▼", "within chance", "unsure"),
        (0.0, "decrease", 1.0, "", "within chance", "unsure"),
    ],
)
def test_the_arrow_tells_direction_and_the_word_worth(
    effect: float, direction: str, p: float, arrow: str, reading: str, tone: str
) -> None:
    document = said("churn", "en")
    document["metrics"][0]["direction"] = direction
    document["metrics"][0]["comparisons"][0] |= {"effect": effect, "p_adjusted": p}
    row = experiment_page(document, "en")["metrics"][0]["rows"][1]
    assert (row["arrow"], row["reading"], row["tone"]) == (arrow, reading, tone)


def test_a_change_that_cannot_be_estimated_says_why() -> None:
    document = said("churn", "en")
    document["metrics"][0]["comparisons"][0] |= {"status": "not_estimable", "reason": "one row an arm"}
    document["money"]["comparisons"][0]["net"] |= {"status": "not_estimable", "reason": "one row an arm"}
    page = experiment_page(document, "en")
    assert page["metrics"][0]["rows"][1]["reading"] == "can't be estimated: one row an arm"
    assert page["money"][0]["reason"] == "one row an arm" and "net" not in page["money"][0]
    assert [row["label"] for row in page["forest"]["rows"]] == ["Credit"]


def test_before_the_end_ranges_hold_on_any_day() -> None:
    document = said("churn", "en")
    document["maturity"] |= {"final": False, "open": 16_317}
    page = experiment_page(document, "en")
    assert page["money"][0]["range"] == "−2.30 to 11.55"
    assert page["forest"]["axis"].endswith("line = 95\u00a0% range, valid on any day")
    assert page["metrics"][0]["rows"][1]["reading"] == "within chance"
    assert (page["maturity"]["share"], page["maturity"]["whole"]) == (50.0, "32,634")


def test_the_range_is_called_by_the_error_rate_that_was_agreed() -> None:
    document = said("churn", "en")
    document["plan"]["alpha"] = 0.1
    assert "line = 90\u00a0% range" in experiment_page(document, "en")["forest"]["axis"]


def test_proportions_are_drawn_in_points_with_what_is_worth_acting_on() -> None:
    document = said("six_arms", "en")
    document["plan"]["smallest_effect"] = 0.02
    figure = experiment_page(document, "en")["forest"]
    assert [row["effect"] for row in figure["rows"]] == ["+1.8", "−3.0", "+3.4", "−2.8", "+1.6"]
    assert figure["worth"]["text"] == "2.00"
    assert figure["axis"].startswith("churn in points per unit, compared with arm 0")


@pytest.mark.parametrize(
    ("status", "kind", "bounds", "text"),
    [
        ("shown", "interval", [-0.52, 2.76], "+112 % (−52 % to +276 %)"),
        ("interval_only", "interval", [-0.52, 2.76], "−52 % to +276 %"),
        ("interval_only", "rays", [-0.5, 2.0], "below −50 % or above +200 %"),
        ("interval_only", "line", [], "any return is possible"),
        ("not_defined", "line", [], "no ratio: the extra cost isn't firmly above zero"),
        ("shown", None, [], "no ratio: the extra cost isn't firmly above zero"),
    ],
)
def test_the_return_is_a_figure_a_set_or_a_reason(
    status: str, kind: str | None, bounds: list[float], text: str
) -> None:
    roi = {"status": status, "point": 1.12, "set": kind and {"kind": kind, "bounds": bounds}}
    assert plain(roi_text(roi, EN)) == text


def test_a_segment_is_at_most_likely() -> None:
    document = said("churn", "en")
    for segment in document["segments"]:
        for block in segment["comparisons"]:
            block |= {"p_adjusted": 1e-9, "effect": 5.0, "ci": [4.0, 6.0]}
    [band] = experiment_page(document, "en")["segments"]
    assert {row["level"] for row in band["figure"]["rows"]} == {"likely"}
    assert (band["by"], band["exploratory"]) == ("score band", False)
    assert band["figure"]["title"].startswith("Probably pays: ")


def test_a_document_without_segments_has_none() -> None:
    assert stored("six_arms")["segments"] == []
    assert experiment_page(said("six_arms", "en"), "en")["segments"] == []


def test_a_check_shows_what_its_failing_means() -> None:
    rows = {row["title"]: row for row in experiment_page(said("six_arms", "en"), "en")["checks"]}
    assert (rows["Sample ratio"]["state"], rows["Sample ratio"]["state_word"]) == ("pass", "Passed")
    assert (rows["Agreed beforehand"]["state"], rows["Agreed beforehand"]["state_word"]) == ("info", "Note")


def test_the_estimand_is_said() -> None:
    assert experiment_page(said("maintenance", "en"), "en")["estimand"] == (
        "Average effect per machine episode over 14 days, by assignment, whatever was then really done"
    )
    assert "1エピソード当たりの14日間の平均効果" in experiment_page(said("maintenance", "ja"), "ja")["estimand"]
