import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from impact.stats.boundaries import bounds, exits, inflation, obrien_fleming

SPENDING = {
    "ldof": obrien_fleming,
    "ldpocock": lambda t, a: a * math.log(1 + (math.e - 1) * t),
    "linear": lambda t, a: a * t,
    "power2": lambda t, a: a * t**2,
    "hsd-4": lambda t, a: a * (1 - math.exp(4 * t)) / (1 - math.exp(4)),
}


def equal(looks):
    return [(look + 1) / looks for look in range(looks)]


def test_spending_of_the_reference(reference):
    for name, expected in reference["group_sequential"]["spending"].items():
        kind, looks, alpha, convention = name.split("|")
        fractions = [float(t) for t in looks[2:].split(",")] if looks[0] == "t" else equal(int(looks[2:]))
        spending = SPENDING[kind]
        if convention == "whole_alpha":
            spending = lambda t, a: obrien_fleming(t, 2 * a) / 2  # noqa: E731
        found = bounds(fractions, float(alpha.split("=")[1]), spending=spending)
        # what is spent at t = .1 is 1.4e-12: the reference takes it from 1, ours from 0
        assert found == pytest.approx(expected, rel=2e-6 if fractions[0] == 0.1 and kind == "ldof" else 1e-9), name
        assert found[1:] == pytest.approx(expected[1:], rel=1e-6)


def test_first_look_at_a_tenth_is_exact_where_the_reference_cancels():
    tail = 2 * special.ndtr(special.ndtri(0.0125) / math.sqrt(0.1))
    assert bounds([0.1], 0.05)[0] == pytest.approx(-special.ndtri(tail), rel=1e-12)


def test_classic_designs_of_the_reference(reference):
    for name, expected in reference["group_sequential"]["classic"].items():
        looks, alpha = int(name.split("|")[1][2:]), float(name.split("=")[-1])
        above, below = exits(expected["z"], equal(looks))
        assert above + below == pytest.approx(np.array(expected["exit"]), rel=1e-9)
        assert (above + below).sum() == pytest.approx(alpha, rel=1e-9)


def test_inflation_of_the_reference(reference):
    sequential = reference["group_sequential"]
    for kind, key in (("obf", "obf5_inflation_factor_power80"), ("pocock", "pocock5_inflation_factor_power80")):
        limits = sequential["classic"][f"{kind}|K=5|alpha=0.05"]["z"]
        assert inflation(limits, equal(5), 0.05, 0.8) == pytest.approx(sequential[key], rel=1e-9)
    assert inflation([1.959963984540054], [1.0], 0.05, 0.8) == pytest.approx(1, rel=1e-5)


@given(st.lists(st.floats(0.01, 0.4), min_size=1, max_size=8), st.floats(0.001, 0.2))
@settings(max_examples=40, deadline=None)
def test_everything_is_spent_and_no_more(steps, alpha):
    fractions = list(np.cumsum(steps))
    limits = bounds(fractions, alpha, final=True)
    above, below = exits(limits, fractions)
    assert above == pytest.approx(below, rel=1e-9, abs=1e-15)
    assert (above + below).sum() == pytest.approx(alpha, rel=1e-6)


@given(st.lists(st.floats(0.05, 0.4), min_size=2, max_size=6))
@settings(max_examples=20, deadline=None)
def test_later_looks_change_no_earlier_bound(steps):
    fractions = list(np.cumsum(steps))
    assert bounds(fractions, 0.05)[:-1] == pytest.approx(bounds(fractions[:-1], 0.05), rel=1e-9)


def test_agrees_with_the_multivariate_normal():
    fractions, limits = [0.3, 0.5, 1.0], [2.4, 2.2, 2.0]
    correlation = [[math.sqrt(min(s, t) / max(s, t)) for s in fractions] for t in fractions]
    drift = 1.3
    mean = [drift * math.sqrt(t) for t in fractions]
    normal = stats.multivariate_normal(mean, correlation, seed=0, abseps=1e-8)
    inside = normal.cdf(limits, lower_limit=[-x for x in limits])
    above, below = exits(limits, fractions, drift)
    assert above.sum() + below.sum() == pytest.approx(1 - inside, abs=1e-6)


def test_a_plan_that_is_overrun_or_cut_short():
    over = bounds([0.2, 0.4, 1.2, 1.3], 0.05)
    assert over[3] == math.inf
    assert over[:2] == pytest.approx(bounds([0.2, 0.4], 0.05))
    above, below = exits(over[:3], [0.2, 0.4, 1.2])
    assert (above + below).sum() == pytest.approx(0.05, rel=1e-9)
    assert bounds([0.2, 0.4], 0.05, final=True)[1] < bounds([0.2, 0.4], 0.05)[1]


def test_two_looks_at_all_but_the_same_data_are_one():
    both = bounds([0.4, 0.400_000_1], 0.05, final=True)
    above, _ = exits([both[1]], [0.4])
    assert above.sum() == pytest.approx(0.025, rel=1e-9)
    assert bounds([0.2, 0.5], 0.05) == pytest.approx(
        [bounds([0.2, 0.2 + 1e-7, 0.5], 0.05)[i] for i in (0, 2)], rel=1e-6
    )


def test_nothing_to_spend_is_an_infinite_bound():
    assert bounds([1e-4], 0.05) == [math.inf]


@pytest.mark.parametrize("fractions", [[], [0.0, 0.5], [0.5, 0.5], [0.5, 0.4], [-0.1]])
def test_refuses_fractions_that_do_not_rise(fractions):
    with pytest.raises(ValueError, match="must be above 0 and rising"):
        bounds(fractions, 0.05)


def test_refuses_alpha_outside():
    with pytest.raises(ValueError, match=r"alpha == 1.2, must be in \(0, 1\)"):
        bounds([0.5], 1.2)
