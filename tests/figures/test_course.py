"""The course over analyses: points in their places, the range for any day, and the finding in the title."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from impact.figures.course import course
from tests.figures.documents import judged, said

FIRST = datetime(2026, 1, 10, tzinfo=UTC)


def analysis(day: int, bonus: tuple[float, float, float], language: str = "en", **changes: Any) -> dict[str, Any]:
    """The churn document as of a day, with another figure of the bonus; ``bonus`` is effect, low, high."""
    document = said("churn", language) | {"as_of": (FIRST + timedelta(days=day)).isoformat()} | changes
    effect, low, high = bonus
    for block in document["money"]["comparisons"]:
        if block["arm"] == "bonus":
            net = {"effect": effect, "ci": [low + 0.5, high - 0.5], "always_valid": {"ci": [low, high], "p_value": 0.5}}
            block["net"] = block["net"] | net
    return document


THREE = [analysis(0, (1.0, -9.0, 11.0)), analysis(10, (2.0, 0.5, 3.5)), analysis(40, (3.0, 1.0, 5.0))]


def test_points_stand_at_their_days_and_inside_the_box() -> None:
    found = course(THREE, "UTC", "en")
    assert found is not None
    bonus = found["lines"][0]
    assert [dot["x"] for dot in bonus["dots"]] == [0, 25, 100]
    assert [dot["y"] for dot in bonus["dots"]] == sorted((dot["y"] for dot in bonus["dots"]), reverse=True)
    numbers = [float(part) for part in bonus["band"].strip("MZ").replace("L", "").split()]
    assert all(14 <= y <= 220 for y in numbers[1::2])
    assert [line for line in found["grid"] if line["zero"]]


def test_the_band_is_the_range_for_any_day() -> None:
    found = course(THREE, "UTC", "en")
    assert found is not None
    assert "valid on any day" in found["axis"]
    assert found["rows"][1][2:] == ["+2.00", "0.50", "3.50"]
    plain = [one | {} for one in THREE]
    for one in plain:
        for block in one["money"]["comparisons"]:
            block["net"] = block["net"] | {"always_valid": None}
    without = course(plain, "UTC", "en")
    assert without is not None and "of that day alone" in without["axis"]


def test_the_title_says_since_when_zero_is_out_of_the_range() -> None:
    days = [(0, (1.0, -9.0, 11.0)), (10, (2.0, 0.5, 3.5)), (40, (3.0, 1.0, 5.0))]
    found = course([analysis(*one) for one in days], "UTC", "en")
    assert found is not None
    assert found["title"].startswith("Bonus is clear of zero since 20 January 2026")
    back = course([analysis(0, (2.0, 1.0, 3.0)), analysis(10, (1.0, -1.0, 3.0))], "UTC", "en")
    assert back is not None and back["title"].startswith("Bonus still has zero in the range that holds")


def test_what_was_withheld_is_counted_and_not_drawn() -> None:
    withheld = judged("churn", "withheld", None) | {"as_of": FIRST.isoformat()}
    pair = [analysis(10, (2.0, 0.5, 3.5)), analysis(40, (3.0, 1.0, 5.0))]
    found = course([withheld, *pair], "UTC", "en")
    assert found is not None
    assert found["missing"] == "1 earlier analysis could show no figure." and len(found["lines"][0]["dots"]) == 2


@pytest.mark.parametrize("documents", [THREE[:1], [judged("churn", "withheld", None)] * 3])
def test_fewer_than_two_figures_are_no_course(documents: list[Any]) -> None:
    assert course(documents, "UTC", "en") is None


def test_in_japanese() -> None:
    found = course([analysis(0, (2.0, 1.0, 3.0), "ja"), analysis(9, (2.0, 1.0, 3.0), "ja")], "Asia/Tokyo", "ja")
    assert found is not None
    assert "ゼロを離れている" in found["title"] and found["ticks"][0]["text"] == "2026年1月10日"
