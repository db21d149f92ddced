"""Policies against the baseline for everybody, with every other reading beside."""

from __future__ import annotations

from typing import Any

import pytest

from impact.figures.policies import policies_section
from tests.figures.documents import said

READ = {
    "policy": "by-score", "against": "nobody", "estimator": "stratified", "status": "estimated", "reason": None,
    "effect": 3.5, "se": 1.0, "ci": [1.5, 5.5], "ess": 8123.4, "overlap": None, "selected_on_same_data": False,
}  # fmt: skip
BLOCKS = [
    READ,
    READ | {"estimator": "ips", "effect": 3.1},
    READ | {"against": "bonus", "effect": 1.0, "ci": [-1.0, 3.0]},
    READ | {"policy": "for-all", "effect": 1.9, "ci": [-0.8, 4.6], "selected_on_same_data": True},
    READ | {"policy": "unlogged", "status": "not_estimable", "effect": None, "ci": None},
]


def section(language: str = "en", **changes: Any) -> Any:
    return policies_section(said("churn", language, policies=BLOCKS) | changes, language)


def test_the_headline_of_each_policy_is_drawn() -> None:
    figure = section()["figure"]
    assert [(row["label"], row["effect"]) for row in figure["rows"]] == [("by-score", "+3.50"), ("for-all", "+1.90")]
    assert figure["title"].startswith("by-score does best of the policies")


def test_every_reading_is_a_row() -> None:
    rows = section()["rows"]
    assert [row[2] for row in rows] == ["stratified", "IPS", "stratified", "stratified"]
    assert rows[0][1] == "nobody" and rows[2][1] == "Bonus"
    assert rows[3][0] == "for-all (chosen on these rows)" and rows[0][5] == "8,123"


@pytest.mark.parametrize("changes", [{"policies": []}, {"money": None}, {"verdict": {"level": "withheld"}}])
def test_without_a_figure_there_is_no_section(changes: dict[str, Any]) -> None:
    assert section(**changes) is None


def test_in_japanese() -> None:
    assert section("ja")["rows"][0][1] == "誰にもしない"
