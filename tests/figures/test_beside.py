"""What stands beside the figure: said where a document has it, and nothing where it hasn't."""

from __future__ import annotations

from typing import Any

import pytest

from impact.figures.beside import adverse_lines, by_clusters, stop_or_wait, takers
from impact.figures.experiment import experiment_page
from impact.figures.forms import Forms
from tests.figures.documents import plain, said

CLUSTERS = {
    "status": "estimated", "method": "cluster_cr2", "clusters": 20, "effect": 4.5, "se": 2.0, "df": 19.0,
    "ci": [0.3, 8.7], "p_value": 0.04,
}  # fmt: skip
CACE = {
    "status": "estimated", "reason": None, "effect": 30.0, "set": {"kind": "interval", "bounds": [4.0, 61.5]},
    "take_up": 0.35,
}  # fmt: skip
THRESHOLD = {
    "stop": "bonus", "wait": "none", "metric": "churn", "planned": 0.262,
    "measured": [
        {"by": "", "value": "", "n": 240, "residual": 0.03, "threshold": 0.294},
        {"by": "score_band", "value": "L", "n": 140, "residual": 0.0, "threshold": 0.262},
    ],
}  # fmt: skip


def with_clusters(language: str) -> dict[str, Any]:
    document = said("churn", language)
    document["money"]["comparisons"][0]["by_clusters"] = CLUSTERS
    document["money"]["comparisons"][1]["by_clusters"] = {"status": "not_estimable", "reason": "one cluster"}
    return document


def test_clusters_are_a_labelled_sensitivity() -> None:
    [line] = by_clusters(with_clusters("en"), Forms("en"))
    assert plain(line) == (
        "All rows: seen by the 20 clusters that the rows lie in, Bonus compared with No action is +4.50 EUR per"
        " customer, between 0.30 and 8.70 (CR2). A sensitivity: the draws were finer."
    )
    [line] = by_clusters(with_clusters("ja"), Forms("ja"))
    assert all(part in line for part in ("20個", "+4.50", "0.30〜8.70", "感度分析"))


def test_the_measured_threshold_stands_beside_the_planned_one() -> None:
    document = said("churn", "en") | {"stop_or_wait": THRESHOLD}
    assert [plain(line) for line in stop_or_wait(document, Forms("en"))] == [
        "Planned: stopping pays from a risk of 26.2 % on, if nothing fails that was stopped.",
        "All rows: 3.0 % of 240 failed in spite of stopping, so it pays from 29.4 % on."
        " What scores between 26.2 % and 29.4 % would wait instead of being stopped.",
        "Score band L: none of 140 failed in spite of stopping, as planned.",
    ]
    assert "29.4%" in stop_or_wait(document, Forms("ja"))[1]


@pytest.mark.parametrize("language", ["en", "ja"])
def test_an_analysis_of_an_earlier_version_has_neither(language: str) -> None:
    page = experiment_page(said("churn", language), language)
    assert (page["by_clusters"], page["stop_or_wait"], page["takers"]) == ([], [], [])
    document = with_clusters(language) | {"stop_or_wait": THRESHOLD}
    document["money"]["comparisons"][0]["cace"] = CACE
    document["verdict"]["level"] = "withheld"
    page = experiment_page(document, language)
    assert (page["by_clusters"], page["stop_or_wait"], page["takers"]) == ([], [], [])


def test_those_who_took_it_up_stand_beside_the_comparison() -> None:
    document = said("churn", "en")
    bonus, credit = document["money"]["comparisons"]
    bonus["cace"], credit["cace"] = CACE, {"status": "not_estimable", "reason": "too little"}
    assert [plain(line) for line in takers(document, Forms("en"))] == [
        "Bonus: those who took it up because it was drawn (35 % of the rows) were worth +30.00 EUR more each"
        " (4.00 to 61.50), before its cost. Beside the comparison by what was drawn, never instead of it.",
        "Credit: what it did to those who took it up isn't told, for take-up must differ from that of No action by"
        " more than 10 points beyond doubt.",
    ]
    assert "+30.00" in takers(document, Forms("ja"))[0]


@pytest.mark.parametrize(
    ("kind", "bounds", "span"),
    [("line", [], "any amount is possible"), ("rays", [-3, 8], "below \u22123.00 or above 8.00")],
)
def test_a_set_is_said_whatever_its_shape(kind: str, bounds: list[float], span: str) -> None:
    document = said("churn", "en")
    document["money"]["comparisons"][0]["cace"] = CACE | {"set": {"kind": kind, "bounds": bounds}}
    assert f"({span})" in takers(document, Forms("en"))[0]


def test_a_driver_that_went_the_wrong_way_is_watched_and_claims_nothing() -> None:
    one = {"by": "score_band", "value": "H", "arm": "bonus", "metric": "churn", "effect": 0.01, "p_value": 0.42}
    document = said("churn", "en", adverse=[one, one | {"by": "region"}, one | {"effect": 0.03, "p_value": 0.001}])
    watched, settled = adverse_lines(document, "score_band", Forms("en"))
    assert plain(watched) == (
        "H, Bonus: Churn +1.0 points, the wrong way, but not beyond chance (p = 0.42). Watch it; nothing is claimed."
    )
    assert "not adjusted" in settled and "beyond chance" not in settled
    assert adverse_lines(said("churn", "en"), "score_band", Forms("en")) == []
