import math

import pytest

from impact.stats.effects import TEffect, difference
from impact.stats.moments import MomentTable
from impact.stats.money import (
    affordable_cost,
    break_even_effect,
    break_even_rows,
    break_even_value,
    total,
)
from impact.stats.policies import policy_difference


def test_story_a(story_a, stories):
    expected = stories["story_a"]
    columns = {"retained": 1 - story_a["churned"], "cost": story_a["cost"]}
    table = MomentTable.from_arrays(columns, story_a["arm"], story_a["band"])
    for arm in ("bonus", "credit"):
        net = difference(table, {"retained": 300.0, "cost": -1.0}, arm, "none")
        found, figures = total(net, 15_000, 0.95), expected["net"][arm]["total_on_arm"]
        assert found.estimate == pytest.approx(figures["net"], rel=1e-9)
        assert found.interval == pytest.approx([15_000 * end for end in expected["net"][arm]["ci"]], rel=1e-9)
        planned = expected["planned_cost"][arm]
        assert break_even_effect(planned, 300) == pytest.approx(
            expected["net"][arm]["break_even_churn_effect"], rel=1e-12
        )
    challenger, nobody = {"L": "bonus", "M": "credit", "H": "none"}, dict.fromkeys("LMH", "none")
    kept, spent = (policy_difference(table, {name: 1.0}, challenger, nobody) for name in ("retained", "cost"))
    flips_at = expected["break_even_value_per_retained_customer"]
    assert break_even_value(kept, spent) == pytest.approx(flips_at, rel=1e-9)


def effect(estimate, se=1.0):
    return TEffect(estimate, se, math.inf, "x")


def test_a_fixed_cost_comes_off_the_total():
    found = total(effect(2.0), 100, 0.95, fixed=50)
    assert found.estimate == 150
    assert found.interval == pytest.approx((100 * (2 - 1.959964) - 50, 100 * (2 + 1.959964) - 50))


def test_rows_that_pay_for_a_fixed_cost():
    rows, (fewest, most) = break_even_rows(effect(4.0), 1_000, 0.95)
    assert rows == 250
    assert (fewest, most) == pytest.approx((1_000 / 5.959964, 1_000 / 2.040036))
    assert break_even_rows(effect(1.0), 1_000, 0.95)[1][1] == math.inf
    assert break_even_rows(effect(-3.0), 1_000, 0.95) == (math.inf, (math.inf, math.inf))
    with pytest.raises(ValueError, match="fixed == 0"):
        break_even_rows(effect(1.0), 0, 0.95)


def test_what_an_action_may_cost():
    assert affordable_cost(effect(3.0)) == 3.0
    assert affordable_cost(effect(3.0), rows=1_000, fixed=500) == 2.5


def test_no_value_balances_a_loss():
    assert break_even_value(effect(-0.1), effect(3.0)) is None
    assert break_even_value(effect(0.0), effect(3.0)) is None
    assert break_even_value(effect(-0.1), effect(-3.0)) == pytest.approx(30)


def test_refuses_what_makes_no_sense():
    with pytest.raises(ValueError, match="value == 0"):
        break_even_effect(1.0, 0)
