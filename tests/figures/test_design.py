"""The design page in words and shapes: the chance first, then where each arm breaks even, the weeks, the verdicts."""

from __future__ import annotations

from typing import Any

import pytest

from impact.agreements.outlook import outlook
from impact.figures.design import Named, design_figures, unknown
from tests.agreements.test_outlook import STORY
from tests.figures.documents import plain

NAMED = Named(
    driver={"name": "Churn", "kind": "proportion", "unit": ""},
    arms={"none": "No action", "bonus": "Bonus", "credit": "Credit"},
    currency="EUR",
    row="customer",
    power=0.8,
    rows=15_000,
    per_week=5_000,
)


def figures(language: str = "en", named: Named = NAMED, **changes: Any) -> dict[str, Any]:
    return design_figures(outlook(STORY._replace(**changes)), named, language)


def test_it_opens_with_the_chance_to_prove_what_is_hoped_for() -> None:
    found = figures()
    assert plain(found["sentence"]) == (
        "As planned, this experiment has a 40 % chance to prove that bonus pays, if churn truly falls by 1.50 points."
    )
    assert found["chip"]["word"] == "Too small for the money"
    assert "15,000 rows an arm tell net effects of 4.37" in plain(found["following"])
    assert "weeks of enrolment" in found["following"]


def test_enough_rows_are_said_to_be_enough() -> None:
    found = figures(rows_per_arm=60_000, named=NAMED._replace(rows=60_000))
    assert found["chip"]["word"] == "Large enough" and "it takes" not in found["following"]
    assert found["chances"]["title"] == "What is hoped for is proven more often than not"


def test_a_loss_is_said_with_its_break_even() -> None:
    found = figures(effect=-0.001)
    assert "would lose 1.40 EUR per customer: it breaks even at −0.57 points" in plain(found["sentence"])
    assert found["chip"]["tone"] == "harmful"
    assert found["arms"]["bonus"]["needed"] == ""


def test_every_arm_has_its_break_even() -> None:
    arms = figures()["arms"]
    assert (
        plain(arms["bonus"]["break_even"]) == "−0.57 points" and plain(arms["credit"]["break_even"]) == "−5.83 points"
    )
    assert plain(arms["bonus"]["net"]) == "+2.80 EUR" and arms["credit"]["needed"] == ""


def test_the_curve_stays_in_its_frame_and_has_its_table() -> None:
    curve = figures()["curve"]
    places = [tuple(map(float, part.strip("ML").split())) for part in curve["line"].replace("L", "|").split("|")]
    assert all(0 <= x <= 100 and 22 <= y <= 250 for x, y in places)
    assert [y for _, y in places] == sorted(y for _, y in places)
    assert [mark["x"] for mark in curve["marks"]] == [pytest.approx(100 * 9 / 52, abs=0.1), pytest.approx(41, abs=2)]
    assert curve["rows"][0][0] == "4" and len(curve["rows"]) == 13
    assert "takes 22" in curve["title"]


def test_without_rows_a_week_there_is_no_curve() -> None:
    assert figures(per_week=None, named=NAMED._replace(per_week=None))["curve"] is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"effect": -0.001}, "9 weeks prove"),
        ({"effect": -0.0065}, "more than a year"),
        ({"rows_per_arm": 60_000}, "less than what is hoped for"),
    ],
)
def test_the_curves_title_is_its_finding(changes: dict[str, Any], said: str) -> None:
    assert said in figures(**changes)["curve"]["title"]


def test_the_bars_fill_their_width_and_say_every_chance() -> None:
    chances = figures()["chances"]
    for row in chances["rows"]:
        assert sum(part["width"] for part in row["parts"]) == pytest.approx(100, abs=0.3)
        assert len(row["texts"]) == 4
    assert plain(chances["rows"][0]["label"]) == "Nothing changes: net −1.70 EUR"
    assert chances["title"] == "Even what is hoped for ends without proof more often than not"


def test_in_japanese() -> None:
    found = figures("ja", NAMED._replace(row="顧客"))
    assert "離反" not in found["sentence"] and "40%の確率で実証" in found["sentence"]
    assert "週間" in found["curve"]["title"]


@pytest.mark.parametrize("why", ["only_shares", "incomplete", "mend"])
@pytest.mark.parametrize("language", ["en", "ja"])
def test_what_is_not_known_is_said(why: str, language: str) -> None:
    found = unknown(language, why)
    assert found["sentence"] and found["curve"] is None and found["arms"] == {}
    assert bool(found["following"]) == (why == "only_shares")
