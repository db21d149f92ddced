"""Verdicts, next steps and checks as sentences, in both languages, with the document's numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from impact.analysis.models import Analysis, Level
from impact.figures.sentences import WORDS, check_message, check_title, completed, verdict_sentence
from tests.figures.documents import CASE, STORED, judged, plain, stored

LANGUAGES = ("en", "ja")
LEVELS = ("proven", "likely", "unclear", "harmful", "too_early")
ENDS = {
    "proven": ("proven.", "実証済みです。"),
    "likely": ("likely, not proven.", "有望ですが、実証はされていません。"),
    "unclear": ("unclear.", "効果があるとも無いとも言えません。"),
    "harmful": ("harmful.", "損失が実証されました。"),
    "too_early": ("too early to judge.", "判断には早すぎます。"),
}
STEPS = {
    "proven": ("Put it into use, and keep a holdout", "実施し、"),
    "likely": ("Confirm it in a new experiment of about 13,000 customers an arm", "各群約13,000件の新しい実験"),
    "unclear": ("Confirm it in a new experiment of about 13,000 customers an arm", "各群約13,000件の新しい実験"),
    "harmful": ("Stop it.", "中止してください。"),
    "too_early": ("Wait until the windows are over", "観察期間が終わるまで待ってください。"),
    "withheld": ("Mend what the failed checks name", "不合格の検査が示す点を直し"),
}
AGREED = {"proven": "Offer it.", "likely": "Try again.", "unclear": "Try again.", "harmful": "Drop it."}


def test_the_words_know_every_level() -> None:
    assert {*LEVELS, "withheld"} == set(Level.values) == set(STEPS)
    for words in WORDS.values():
        assert set(words.LEVELS) == set(Level.values)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("level", LEVELS)
def test_money_its_range_the_comparison_and_the_word(level: str, language: str) -> None:
    sentence = plain(verdict_sentence(judged("churn", level, "bonus"), language))
    assert (
        sentence
        == {
            "en": f"Bonus earned 4.62 EUR per customer more than no action, between 0.15 and 9.09: {ENDS[level][0]}",
            "ja": f"Bonusは、No actionと比べて1件当たり4.62ユーロの利益でした（範囲：0.15〜9.09）。{ENDS[level][1]}",
        }[language]
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_loss_is_called_one_and_the_others_too(language: str) -> None:
    lost = judged("churn", "harmful", "credit")
    assert (
        plain(verdict_sentence(lost, language))
        == {
            "en": "Credit lost 4.55 EUR per customer compared with no action, between −8.95 and −0.16: harmful.",
            "ja": "Creditは、No actionと比べて1件当たり4.55ユーロの損失でした（範囲：−8.95〜−0.16）。"
            "損失が実証されました。",
        }[language]
    )
    beside = lost | {"verdict": {"level": "likely", "arm": "bonus", "because": []}}
    assert plain(verdict_sentence(beside, language)).endswith(
        {
            "en": "likely, not proven. Credit lost 4.55 EUR.",
            "ja": "実証はされていません。Creditは4.55ユーロの損失です。",
        }[language]
    )


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("arm", "en", "ja"),
    [
        ("2", "Arm 2 lowered churn by 3.0 points (good) compared with Arm 0, between −8.5 and 2.5: unclear.",
         "第2群は、第0群と比べてchurnを3.0ポイント減らしました（良い変化、範囲：−8.5〜2.5）。効果があるとも無いとも言えません。"),
        ("3", "Arm 3 raised churn by 3.4 points (bad) compared with Arm 0, between −2.3 and 9.1: unclear.",
         "第3群は、第0群と比べてchurnを3.4ポイント増やしました（悪い変化、範囲：−2.3〜9.1）。効果があるとも無いとも言えません。"),
    ],
)  # fmt: skip
def test_without_money_the_metric_moves_and_less_may_be_better(arm: str, en: str, ja: str, language: str) -> None:
    said = completed(judged("six_arms", "unclear", arm), language)
    assert plain(said["verdict"]["sentence"]).lower() == {"en": en, "ja": ja}[language].lower()


@pytest.mark.parametrize("language", LANGUAGES)
def test_before_the_end_the_range_is_the_one_that_holds_on_any_day(language: str) -> None:
    document = judged("churn", "too_early", "bonus")
    document["maturity"] |= {"final": False, "open": 100}
    sentence = plain(verdict_sentence(document, language))
    assert {"en": "between −2.30 and 11.55", "ja": "（範囲：−2.30〜11.55）"}[language] in sentence


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_withheld_shows_no_figure_but_the_reason(language: str) -> None:
    document = judged("churn", "withheld", None, ("sample_ratio",))
    ratio = next(check for check in document["checks"] if check["id"] == "sample_ratio")
    ratio |= {"passed": False, "p_value": 1.8e-74}
    said = completed(document, language)["verdict"]
    assert said["sentence"].startswith({"en": "The figure is withheld.", "ja": "数値は保留されています。"}[language])
    assert "p < 0.001" in said["sentence"] and "4.62" not in said["sentence"]
    assert said["because"] == [check_message(ratio, document, language)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_comparison_that_cannot_be_estimated_says_why(language: str) -> None:
    document = judged("churn", "unclear", "bonus")
    reason = "fewer than two rows in an arm"
    document["money"]["comparisons"][0]["net"] |= {"status": "not_estimable", "reason": reason}
    said = completed(document, language)["verdict"]
    assert said["sentence"] == (
        "Bonus can't be compared with no action: fewer than two rows in an arm."
        if language == "en"
        else "BonusをNo actionと比べることはできません。2件未満の群があります。"
    )
    assert {"en": "Look at the data", "ja": "データを確かめて"}[language] in said["next_step"]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("p", "en", "ja"),
    [
        (0.4, "as the draws should give (p = 0.4). The comparison is fair.", "公平に比較できます"),
        (0.0086, "seldom by chance, but no alarm yet", "偶然にはまれですが"),
    ],
)
def test_an_uneasy_sample_ratio_is_not_called_fair(p: float, en: str, ja: str, language: str) -> None:
    document = judged("churn", "proven", "bonus")
    ratio = next(check for check in document["checks"] if check["id"] == "sample_ratio")
    drawn = {"counts": {"none": 44_700, "bonus": 45_489}, "expected": {"none": 45_094, "bonus": 45_095}}
    ratio |= {"p_value": p, "numbers": drawn}
    message = check_message(ratio, document, language)
    assert {"en": en, "ja": ja}[language] in message
    assert "44,700" in message and "Bonus 45,489" in message


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("arm", "en", "ja"),
    [("bonus", "earns money and makes Churn worse", "利益"), ("credit", "does best on Churn and loses money", "損失")],
)
def test_where_driver_and_money_disagree_there_is_no_winner(arm: str, en: str, ja: str, language: str) -> None:
    document = judged("churn", "unclear", None, ("driver_and_money",))
    check = next(one for one in document["checks"] if one["id"] == "driver_and_money")
    check |= {"passed": False, "numbers": {"disagreeing": [{"arm": arm, "metric": "churn"}]}}
    said = completed(document, language)["verdict"]
    assert {"en": en, "ja": ja}[language] in said["sentence"]
    assert {"en": "No arm wins", "ja": "勝者はありません"}[language] in said["sentence"]
    assert said["next_step"] and said["because"]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("level", STEPS)
def test_the_next_step_is_the_words_and_what_was_agreed(level: str, language: str) -> None:
    step = completed(judged("churn", level, "bonus"), language, CASE)["verdict"]["next_step"]
    assert STEPS[level][LANGUAGES.index(language)] in step
    agreed = {"en": "Agreed for this case: ", "ja": "この場合の合意："}[language]
    assert (f"{agreed}{AGREED.get(level)}" in step) == (level in AGREED)
    remark = {"en": "Churn moved the right way, ", "ja": "Churnは望ましい方向に動きましたが、"}[language]
    rest = {
        "en": ("profit is not proven.", "but money was lost."),
        "ja": ("利益は実証されていません。", "損失が出ました。"),
    }[language]
    assert (remark + rest[0] in step) == (level in ("likely", "unclear"))
    assert (remark + rest[1] in step) == (level == "harmful")


# id -> numbers of a check as it is stored when it failed
FAILED: dict[str, dict[str, Any]] = {
    "mature_rows": {"numbers": {"counted": 0, "open": 1200, "censored": 3}},
    "feeds_complete": {"numbers": {"censored": 17, "of": 1200}},
    "sample_ratio": {
        "numbers": {"counts": {"none": 9, "bonus": 1200}, "expected": {"none": 605, "bonus": 604}}, "p_value": 0.0004,
    },
    "sample_ratio_by_stratum": {"numbers": {"strata": 3, "stratum": "H"}, "p_value": 0.0004, "statistic": 9.1},
    "missing_alike": {"numbers": {"metric": "Churn"}, "p_value": 0.0004, "statistic": 9.1},
    "clusters_enough": {"numbers": {"needed": 10}, "statistic": 4.0},
    "covariates_balanced": {"numbers": {"covariate": "tenure"}, "statistic": 0.314},
    "driver_and_money": {"numbers": {"disagreeing": [{"arm": "credit", "metric": "churn"}]}},
    "assumptions_hold": {
        "numbers": {
            "flips": [
                {
                    "of": "bonus", "name": "Value of a kept customer", "flips_at": 190.625, "low": 170, "high": 340,
                    "unit": "EUR",
                }
            ]
        }
    },
    "cost_booked": {"numbers": {}, "statistic": 0.42},
    "cost_varies": {"numbers": {"arms": ["bonus", "credit"]}},
    "guardrails_hold": {"numbers": {"broken": [{"arm": "bonus", "metric": "complaints"}]}},
    "loss_cap": {"numbers": {"lost": 612_000.0, "cap": 600_000.0}},
    "propensity_logged": {"numbers": {"arms": ["bonus"]}, "p_value": 0.0004, "statistic": 3.5},
    "driver_and_money_by_segment": {"numbers": {"opposed": [{"arm": "bonus", "metric": "churn", "value": "L"}]}},
    "draws_replayed": {"numbers": {"looked": 1000, "differing": 3}},
    "executed_as_drawn": {"numbers": {"arms": ["bonus"]}, "statistic": 0.08, "p_value": 0.0001},
    "overrides_at_random": {"numbers": {"overridden": 41, "hangs_on": ["score"]}, "p_value": 0.0001},
    "effect_lasts": {"numbers": {"trends": [{"arm": "bonus", "first": 5.2, "last": 0.3}]}, "p_value": 0.001},
    "few_rows_decide": {"numbers": {"share": 0.31, "cap": 5100.0, "arms": ["credit"]}, "statistic": 0.31},
    "cost_categories": {"numbers": {"missing": [{"arm": "credit", "category": "contact"}]}},
    "incentive_leaks": {"numbers": {"leaks": [{"arm": "bonus", "share": 0.97, "least": 0.94}]}, "statistic": 0.97},
    "spent_without_effect": {"numbers": {"idle": [{"arm": "credit", "stratum": "H"}]}},
    "strata_unharmed": {"numbers": {"harmed": [{"arm": "bonus", "stratum": "H"}]}},
    "phases_agree": {"numbers": {"arms": ["bonus"]}},
    "forced_left_out": {"numbers": {"holdout": 1450, "forced_safety": 29}},
    "agreed_before": {"numbers": {}},
}  # fmt: skip
HOLDS = {
    "mature_rows": ("1,200", "3"), "feeds_complete": ("17", "1,200"), "sample_ratio": ("1,200", "605", "p < 0.001"),
    "sample_ratio_by_stratum": ("H", "p < 0.001"), "missing_alike": ("Churn", "p < 0.001"),
    "clusters_enough": ("4", "10"),
    "covariates_balanced": ("tenure", "0.31"), "driver_and_money": ("Credit",), "cost_booked": ("42",),
    "assumptions_hold": ("Bonus", "Value of a kept customer", "190.6", "170", "340"),
    "cost_varies": ("Bonus", "Credit"), "guardrails_hold": ("Bonus", "complaints"), "forced_left_out": ("1,450", "29"),
    "agreed_before": (), "loss_cap": ("612,000", "600,000"), "propensity_logged": ("Bonus", "p < 0.001"),
    "driver_and_money_by_segment": ("Bonus", "L"), "strata_unharmed": ("Bonus", "H"),
    "draws_replayed": ("1,000", "3"), "executed_as_drawn": ("8", "Bonus"), "overrides_at_random": ("41",),
    "effect_lasts": ("Bonus", "+5.20", "+0.30"), "few_rows_decide": ("31", "5,100", "Credit"),
    "incentive_leaks": ("Bonus", "97", "94"), "spent_without_effect": ("Credit", "H"),
    "cost_categories": ("Credit", "contact"), "phases_agree": ("Bonus",),
}  # fmt: skip


def test_every_check_there_is_can_be_said() -> None:
    folder = Path(__file__).parents[2] / "impact/analysis/checks"
    source = "".join(file.read_text(encoding="utf-8") for file in sorted(folder.glob("*.py")))
    assert [name for name in FAILED if f'"{name}"' not in source] == []
    assert set(WORDS["en"].CHECKS) == set(WORDS["ja"].CHECKS) == set(FAILED) == set(HOLDS)
    assert source.count("Finding(\n") + source.count("return Finding(") >= len(FAILED)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", FAILED)
def test_a_check_is_a_sentence_with_its_numbers(name: str, language: str) -> None:
    check = {"id": name, "severity": "warn", "statistic": None, "p_value": None} | FAILED[name]
    failed = check_message(check | {"passed": False}, stored("churn"), language)
    passed = check_message(check | {"passed": True}, stored("churn"), language)
    assert all(text in plain(failed) for text in HOLDS[name])
    for message in (failed, passed):
        assert message != name and message.endswith({"en": ".", "ja": "。"}[language])
    assert failed != passed or name in ("forced_left_out", "cost_varies")
    assert check_title(name, language) not in ("", name)


def test_both_languages_know_the_same_words() -> None:
    en, ja = ({name for name in vars(words) if not name.startswith("_")} for words in WORDS.values())
    assert en == ja
    for name in en:
        left, right = (getattr(words, name) for words in WORDS.values())
        assert type(left) is type(right), name
        if isinstance(left, dict):
            assert set(left) == set(right), name
            assert all(left.values()) and all(right.values()), name


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", STORED)
def test_saying_a_document_changes_none_of_its_numbers(name: str, language: str) -> None:
    before = stored(name)
    said = completed(before, language)
    assert before == STORED[name]
    for key in ("metrics", "money", "segments", "maturity", "plan", "snapshot", "verdicts"):
        assert said[key] == before[key]
    json.dumps(said, allow_nan=False)


def test_documents_are_still_stored_like_the_ones_of_these_tests(analysed: Analysis) -> None:
    """Fields may be added; one that is read here may not go."""

    def shape(value: Any) -> Any:
        return set(value) if isinstance(value, dict) else set()

    new, kept = analysed.document, STORED["churn"]
    assert shape(kept) <= shape(new)
    for key in ("plan", "maturity", "snapshot", "verdict", "money"):
        assert shape(kept[key]) <= shape(new[key]), key
    for block in ("net", "roi", "total", "value", "cost"):
        assert shape(kept["money"]["comparisons"][0][block]) <= shape(new["money"]["comparisons"][0][block]), block
    assert shape(kept["metrics"][0]["comparisons"][0]) <= shape(new["metrics"][0]["comparisons"][0])
    assert all(set(kept["checks"][0]) <= set(check) for check in new["checks"])


@pytest.mark.parametrize("language", ["en", "ja"])
def test_what_is_withheld_does_not_tell_where_an_assumption_flips(language: str) -> None:
    flip = {"of": "bonus", "name": "Value", "low": 170.0, "high": 340.0, "flips_at": 190.6, "unit": "EUR"}
    check = {
        "id": "assumptions_hold", "severity": "warn", "passed": False, "p_value": None, "statistic": None,
        "numbers": {"flips": [flip]},
    }  # fmt: skip
    shown = completed(stored("churn", checks=[check]), language)
    assert "190.6" in shown["checks"][0]["message"]
    withheld = completed(judged("churn", "withheld", None) | {"checks": [check]}, language)
    assert withheld["checks"] == []
