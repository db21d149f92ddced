import math

import numpy as np
import pytest
from scipy.stats import norm

from impact.stats.boundaries import bounds, exits
from impact.stats.effects import TEffect
from impact.stats.looks import look, more_rows, repeated_p, stopped, z_of
from impact.stats.proportions import ScoreEffect
from impact.stats.sequences import always_valid


def effect(z, fraction, df=math.inf):
    se = 1 / math.sqrt(fraction)
    return TEffect(z * se, se, df, "welch")


def test_a_look_that_crosses_and_one_that_does_not():
    limit = bounds([0.3, 0.6], 0.05)[1]
    for z, crossed in ((limit + 0.01, True), (limit - 0.01, False), (-limit - 0.01, True)):
        found = look(effect(z, 0.6), 1.0, [0.3], 0.05)
        assert found.crossed == crossed == (repeated_p(z, [0.3, 0.6]) <= 0.05)
        assert found.bound == pytest.approx(limit)
        half = limit / math.sqrt(0.6)
        assert found.interval == pytest.approx((found.interval[0], found.interval[0] + 2 * half))


def test_any_kind_of_effect_may_be_looked_at():
    score = ScoreEffect((60, 400), (30, 400))
    found = look(score, 0.8 * score.se, [0.2], 0.05)
    assert found.interval == score.interval(found.level)
    small = look(effect(3.0, 0.5, df=8.0), 1.0, [], 0.05)
    assert small.interval[1] - small.interval[0] > 2 * small.bound / math.sqrt(0.5)


def test_without_new_information_there_is_no_look():
    found = look(effect(9.0, 0.3), 1.0, [0.3], 0.05)
    assert (found.bound, found.crossed, found.interval) == (math.inf, False, (-math.inf, math.inf))


def test_far_too_early_nothing_is_judged():
    found = look(effect(9.0, 1e-4), 1.0, [], 0.05)
    assert found.interval == (-math.inf, math.inf) and not found.crossed


def test_repeated_p_of_one_final_look_is_the_plain_one():
    assert repeated_p(2.2, [1.0], final=True) == pytest.approx(effect(2.2, 1.0).p_value(), rel=1e-6)
    assert repeated_p(0.0, [0.5]) == 1.0
    assert repeated_p(40.0, [0.5]) == 1e-12
    assert repeated_p(2.5, [0.3, 0.6]) > effect(2.5, 0.6).p_value()


def test_a_stop_at_the_only_look_is_the_plain_estimate():
    one = effect(2.0, 0.8)
    found = stopped(one, 1.0, [], 0.05, 0.95)
    assert found.estimate == pytest.approx(one.estimate, rel=1e-8)
    assert found.interval == pytest.approx(one.interval(0.95), rel=1e-7)
    assert found.p_value == pytest.approx(one.p_value(), rel=1e-7)


def test_the_estimate_at_an_early_stop_is_pulled_back():
    plain = effect(3.6, 0.6)
    found = stopped(plain, 1.0, [0.3], 0.05, 0.95)
    low, high = found.interval
    assert 0 < low < found.estimate < plain.estimate < high
    back = stopped(effect(-3.6, 0.6), 1.0, [0.3], 0.05, 0.95)
    assert back.estimate == pytest.approx(-found.estimate, rel=1e-6)
    assert back.p_value == pytest.approx(found.p_value, rel=1e-6)


def test_the_median_is_unbiased_and_the_interval_covers():
    """Walk through all ends of a design by simulation: the share below the truth is a half."""
    fractions, drift, rng = [0.3, 0.6, 1.0], 2.0, np.random.default_rng(0)
    limits = bounds(fractions, 0.05, final=True)
    below = covered = 0
    runs = 400
    for _ in range(runs):
        score = 0.0
        for place, fraction in enumerate(fractions):
            step = fraction - (fractions[place - 1] if place else 0)
            score += rng.normal(drift * step, math.sqrt(step))
            z = score / math.sqrt(fraction)
            if abs(z) >= limits[place] or fraction == 1.0:
                found = stopped(effect(z, fraction), 1.0, fractions[:place], 0.05, 0.9)
                below += found.estimate <= drift
                covered += found.interval[0] <= drift <= found.interval[1]
                break
    assert below / runs == pytest.approx(0.5, abs=0.08)
    assert covered / runs == pytest.approx(0.9, abs=0.05)
    assert exits(limits, fractions, drift)[0].sum() == pytest.approx(0.51, abs=0.03)


def test_z_of_a_t_statistic_has_its_p():
    one = effect(2.5, 1.0, df=6.0)
    assert z_of(one) < 2.5
    assert effect(z_of(one), 1.0).p_value() == pytest.approx(one.p_value())
    assert z_of(effect(-60.0, 1.0)) == -60.0


def test_refuses_errors_that_are_not_positive():
    with pytest.raises(ValueError, match="planned_se == 0"):
        look(effect(1.0, 0.5), 0, [], 0.05)
    with pytest.raises(ValueError, match=r"effect.se == 0.0"):
        look(TEffect(1.0, 0.0, math.inf, "x"), 1.0, [], 0.05)


def test_rows_of_any_day_keep_the_power_at_the_planned_end():
    alpha, power = 0.025, 0.8
    more = more_rows([], alpha, power, any_day=True)
    critical = always_valid(TEffect(0.0, 1.0, math.inf, "planned"), 1.0, 1 - alpha).interval[1]
    drift = math.sqrt(more) * (norm.isf(alpha / 2) + norm.ppf(power))
    assert norm.sf(critical - drift) == pytest.approx(power, abs=1e-9)
    assert more_rows([], alpha, power) == 1.0
    # Jennison and Turnbull, table 2.4, for bounds much like these: 1.024
    assert more_rows([0.25, 0.5, 0.75, 1.0], 0.05, 0.8) == pytest.approx(1.024, abs=0.006)
