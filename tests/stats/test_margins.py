import math

import pytest

from impact.stats.effects import TEffect
from impact.stats.margins import improvement, non_inferiority


def effect(estimate):
    return TEffect(estimate, 1.0, 40.0, "welch")


def test_less_is_better_turns_the_effect_round():
    plain, better = effect(-2.0), improvement(effect(-2.0), "less")
    assert (better.estimate, better.se, better.method) == (2.0, 1.0, "welch")
    assert better.interval(0.9) == pytest.approx([-end for end in reversed(plain.interval(0.9))])
    assert better.p_value(0.5) == plain.p_value(-0.5)
    assert better.chance_above(0.5) == pytest.approx(1 - plain.chance_above(-0.5))
    assert improvement(plain, "more") is plain
    with pytest.raises(ValueError, match="better == 'up'"):
        improvement(plain, "up")


@pytest.mark.parametrize(("estimate", "status"), [(0.0, "kept"), (-2.0, "open"), (-6.0, "broken")])
@pytest.mark.parametrize("better", ["more", "less"])
def test_the_margin_is_seen_from_the_side_that_is_better(estimate, status, better):
    turned = effect(estimate if better == "more" else -estimate)
    found = non_inferiority(turned, 3.0, better, 0.95)
    assert found.status == status
    assert found.worst == pytest.approx(effect(estimate).interval(0.95)[0])
    assert (found.p_value < 0.025) == (status == "kept")
    assert (found.p_value > 0.975) == (status == "broken")


def test_a_margin_of_nothing_is_superiority():
    found = non_inferiority(effect(2.5), 0.0, "more", 0.95)
    assert found.status == "kept"
    assert found.p_value == pytest.approx(effect(2.5).p_value() / 2)


@pytest.mark.parametrize("margin", [-1.0, math.nan])
def test_refuses_margins_below_zero(margin):
    with pytest.raises(ValueError, match="margin == "):
        non_inferiority(effect(0.0), margin, "more", 0.95)
