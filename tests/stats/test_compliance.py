import numpy as np
import pytest
import statsmodels.api as sm

from impact.stats.compliance import cace
from impact.stats.effects import NotEstimable, difference
from impact.stats.moments import MomentTable
from impact.stats.roi import stratified


def made(take_up, n=2_000, seed=0):
    rng = np.random.default_rng(seed)
    arm = rng.choice(["t", "b"], n)
    taken = (rng.random(n) < take_up) & (arm == "t")
    value = rng.normal(0, 1, n) + 2.0 * taken
    return value, taken * 1.0, arm, MomentTable.from_arrays({"value": value, "taken": taken}, arm)


def test_it_is_the_instrumental_variable_estimate():
    value, taken, arm, table = made(0.5)
    found = cace(stratified(table, "t", "b"), 0.95)
    assigned = sm.add_constant((arm == "t") * 1.0)
    expected = sm.regression.linear_model.OLS(value, assigned).fit().params[1]
    expected /= sm.regression.linear_model.OLS(taken, assigned).fit().params[1]
    assert found.estimate == pytest.approx(expected)
    assert found.take_up == pytest.approx(taken[arm == "t"].mean())
    assert found.set.kind == "interval" and 2.0 in found.set


def test_the_set_is_anderson_rubins():
    _, _, _, table = made(0.5)
    found = cace(stratified(table, "t", "b"), 0.95)
    for x in np.linspace(1, 3, 41):
        p = difference(table, {"value": 1.0, "taken": -x}, "t", "b").p_value()
        assert (x in found.set) == (p > 0.05)


def test_too_little_take_up_to_divide_by():
    *_, table = made(0.1)
    assert cace(stratified(table, "t", "b"), 0.95) == NotEstimable("the difference in take-up isn't firmly above 0.1")
    *_, reversed_ = made(0.5)
    assert isinstance(cace(stratified(reversed_, "b", "t"), 0.95), NotEstimable)
    few = MomentTable.from_arrays({"value": [1.0], "taken": [1.0]}, ["t"])
    assert cace(stratified(few, "t", "b"), 0.95) == NotEstimable("fewer than two rows in an arm")
