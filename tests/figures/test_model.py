"""Pictures of a model: where marks stand, what titles say, in both languages."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from impact.figures.forms import LANGUAGES, Forms
from impact.figures.model import (
    HEAD,
    HEIGHT,
    SQUARE,
    Day,
    calibration_figure,
    calibration_title,
    days_figure,
    discrimination,
    drift_figure,
    refusal,
    stability,
)
from impact.figures.words.model import WORDS

EN, JA = Forms("en"), Forms("ja")
FIRST = date(2026, 1, 5)


def day(place: int, psi: float | None = None, by_chance: float = 0.1, low: float = 0.1) -> Day:
    quantiles = [low, low + 0.1, low + 0.2, low + 0.3, low + 0.4]
    return Day(FIRST + timedelta(days=place), 100, quantiles, psi, None if psi is None else by_chance)


def content(predicted: float = 0.2, **changes: Any) -> dict[str, Any]:
    one = {"rows": 50, "predicted": 0.5, "observed": 0.25, "ci": [0.1, 1.0], "lowest": 0.4, "highest": 0.6}
    known = {"status": "measured", "rows": 50, "observed": 0.2, "ci": [0.15, 0.25], "predicted": predicted}
    return known | {"bins": [one], "auc": 0.75, "auc_ci": [0.7, 0.8], "brier": 0.1, "log_loss": 0.3} | changes


@pytest.mark.parametrize(
    ("psi", "by_chance", "level"),
    [(None, None, "waiting"), (0.2, 0.0, "steady"), (0.21, 0.2, "drifted"), (0.3, 0.3, "few"), (0.0, 9.0, "steady")],
)
def test_readings(psi: float | None, by_chance: float | None, level: str) -> None:
    assert stability(psi, by_chance) == level


def test_days_stand_where_their_date_is() -> None:
    figure = days_figure([day(0), day(1), day(10)], EN)
    assert [mark["x"] for mark in figure["marks"]] == [0.0, 10.0, 100.0]
    assert days_figure([day(3)], EN)["marks"][0]["x"] == 50.0


def test_higher_scores_stand_higher() -> None:
    figure = days_figure([day(0), day(1, 0.1, low=0.3)], EN)
    first, last = figure["marks"]
    assert first["dot"] > last["dot"] > HEAD
    assert first["thin"][0] > first["thick"][0] > first["dot"] > first["thick"][1] > first["thin"][1]
    assert (first["tone"], last["tone"]) == ("unsure", "accent")
    assert figure["title"] == "Half of the scores are below 0.50; at first it was 0.30"
    assert [row["name"] for row in figure["rows"]] == ["6 January 2026", "5 January 2026"]


@pytest.mark.parametrize(
    "scores", [[5000.0] * 5, [-3.0, -2.0, -1.0, 0.0, 1.0], [0.0] * 5, [1e-9, 2e-9, 3e-9, 4e-9, 5e-9]]
)
def test_any_scores_can_be_drawn(scores: list[float]) -> None:
    for mark in days_figure([Day(FIRST, 1, scores)], JA)["marks"]:
        assert all(HEAD <= y <= HEAD + HEIGHT for y in (*mark["thin"], *mark["thick"], mark["dot"]))


def test_the_line_is_at_a_fifth() -> None:
    figure = drift_figure([day(0), day(1, 0.0), day(2, 0.25, 0.3), day(3, 0.5)], EN)
    assert figure is not None
    at_nothing, few, drifted = figure["marks"]
    assert at_nothing["dot"] == HEAD + HEIGHT > figure["line"]["y"] > few["dot"] > drifted["dot"]
    assert [mark["level"] for mark in figure["marks"]] == ["steady", "few", "drifted"]
    assert figure["title"] == "Drifted: over 0.2 on 1 of 3 days, most on 8 January 2026 (0.50)"
    assert figure["rows"][0]["cells"] == ["100", "0.500", "0.100", "drifted"]


def test_what_chance_does_is_not_called_drift() -> None:
    figure = drift_figure([day(1, 0.3, 0.4)], EN)
    assert figure is not None and figure["title"].startswith("Over 0.2 on 1 of 1 days, but no more than chance")


def test_without_a_reference_there_is_no_picture() -> None:
    assert drift_figure([day(0), day(1)], EN) is None


def test_calibration_stands_on_two_axes_of_the_same_scale() -> None:
    figure = calibration_figure(content(), EN)
    [mark] = figure["marks"]
    assert (mark["x"], mark["dot"]) == (50.0, HEAD + 0.75 * SQUARE)
    assert (figure["diagonal"]["y1"], figure["diagonal"]["y2"]) == (HEAD + SQUARE, HEAD)
    assert figure["rows"][0]["cells"] == ["50", "50.0\u00a0%", "25.0\u00a0%", "10.0\u00a0% to 100.0\u00a0%"]


@pytest.mark.parametrize(("predicted", "begins"), [(0.2, "About right"), (0.26, "Too high"), (0.14, "Too low")])
def test_the_title_says_whether_scores_were_right(predicted: float, begins: str) -> None:
    assert calibration_title(content(predicted), EN).startswith(f"{begins}: it came true for 20.0")


def test_discrimination_in_words() -> None:
    found = discrimination(content(), EN)
    assert (found["auc"], found["range"]) == ("0.750", "0.700 to 0.800")
    assert "in 75\u00a0% of cases" in found["sentence"]
    assert discrimination(content(auc_ci=None), EN)["range"] == ""
    assert discrimination({"r2": None, "mae": 0.5}, EN) == {"sentence": "", "r2": "", "mae": "0.500"}


def test_refusals() -> None:
    assert refusal(content(), EN) == ""
    assert "as soon as" in refusal(None, EN)
    assert "1,234" in refusal({"status": "refused", "reason": "too-few", "rows": 1234}, EN)


def test_both_languages_say_the_same_things() -> None:
    assert WORDS["en"].keys() == WORDS["ja"].keys()
    for language in LANGUAGES:
        forms = Forms(language)
        figures = (
            days_figure([day(0), day(1)], forms),
            drift_figure([day(1, 0.1)], forms),
            calibration_figure(content(), forms),
        )
        assert all(figure and figure["title"] and "{" not in figure["title"] for figure in figures)
