"""What was agreed beside what came, and what changed between two analyses, line by line."""

from __future__ import annotations

from typing import Any

import pytest

from impact.figures.agreed import agreed_rows, changed_lines
from tests.figures.documents import CASE, plain, said

AGREED: dict[str, Any] = CASE | {
    "rows_per_arm": 6000, "expected_effect": -0.03, "expected_net": {"bonus": 7.3}, "detectable_effect": 6.93,
    "loss_cap": 100_000.0,
}  # fmt: skip


def rows(language: str = "en", **changes: Any) -> dict[str, list[str]]:
    found = agreed_rows(said("churn", language), AGREED | changes, language)
    return {plain(one["label"]): [plain(one[name]) for name in ("agreed", "came", "word")] for one in found}


def test_each_thing_that_was_signed_stands_beside_what_came() -> None:
    found = rows()
    assert found["Rows in the smallest arm"] == ["6,000", "5,438", "no"]
    assert found["Net per customer, Bonus"] == ["+7.30 EUR", "+4.62 EUR", "no"]
    assert found["Smallest net effect it can prove"] == ["6.93 EUR", "+4.62 EUR found", "below it"]
    assert found["Window"] == ["104 days", "100 % mature", "yes"]
    assert found["What we do"][0] == "Try again."
    assert found["Churn, Bonus"][0] == "−3.00 points"


def test_what_was_reached_is_said_to_be() -> None:
    found = rows(rows_per_arm=5000, expected_net={"bonus": 1.0}, detectable_effect=2.0, expected_effect=-0.001)
    assert {found[name][2] for name in ("Rows in the smallest arm", "Net per customer, Bonus", "Churn, Bonus")} == {
        "yes"
    }
    assert found["Smallest net effect it can prove"][2] == "yes"


def test_the_loss_cap_is_beside_what_was_lost() -> None:
    assert rows()["Loss cap"] == ["100,000 EUR", "nothing lost", "yes"]
    document = said("churn", "en")
    for block in document["money"]["comparisons"]:
        block["total"] = block["total"] | {"net": -90_000.0}
    [cap] = [one for one in agreed_rows(document, AGREED, "en") if one["label"] == "Loss cap"]
    assert (plain(cap["came"]), cap["word"], cap["state"]) == ("180,000 EUR lost", "no", "warn")


def test_what_is_withheld_is_not_shown_as_actual() -> None:
    document = said("churn", "en", verdict={"level": "withheld", "arm": None, "because": []})
    labels = [one["label"] for one in agreed_rows(document, AGREED, "en")]
    assert labels == ["Rows in the smallest arm", "Window"]


def test_what_nobody_agreed_has_no_row() -> None:
    labels = [one["label"] for one in agreed_rows(said("churn", "en"), {}, "en")]
    assert labels == ["Window"]


def test_what_changed_is_said_line_by_line() -> None:
    before, now = said("churn", "en"), said("churn", "en")
    before["snapshot"] = before["snapshot"] | {"decisions": 16_000, "outcomes": 3250}
    before["maturity"] = before["maturity"] | {"mature": 9000}
    before["verdict"] = before["verdict"] | {"level": "unclear"}
    before["money"]["comparisons"][0]["net"]["effect"] = 2.5
    before["checks"][0]["passed"] = False
    found = changed_lines(before, now, "UTC", "en")
    lines = [plain(line) for line in found["lines"]]
    assert "317 more rows were decided about" in lines
    assert "7,317 more rows count" in lines
    assert "2 fewer outcomes" in lines
    assert "Bonus: +2.50 EUR became +4.62 EUR" in lines
    assert "the verdict was Unclear, and is Likely" in lines
    assert "passes now: Mature rows" in lines


def test_a_figure_that_came_or_went_is_said() -> None:
    shown, hidden = said("churn", "en"), said("churn", "en")
    hidden["verdict"] = hidden["verdict"] | {"level": "withheld"}
    assert any("has a figure now" in line for line in changed_lines(hidden, shown, "UTC", "en")["lines"])
    assert any("no figure any more" in line for line in changed_lines(shown, hidden, "UTC", "en")["lines"])


@pytest.mark.parametrize(("language", "said_"), [("en", ["nothing"]), ("ja", ["変化はありません"])])
def test_the_same_twice_is_no_change(language: str, said_: list[str]) -> None:
    document = said("churn", language)
    assert changed_lines(document, document, "UTC", language)["lines"] == said_
