"""The business case in the reader's form."""

from __future__ import annotations

from typing import Any

import pytest

from experiments.models import Experiment
from impact.figures.agreement import agreement_page
from tests.figures.documents import plain


@pytest.fixture
def plan(churn: Experiment) -> dict[str, Any]:
    return dict(churn.agreements.get().content)


def test_says_what_was_agreed(plan: dict[str, Any]) -> None:
    page = agreement_page(plan, "en")
    none, bonus = page["arms"]
    assert (none["is_baseline"], none["break_even"], plain(none["cost"])) == (True, None, "0.00 EUR")
    assert (bonus["break_even"], plain(bonus["cost"]), plain(bonus["expected"])) == (
        "0.57 points",
        "1.70 EUR",
        "4.30 EUR",
    )
    assert (page["rows_per_arm"], page["horizon"], plain(page["power"]), plain(page["alpha"])) == (
        "1,000", "90", "80 %", "5 %",
    )  # fmt: skip
    [kept] = page["assumptions"]
    assert (plain(kept["base"]), kept["range"]) == ("300 EUR", "170 to 340")
    assert page["driver"] == "Churn"


def test_says_it_in_japanese(plan: dict[str, Any]) -> None:
    page = agreement_page(plan, "ja")
    assert (page["arms"][1]["break_even"], page["arms"][1]["cost"]) == ("0.57ポイント", "1.70ユーロ")
    assert (page["assumptions"][0]["base"], page["assumptions"][0]["range"]) == ("300ユーロ", "170〜340")


def test_breaking_even_is_in_the_metrics_unit(plan: dict[str, Any]) -> None:
    metrics = [one | {"kind": "mean", "unit": "minutes"} for one in plan["metrics"]]
    assert agreement_page(plan | {"metrics": metrics}, "en")["arms"][1]["break_even"] == "0.01 minutes"


def test_yen_have_no_decimals(plan: dict[str, Any]) -> None:
    page = agreement_page(plan | {"currency": "JPY"}, "ja")
    amounts = [page["smallest_effect"], page["detectable"], *(arm["cost"] for arm in page["arms"])]
    assert all(amount.endswith("円") and "." not in amount for amount in amounts)


def test_an_assumption_keeps_the_digits_it_was_given_with(plan: dict[str, Any]) -> None:
    share = plan["case"]["assumptions"][0] | {"low": 0.025, "base": 0.35, "high": 1, "unit": ""}
    page = agreement_page(plan | {"case": plan["case"] | {"assumptions": [share]}}, "en")
    assert (page["assumptions"][0]["base"].strip(), page["assumptions"][0]["range"]) == ("0.350", "0.025 to 1.000")


def test_columns_that_nothing_stands_in_are_left_out(plan: dict[str, Any]) -> None:
    assert agreement_page(plan, "en")["has"] == {"break_even": True, "expected": True, "rows_needed": True}
    case = plan["case"] | {"expected_net": {}, "rows_needed": {}}
    bare = agreement_page(plan | {"case": case, "break_even": None}, "en")
    assert bare["has"] == {"break_even": False, "expected": False, "rows_needed": False}


def test_clusters_are_told_with_their_design_effect(plan: dict[str, Any]) -> None:
    agreed = {"size": 20.0, "icc": 0.05, "cv": 0.0, "design_effect": 1.95}
    page = agreement_page(plan | {"case": plan["case"] | {"clusters": agreed}}, "en")
    assert page["clusters"] == {"size": "20", "icc": "0.050", "cv": "0.00", "factor": "1.95"}
    before = {name: value for name, value in plan["case"].items() if name != "clusters"}
    assert agreement_page(plan | {"case": before}, "en")["clusters"] is None


@pytest.mark.parametrize("language", ["en", "ja"])
def test_every_check_before_a_start_can_be_said(language: str) -> None:
    from impact.agreements.before_start import BEFORE_START
    from impact.figures.agreement import foreseen_rows
    from impact.figures.words.foreseen import FORESEEN

    assert set(FORESEEN[language]) == {check.__name__ for check in BEFORE_START}
    plan = {"arms": [{"key": "bonus", "name": "Bonus"}], "currency": "EUR"}
    numbers = {
        "complete": {"missing": ["owner"]},
        "baseline_and_chances": {"arms": ["bonus"]},
        "rows_enough": {"arms": ["bonus"], "planned": 15_000, "needed": 34_886.3},
        "profit_from_loss": {"arms": ["bonus"], "detectable": 4.27},
        "whole_weeks": {"days": 60.5},
        "clusters_apart": {"cluster": "line"},
        "clusters_alike": {"factor": 1.952},
        "owned_in_full": {},
    }
    holds = {
        "complete": ["owner" if language == "en" else "責任者"], "baseline_and_chances": ["Bonus"],
        "rows_enough": ["15,000", "34,887", "Bonus"], "profit_from_loss": ["4.27", "Bonus"], "whole_weeks": ["60.5"],
        "clusters_apart": ["line"], "owned_in_full": [], "clusters_alike": ["clusters"],
    }  # fmt: skip
    for name, found in numbers.items():
        good, bad = foreseen_rows([(name, "warn", passed, found) for passed in (True, False)], plan, language)
        assert (good["state"], bad["state"]) == ("pass", "warn") and good["message"] != bad["message"]
        assert [text for text in holds[name] if text not in bad["message"]] == [], name
