import math

import pytest

from impact.stats import ranges


@pytest.mark.parametrize("value", [0, 1, 1.2, -0.1, math.nan])
def test_share_names_the_value(value):
    with pytest.raises(ValueError, match=rf"alpha == {value!r}, must be in \(0, 1\)"):
        ranges.share("alpha", value)


@pytest.mark.parametrize("value", [0, -1, math.inf, math.nan])
def test_positive_names_the_value(value):
    with pytest.raises(ValueError, match=f"n == {value!r}, must be above 0"):
        ranges.positive("n", value)


def test_within_has_both_ends():
    assert ranges.within("x", 0, 0, 1) == 0
    assert ranges.within("x", 1, 0, 1) == 1
    with pytest.raises(ValueError, match=r"x == 2, must be in \[0, 1\]"):
        ranges.within("x", 2, 0, 1)
