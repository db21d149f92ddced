"""The executive page: its points in their order, its rows the document's numbers."""

from __future__ import annotations

import pytest

from impact.figures.executive import bars, compared_with, effect_rows, measured_in, points
from impact.figures.forms import Forms
from tests.figures.documents import CASE, plain, said

ORDER = {
    "en": [
        "Decision asked", "Net effect", "Compared with", "Confidence", "Guardrails",
        "Agreed, reached", "Data quality", "Next step",
    ],
    "ja": ["求める決定", "純効果", "比較対象", "確からしさ", "ガードレール", "合意と達成", "データの質", "次の一歩"],
}  # fmt: skip


@pytest.mark.parametrize("language", ORDER)
def test_points_stand_in_their_order(language: str) -> None:
    found = points(said("churn", language), CASE, ["Bea (business), 1 May 2026"], language)
    assert [point["title"] for point in found] == ORDER[language]
    texts = {point["title"]: point.get("text") for point in found}
    asked, recommended = str(texts[ORDER[language][0]]).splitlines()
    assert asked == "Which incentive do we offer?"
    assert recommended.startswith({"en": "Recommended: Confirm it", "ja": "推奨：各群約"}[language])
    who, *reached = plain(str(texts[ORDER[language][5]])).splitlines()
    assert who == "Bea (business), 1 May 2026"
    assert reached == [
        {"en": "Window: agreed 104 days, came 100 % mature (reached: yes)",
         "ja": "観察期間：合意104日、結果100%が成熟（達成：はい）"}[language]
    ]  # fmt: skip
    assert texts[ORDER[language][6]] == {"en": "No check failed.", "ja": "不合格の検査はありません。"}[language]
    assert texts[ORDER[language][7]] == said("churn", language)["verdict"]["next_step"]


@pytest.mark.parametrize("language", ORDER)
def test_rows_are_the_documents_numbers(language: str) -> None:
    [effect] = [point for point in points(said("churn", language), CASE, [], language) if "rows" in point]
    assert effect["rows"] == [["Bonus", "+0.15", "+4.62", "+9.09"], ["Credit", "−8.95", "−4.55", "−0.16"]]
    assert len(effect["head"]) == 4
    assert effect["head"][0] == {"en": "Net EUR per customer", "ja": "1件当たりの純価値（ユーロ）"}[language]


@pytest.mark.parametrize("language", ORDER)
def test_rows_of_a_proportion_are_points(language: str) -> None:
    document = said("six_arms", language)
    assert effect_rows(document, language)[1][1:] == ["−8.5", "−3.0", "+2.5"]
    assert (
        measured_in(document, language)
        == {
            "en": "churn in points per unit",
            "ja": "1件当たりのchurn（ポイント）",
        }[language]
    )


def test_without_an_agreement_the_page_says_so() -> None:
    found = {point["title"]: point.get("text", "") for point in points(said("six_arms", "en"), {}, [], "en")}
    assert str(found["Decision asked"]).startswith("Recommended: ")
    assert "Not agreed beforehand" in found["Agreed, reached"]


@pytest.mark.parametrize("language", ORDER)
def test_compared_with_what_and_when(language: str) -> None:
    assert (
        compared_with(said("churn", language), language)
        == {
            "en": "No action, on 16,317 rows that have finished their window. Cut-off 22 June 2026.",
            "ja": "No action（観察期間を終えた16,317件）。集計日：2026年6月22日。",
        }[language]
    )


def test_what_is_withheld_or_not_estimated_is_not_drawn() -> None:
    document = said("churn", "en")
    document["verdicts"][0]["level"] = "withheld"
    assert [bar.label for bar in bars(document)] == ["Credit"]
    document["money"]["comparisons"][1]["net"]["status"] = "not_estimable"
    assert bars(document) == []


def test_arms_against_each_other_get_no_word() -> None:
    document = said("churn", "en")
    between = document["money"]["comparisons"][1]["net"] | {"baseline": "bonus"}
    document["money"]["comparisons"].append({"net": between})
    last = bars(document)[-1]
    assert (last.label, last.level, last.compared) == ("Credit – Bonus", "unclear", False)


@pytest.mark.parametrize("language", ORDER)
def test_failed_checks_are_said(language: str) -> None:
    document = said("churn", language)
    document["checks"][0] |= {"passed": False, "message": "Too few."}
    texts = {point["title"]: point.get("text") for point in points(document, CASE, [], language)}
    assert texts[ORDER[language][6]] == "Too few."


def test_amounts_are_in_the_readers_form() -> None:
    document = said("maintenance", "en")
    [row] = effect_rows(document, "en")
    net = document["money"]["comparisons"][0]["net"]
    forms = Forms("en")
    assert row[1:] == [forms.number(value, signed=True) for value in (net["ci"][0], net["effect"], net["ci"][1])]
    assert plain(document["verdict"]["sentence"]).startswith("Wait for the window earned 4,625 EUR per machine episode")
