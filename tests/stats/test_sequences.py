import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from impact.stats.effects import TEffect
from impact.stats.sequences import AlwaysValid, always_valid, running


def test_reference(reference):
    gold = reference["expected"]["means"]["gold"]
    effect = TEffect(gold["estimate"], gold["se"], gold["df"], "welch")
    for row in reference["extras"]["asymp_cs"]["rows"]:
        planned = effect.se * math.sqrt(95 / row["nstar"])
        low, high = always_valid(effect, planned, 0.95).interval
        assert (high - low) / 2 == pytest.approx(row["halfwidth_exact"], rel=1e-9)
        # the other's approximate width of the mixture is within two per cent
        assert (high - low) / 2 == pytest.approx(row["halfwidth_gb"], rel=2e-2)
    at_plan = always_valid(effect, effect.se, 0.95).interval
    inflation = (at_plan[1] - at_plan[0]) / 2 / (1.959963984540054 * effect.se)
    assert inflation == pytest.approx(reference["extras"]["asymp_cs"]["width_inflation_at_N=N*"], rel=1e-3)


@given(st.floats(-5, 5), st.floats(0.1, 3), st.floats(0.1, 3), st.sampled_from([0.9, 0.95, 0.99]))
def test_p_and_interval_agree(estimate, se, planned, level):
    found = always_valid(TEffect(estimate, se, math.inf, "x"), planned, level)
    low, high = found.interval
    if abs(found.p_value - (1 - level)) > 1e-9:
        assert (found.p_value < 1 - level) == (not low <= 0 <= high)
    assert low < estimate < high


def test_it_is_tightest_at_the_plan():
    def width(planned):
        low, high = always_valid(TEffect(0.0, 1.0, math.inf, "x"), planned, 0.95).interval
        return high - low

    assert width(1.0) < min(width(0.9), width(1.1))


def test_running_keeps_what_every_look_leaves():
    looks = [AlwaysValid((-1.0, 3.0), 0.2), AlwaysValid((0.5, 4.0), 0.01), AlwaysValid((-0.5, 2.0), 0.1)]
    assert running(looks) == AlwaysValid((0.5, 2.0), 0.01)


@pytest.mark.parametrize(("se", "planned"), [(0.0, 1.0), (1.0, 0.0), (1.0, -1.0)])
def test_refuses_errors_that_are_not_positive(se, planned):
    with pytest.raises(ValueError, match="standard errors must be positive"):
        always_valid(TEffect(1.0, se, 5.0, "x"), planned, 0.95)


def test_refuses_levels_outside():
    with pytest.raises(ValueError, match="level == 95"):
        always_valid(TEffect(1.0, 1.0, 5.0, "x"), 1.0, 95)
