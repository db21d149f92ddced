"""Cumulative cash: its lines, its deepest point, and the month in which it is paid back."""

from __future__ import annotations

from typing import Any

from impact.figures.cash import TOP, cash_figure
from impact.figures.forms import Forms

BALANCE = [-300.0, -500.0, -100.0, 200.0, 900.0]


def figure(booked: list[float] | None = None, balance: list[float] | None = None, language: str = "en") -> Any:
    cash = {"projected": {"balance": balance or BALANCE}, "booked": booked and {"balance": booked}}
    statement = {"currency": "EUR", "programme": {"build": 200.0}, "cash": cash}
    return cash_figure(statement, "Paid back in month 4.", Forms(language))


def test_it_begins_with_what_building_costs_and_marks_the_deepest_month() -> None:
    found = figure()
    assert found["title"] == "Paid back in month 4"
    [line] = found["lines"]
    assert [x for x, _ in line["points"]] == [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]
    assert found["rows"][0] == ["0", "\u2212200"] and found["rows"][2] == ["2", "\u2212500"]
    assert found["deepest"]["text"] == "deepest in month 2: \u2212500" and found["deepest"]["x"] == 40.0
    heights = [y for _, y in line["points"]]
    assert max(heights) == heights[2] == found["deepest"]["y"] and min(heights) == heights[5] >= TOP


def test_zero_lies_between_what_is_needed_and_what_is_earned() -> None:
    found = figure()
    [zero] = [one["y"] for one in found["grid"] if one["zero"]]
    heights = [y for _, y in found["lines"][0]["points"]]
    assert heights[3] > zero > heights[4]


def test_booked_cash_is_a_line_of_its_own_where_it_differs() -> None:
    assert [line["kind"] for line in figure([-300.0, -600.0, -400.0, 0.0, 100.0])["lines"]] == ["projected", "booked"]
    assert [line["kind"] for line in figure(BALANCE)["lines"]] == ["projected"]
    assert figure(language="ja")["lines"][0]["name"] == "実測"


def test_cash_that_never_needs_funding_has_no_deepest_point() -> None:
    statement = {"currency": "EUR", "programme": {"build": 0.0}, "cash": {"projected": {"balance": [1.0, 2.0]},
                 "booked": None}}  # fmt: skip
    assert cash_figure(statement, "", Forms("en"))["deepest"] is None
