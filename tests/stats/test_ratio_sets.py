import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from impact.stats.effects import NotEstimable, TEffect
from impact.stats.ratio_sets import RatioSet, fieller, inverted

size = st.floats(-10, 10).filter(lambda x: abs(x) > 1e-3)


@given(size, size, st.floats(0.01, 5), st.floats(0.01, 5), st.floats(-0.95, 0.95), st.floats(0.5, 3))
@settings(max_examples=300, deadline=None)
def test_fieller_is_every_ratio_that_is_not_rejected(a, b, sa, sb, correlation, q):
    covariance = correlation * sa * sb
    found = fieller(a, b, sa**2, sb**2, covariance, q)
    assert a / b in found
    for x in np.tan(np.linspace(-1.5, 1.5, 41)):
        z = (a - x * b) / math.sqrt(sa**2 - 2 * x * covariance + x**2 * sb**2)
        if abs(abs(z) - q) > 1e-6:
            assert (x in found) == (abs(z) <= q)


def test_the_three_kinds():
    assert fieller(2, 1, 0.01, 0.01, 0, 2).kind == "interval"
    assert fieller(2, 0.1, 0.01, 0.01, 0, 2).kind == "rays"
    assert fieller(0.1, 0.1, 0.01, 0.01, 0, 2).kind == "line"
    rays, line = RatioSet("rays", (-1.0, 2.0)), RatioSet("line", ())
    assert -2 in rays and 3 in rays and 0 not in rays and 1e9 in line
    assert rays.shifted(-1.0) == RatioSet("rays", (-2.0, 1.0))


def test_a_known_denominator_divides_the_interval():
    found = fieller(3, 7, 0.04, 0, 0, 1.96)
    assert found.bounds == pytest.approx([(3 - 1.96 * 0.2) / 7, (3 + 1.96 * 0.2) / 7])


@given(size, size)
def test_without_any_error_it_is_the_ratio(a, b):
    found = fieller(a, b, 0.0, 0.0, 0.0, 2.0)
    assert found.kind == "interval"
    assert found.bounds == pytest.approx((a / b, a / b), rel=1e-6)


def test_no_denominator_at_all_leaves_every_ratio():
    assert fieller(1, 0, 0.1, 0, 0, 2) == RatioSet("line", ())


def test_a_single_ray_between_interval_and_rays():
    up, down = fieller(1, 1, 1, 1, 0, 1), fieller(-1, 1, 1, 1, 0, 1)
    assert 0 in up and 10 in up and -0.1 not in up
    assert 0 in down and -10 in down and 0.1 not in down


def test_of_the_reference(reference):
    gold = reference["expected"]["roi"]["gold_roi"]
    found = fieller(
        gold["delta_value"],
        gold["delta_cost"],
        gold["se_delta_value"] ** 2,
        gold["se_delta_cost"] ** 2,
        gold["cov"],
        float(stats.norm.ppf(0.975)),
    )
    assert found.shifted(-1.0).bounds == pytest.approx(gold["roi_ci_fieller_z"], rel=1e-9)


def estimator(value, cost, covariance, df=10.0):
    def estimate(contrast):
        v, c = contrast.get("v", 0.0), contrast.get("c", 0.0)
        square = v * v * value[1] ** 2 + c * c * cost[1] ** 2 + 2 * v * c * covariance
        return TEffect(v * value[0] + c * cost[0], math.sqrt(max(square, 0.0)), df + 5 * abs(c), "welch")

    return estimate


@pytest.mark.parametrize(("cost", "kind"), [(3.0, "interval"), (0.5, "rays")])
def test_each_end_is_rejected_at_its_own_degrees_of_freedom(cost, kind):
    estimate = estimator((4.0, 0.5), (cost, 0.5), 0.1)
    found = inverted(estimate, "v", "c", 0.95)
    assert found.set.kind == kind
    for end in found.set.bounds:
        there = estimate({"v": 1.0, "c": -end})
        assert there.p_value() == pytest.approx(0.05, rel=1e-9)
    assert found.covariance == pytest.approx(0.1)
    assert (found.g < 1) == (kind == "interval")


def test_reasons():
    assert inverted(lambda _: NotEstimable("few"), "v", "c", 0.95) == NotEstimable("few")
    found = inverted(estimator((1.0, 0.0), (2.0, 0.0), 0.0), "v", "c", 0.95)
    assert found == NotEstimable("neither v nor c varies in either arm")
    assert inverted(estimator((1.0, 1.0), (0.0, 0.0), 0.0), "v", "c", 0.95).g == math.inf
