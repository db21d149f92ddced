import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from impact.stats.beliefs import booked, expected_gain, expected_loss, spread_of
from impact.stats.effects import NotEstimable, TEffect


def test_story_a(stories):
    policy, expected = stories["story_a"]["policy"]["challenger vs nobody"], stories["story_a"]["shrinkage"]
    found = booked(TEffect(policy["effect"], policy["se"], policy["df"], "x"), expected["prior_sd_per_case"])
    assert found.shrinkage == pytest.approx(expected["lambda"], rel=1e-9)
    assert found.estimate == pytest.approx(expected["booked"], rel=1e-9)
    assert found.interval == pytest.approx(expected["booked_ci"], rel=1e-9)


def test_no_spread_books_nothing_and_no_error_books_all():
    assert booked(TEffect(3.0, 1.0, 9.0, "x"), 0.0) == (0.0, 0.0, (0.0, 0.0))
    assert booked(TEffect(3.0, 0.0, 9.0, "x"), 0.0).estimate == 3.0
    with pytest.raises(ValueError, match="spread == -1"):
        booked(TEffect(3.0, 1.0, 9.0, "x"), -1)


@given(st.floats(-3, 3), st.floats(0.1, 3), st.sampled_from([math.inf, 3.0, 30.0]))
def test_expected_loss_is_the_integral(estimate, se, df):
    belief = stats.norm(estimate, se) if math.isinf(df) else stats.t(df, estimate, se)
    loss, _ = integrate.quad(lambda x: -x * belief.pdf(x), -np.inf, 0)
    gain, _ = integrate.quad(lambda x: x * belief.pdf(x), 0, np.inf)
    effect = TEffect(estimate, se, df, "x")
    assert expected_loss(effect, df) == pytest.approx(loss, rel=1e-5, abs=1e-7)
    assert expected_gain(effect, df) == pytest.approx(gain, rel=1e-5, abs=1e-7)


def test_expected_loss_at_the_edges():
    assert expected_loss(TEffect(2.0, 0.0, 5.0, "x")) == 0
    assert expected_loss(TEffect(-2.0, 0.0, 5.0, "x")) == 2
    assert expected_loss(TEffect(2.0, 1.0, 1.0, "x"), 1.0) == math.inf


def test_spread_of_past_experiments_comes_close():
    rng = np.random.default_rng(0)
    errors = rng.uniform(0.5, 2, 3_000)
    estimates = rng.normal(0, 1.5, 3_000) + rng.normal(0, errors)
    found = spread_of(estimates, errors)
    assert found == pytest.approx(1.5, abs=0.1)
    assert (estimates**2 / (found**2 + errors**2)).sum() == pytest.approx(3_000)


def test_spread_is_nothing_where_errors_explain_the_scatter():
    assert spread_of([0.1, -0.2, 0.1, 0.0, 0.1], [1.0] * 5) == 0.0


def test_spread_with_equal_errors_is_the_closed_form():
    estimates = np.array([3.0, -4.0, 1.0, 5.0, -2.0])
    assert spread_of(estimates, [1.0] * 5) == pytest.approx(math.sqrt((estimates**2).mean() - 1))


def test_spread_needs_five_experiments_and_their_errors():
    assert spread_of([1.0] * 4, [1.0] * 4) == NotEstimable("fewer than 5 past experiments")
    for errors in ([1.0] * 4, [1.0, 1.0, 0.0, 1.0, 1.0]):
        with pytest.raises(ValueError, match="errors == "):
            spread_of([1.0] * 5, errors)
