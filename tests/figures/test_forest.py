"""The forest: positions are the numbers, texts are the numbers, and the drawing on the page says both."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

import pytest
from django.template.loader import render_to_string
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from impact.figures.executive import bars, drawn_times
from impact.figures.experiment import experiment_page, net_forest
from impact.figures.forest import Bar, forest, nice_step, tone
from impact.figures.forms import Forms
from tests.figures.documents import STORED, said

EN = Forms("en")
ends = st.floats(-1e6, 1e6)


def axis(figure: dict[str, Any]) -> tuple[float, float]:
    """Value at 0 % and value per percent, from the ticks' texts."""
    first, last = figure["ticks"][0], figure["ticks"][-1]
    low, high = (float(tick["text"].replace("\u2212", "-").replace(",", "")) for tick in (first, last))
    return low, (high - low) / 100


@given(st.lists(st.tuples(ends, ends, ends), min_size=1, max_size=6))
def test_positions_are_the_numbers(found: list[tuple[float, float, float]]) -> None:
    drawn = [Bar("b", "unclear", *(sorted(three)[place] for place in (1, 0, 2))) for three in found]
    figure = forest(drawn, EN)
    low, per = axis(figure)
    assert low < 0 < low + 100 * per
    assert figure["zero"] == pytest.approx(-low / per, abs=0.01)
    for bar, row in zip(drawn, figure["rows"], strict=True):
        for value, at in ((bar.low, row["x1"]), (bar.effect, row["x"]), (bar.high, row["x2"])):
            assert at == pytest.approx((value - low) / per, abs=0.011)
            assert 0 <= at <= 100
    assert 3 <= len(figure["ticks"]) <= 10
    assert [tick["x"] for tick in figure["ticks"] if tick["zero"]] == [figure["zero"]]
    assert not any(tick["zero"] and tick["minor"] for tick in figure["ticks"])


def test_texts_are_the_numbers() -> None:
    [row] = forest([Bar("Bonus", "likely", 4.6221, 0.1518, 9.0923)], EN, currency="EUR")["rows"]
    assert (row["effect"], row["low"], row["high"], row["range"]) == ("+4.62", "0.15", "9.09", "0.15 to 9.09")
    assert (row["label"], row["word"], row["tone"]) == ("Bonus", "Likely", "good")


def test_what_is_not_compared_with_the_baseline_has_no_word() -> None:
    [row] = forest([Bar("A – B", "unclear", 1, 0, 2, compared=False)], EN)["rows"]
    assert row["level"] == "plain"
    assert row["word"] == ""


def test_the_smallest_effect_worth_acting_on_is_on_the_axis() -> None:
    figure = forest([Bar("a", "unclear", 0.1, 0.0, 0.2)], EN, worth=0.7)
    assert figure["worth"]["text"] == "0.70"
    assert figure["zero"] < figure["rows"][0]["x2"] < figure["worth"]["x"] <= 100
    assert forest([Bar("a", "unclear", 0.1, 0.0, 0.2)], EN)["worth"] is None


def test_an_endless_range_ends_at_the_edge() -> None:
    [row] = forest([Bar("a", "unclear", 1.0, float("-inf"), 2.0)], EN)["rows"]
    assert (row["x1"], row["low"]) == (0.0, "\u2212\u221e")


def test_nothing_but_zero_has_an_axis() -> None:
    assert [tick["text"] for tick in forest([Bar("a", "unclear", 0, 0, 0)], EN)["ticks"]] == ["\u22121", "0", "+1"]


@given(st.floats(1e-6, 1e9))
def test_steps_are_round_and_few(width: float) -> None:
    step = nice_step(width)
    assert 1 < width / step <= 6.01
    assert re.fullmatch(r"[1235]e[+-]\d\d", f"{step:.0e}") or f"{step:.0e}".startswith("1e")


@pytest.mark.parametrize(
    ("level", "colour"),
    [("proven", "good"), ("likely", "good"), ("unclear", "unsure"), ("too_early", "unsure"), ("harmful", "bad")],
)
def test_hue_says_good_or_bad(level: str, colour: str) -> None:
    assert tone(Bar("a", level, 1, 0, 2)) == colour


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("name", STORED)
def test_the_drawing_says_the_documents_numbers(name: str, language: str) -> None:
    document, forms = said(name, language), Forms(language)
    figure = net_forest(document, forms)
    svg = drawing(figure, language)
    shown = [text for text in svg.itertext() if text.strip()]
    name_of_it = svg.attrib["aria-label"]
    for bar, row in zip(bars(document), figure["rows"], strict=True):  # type: ignore[index]
        times = drawn_times(document)
        digits = len(row["effect"].partition(".")[2])
        effect = forms.number(times * bar.effect, digits, signed=True)
        span = forms.span(forms.number(times * bar.low, digits), forms.number(times * bar.high, digits))
        assert f"{effect} " in shown and f"({span})" in shown
        assert f"{bar.label}: {effect} ({span})" in name_of_it
    assert figure["title"] in name_of_it  # type: ignore[index]
    for line in svg.iter("line"):
        assert all(re.fullmatch(r"\d+(\.\d+)?%", line.attrib[name]) for name in ("x1", "x2"))


@pytest.mark.parametrize("language", ["en", "ja"])
def test_segments_are_drawn_with_a_finding_an_axis_and_a_table(language: str) -> None:
    [segment] = experiment_page(said("churn", language), language)["segments"]
    figure = segment["figure"]
    assert figure["title"] == {"en": "Loses: L, Credit", "ja": "損失：L, Credit"}[language]
    assert "95" in figure["axis"]
    html = rendered(figure, language, "x.csv")
    for row in figure["rows"]:
        assert html.count(row["effect"]) == 3
        assert row["label"] in html


def rendered(figure: Any, language: str, csv: str = "") -> str:
    with translation.override(language):
        return render_to_string("_forest.html", {"figure": figure, "csv": csv})


def drawing(figure: Any, language: str) -> ElementTree.Element:
    found = ElementTree.fromstring(rendered(figure, language)).find("svg")
    assert found is not None
    return found
