import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from impact.stats.tails import cap, capped_net, rows_for_normality, shape, skewness, top_share

values = st.lists(st.integers(-1000, 1000).map(float), min_size=2, max_size=50)


@given(values)
def test_skewness_agrees_with_scipy(found):
    expected = stats.skew(found) if np.ptp(found) else 0.0
    assert skewness(found) == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_the_cap_is_a_pooled_quantile_and_costs_stay():
    value = np.array([0.0, 0.0, 10.0, 20.0, 1000.0])
    at = cap(value, 0.75)
    assert at == 20.0
    assert cap(value, 0.9) == pytest.approx(20 + 0.6 * 980)
    assert list(capped_net(value, [1.0] * 5, at)) == [-1, -1, 9, 19, 19]
    with pytest.raises(ValueError, match=r"quantile == 1\.0"):
        cap(value, 1.0)


def test_top_share():
    sizes = np.ones(2000)
    sizes[:2] = -1001.0
    assert top_share(sizes) == pytest.approx(2002 / 4000)
    assert top_share([0.0, 5.0]) == 1.0
    assert math.isnan(top_share([0.0, 0.0]))


def test_rule_for_the_normal_mean():
    assert rows_for_normality(2.0) == rows_for_normality(-2.0) == 1420.0
    assert skewness(np.full(10, 0.1)) == 0


def test_the_shape_is_that_around_the_means_of_arms_and_strata():
    rng = np.random.default_rng(3)
    stratum, treated = np.repeat(["a", "b"], 200), np.tile([True, False], 200)
    y = rng.exponential(np.where(treated, 3.0, 1.0)) + 100 * (stratum == "b") + 7 * treated
    left = y - [y[(treated == t) & (stratum == s)].mean() for t, s in zip(treated, stratum, strict=True)]
    found = shape(y, treated, stratum)
    assert found.skew == pytest.approx(max(abs(stats.skew(left[treated])), abs(stats.skew(left[~treated]))))
    assert found.spread == pytest.approx(left[treated].std() / left[~treated].std())
    assert shape([1.0, 1.0, 2.0, 3.0], [True, True, False, False]).spread == math.inf
    assert shape([1.0, 1.0, 1.0], [True, True, False]) == (0.0, 1.0)
