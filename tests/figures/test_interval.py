"""The small bars of a list: one axis for all, zero on it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from impact.figures.forest import Bar
from impact.figures.interval import interval, shared_axis

ends = st.floats(-1e9, 1e9)


@given(st.lists(st.tuples(ends, ends, ends), max_size=5))
def test_all_share_an_axis_that_holds_zero(found: list[tuple[float, float, float]]) -> None:
    drawn = [Bar("b", "unclear", *(sorted(three)[place] for place in (1, 0, 2))) for three in found]
    low, high = shared_axis(drawn)
    assert low <= 0 <= high and low < high
    for bar in drawn:
        said = interval(bar, (low, high))
        assert 0 <= said["x1"] <= said["x"] <= said["x2"] <= 100
        assert said["x"] == pytest.approx(100 * (bar.effect - low) / (high - low), abs=0.011)
        assert said["zero"] == pytest.approx(100 * -low / (high - low), abs=0.011)


def test_says_its_word_and_colour() -> None:
    said = interval(Bar("b", "harmful", -2, -3, -1), (-4, 4))
    assert said == {"x": 25.0, "x1": 12.5, "x2": 37.5, "zero": 50.0, "level": "harmful", "tone": "bad"}


def test_an_endless_range_ends_at_the_edge() -> None:
    bar = Bar("b", "unclear", 1, float("-inf"), 2)
    axis = shared_axis([bar])
    assert interval(bar, axis)["x1"] == 0.0
