"""Money: each check passes on one small example and fails on another."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from impact.agreements.plan import MONEY, Case, PlannedArm
from impact.analysis import checks
from impact.analysis.looked import Looked, Tail
from impact.analysis.measure import Family
from impact.stats.moments import MomentTable
from tests.analysis.checks.ground import compared, finding, money, seen
from tests.analysis.ground import WORTH, plan


def driver(effect: float, p: float, direction: str = "decrease") -> list[dict[str, Any]]:
    return [{"key": "m", "role": "driver", "direction": direction, "comparisons": [compared(effect, p)]}]


@pytest.mark.parametrize(
    ("moved", "earned", "direction", "passed"),
    [
        ((-3, 0.01), (-5, 0.01), "decrease", False),
        ((3, 0.01), (5, 0.01), "decrease", False),
        ((-3, 0.01), (5, 0.01), "decrease", True),
        ((-3, 0.06), (-5, 0.01), "decrease", True),
        ((-3, 0.01), (-5, 0.06), "decrease", True),
        ((3, 0.01), (-5, 0.01), "increase", False),
        ((3, 0.01), (5, 0.01), "increase", True),
    ],
)
def test_driver_and_money_must_agree_where_both_are_settled(
    moved: Any, earned: Any, direction: str, passed: bool
) -> None:
    found = finding(checks.driver_and_money, seen(metrics=driver(*moved, direction), money=money(*earned)))
    assert (found.severity, found.passed) == ("warn", passed)
    assert found.numbers == {"disagreeing": [] if passed else [{"arm": "bonus", "metric": "m"}]}
    assert checks.driver_and_money(seen(metrics=driver(*moved))) is None


@pytest.mark.parametrize(("net", "passed"), [(-500.0, True), (-500.1, False), (9.0, True)])
def test_a_loss_must_stay_within_its_cap(net: float, passed: bool) -> None:
    lost = money(-1, 0.5)
    lost["comparisons"][0]["total"] = {"net": net}
    found = finding(checks.loss_cap, seen(plan(value=[WORTH], case=Case(loss_cap=500.0)), money=lost))
    assert (found.severity, found.passed) == ("block", passed)
    assert found.numbers == {"lost": max(0.0, -net), "cap": 500.0}
    assert checks.loss_cap(seen(money=lost)) is None
    assert checks.loss_cap(seen(plan(value=[WORTH], case=Case(loss_cap=500.0)))) is None


def in_segments(*, churn: float, net: float) -> dict[str, Any]:
    """Forty customers of a band: how the bonus moves churn and the money there, with a little noise."""
    arm = np.array(["none", "bonus"] * 20)
    noise, treated = np.arange(40) % 7 / 10, arm == "bonus"
    money_of = MomentTable.from_arrays({"value": net * treated + noise, "cost": np.zeros(40)}, arm)
    moved = MomentTable.from_arrays({"metric m": churn * treated + noise}, arm)
    return {
        MONEY: Family(("value", "cost"), (), money_of, None, {"score_band": {"L": money_of}}),
        "m": Family(("metric m",), (), moved, None, {"score_band": {"L": moved}}),
    }


@pytest.mark.parametrize(
    ("churn", "net", "passed"), [(3, 5, False), (-3, -5, False), (-3, 5, True), (0.01, 5, True), (3, 0.01, True)]
)
def test_driver_and_money_must_agree_in_every_agreed_segment(churn: float, net: float, passed: bool) -> None:
    agreed, families = plan(value=[WORTH], agreed_segments=["score_band"]), in_segments(churn=churn, net=net)
    found = finding(checks.driver_and_money_by_segment, seen(agreed, money=money(5, 0.5), families=families))
    assert (found.severity, found.passed) == ("warn", passed)
    assert found.numbers == {"opposed": [] if passed else [{"arm": "bonus", "metric": "m", "value": "L"}]}
    for planned, earned in ((plan(value=[WORTH]), money(5, 0.5)), (agreed, None)):
        assert checks.driver_and_money_by_segment(seen(planned, money=earned, families=families)) is None


FLIP = {"assumption": "kept", "flips_at": 190.6, "inside": True}


@pytest.mark.parametrize(("inside", "passed"), [(True, False), (False, True)])
def test_an_assumption_must_not_flip_the_decision_in_its_range(inside: bool, passed: bool) -> None:
    planned = plan(value=[WORTH], case=Case(assumptions=[{"key": "kept"}]))
    earned = money(5, 0.01)
    earned["comparisons"][0]["flips"] = [FLIP | {"inside": inside}]
    found = finding(checks.assumptions_hold, seen(planned, money=earned))
    assert (found.severity, found.passed) == ("warn", passed)
    assert found.numbers == {"flips": [] if passed else [{"of": "bonus"} | FLIP]}
    of_policy = replace(seen(planned, money=money(5, 0.01)), statement={"policy": "p", "tornado": [FLIP]})
    assert finding(checks.assumptions_hold, of_policy).numbers["flips"][0]["of"] == "p"
    assert checks.assumptions_hold(seen(planned)) is None
    assert checks.assumptions_hold(seen(money=money(5, 0.01))) is None


@pytest.mark.parametrize(("estimated", "passed"), [(0.0, True), (20.0, True), (20.1, False)])
def test_costs_must_be_booked(estimated: float, passed: bool) -> None:
    found = finding(checks.cost_booked, seen(estimated_cost=estimated))
    assert (found.severity, found.passed, found.statistic) == ("warn", passed, estimated / 100)


def test_costs_are_not_asked_for_where_there_are_none() -> None:
    assert checks.cost_booked(seen(total_cost=0.0)) is None
    assert checks.cost_booked(seen(plan())) is None
    assert checks.cost_booked(seen(plan(value=[WORTH], origin="loaded"), estimated_cost=100.0)) is None


def test_a_cost_without_variance_is_told() -> None:
    found = finding(checks.cost_varies, seen(money=money(1, 0.1, se=0.0)))
    assert (found.severity, found.passed, found.numbers) == ("info", False, {"arms": ["bonus"]})
    assert checks.cost_varies(seen(money=money(1, 0.1, se=0.5))) is None
    assert checks.cost_varies(seen(money=money(1, 0.1, se=0.0, cost=0.0))) is None
    assert checks.cost_varies(seen()) is None


def capped(earns: float, share: float) -> dict[str, Any]:
    """What the bonus earns with its largest values capped, and the share of value that lay beyond."""
    arm = np.array(["none", "bonus"] * 20)
    value = earns * (arm == "bonus") + np.arange(40) % 7 / 10
    table = MomentTable.from_arrays({"capped": value, "cost": np.zeros(40)}, arm)
    return {"looked": Looked(tail=Tail(5100.0, share, table))}


@pytest.mark.parametrize(
    ("earns", "share", "passed", "arms"),
    [(5, 0.2, True, []), (-5, 0.2, False, ["bonus"]), (5, 0.21, False, [])],
)
def test_few_rows_must_not_decide(earns: float, share: float, passed: bool, arms: list[str]) -> None:
    found = finding(checks.few_rows_decide, seen(money=money(3, 0.01), **capped(earns, share)))
    assert (found.severity, found.passed, found.numbers["arms"]) == ("warn", passed, arms)
    assert checks.few_rows_decide(seen(money=money(3, 0.01))) is None
    assert checks.few_rows_decide(seen(**capped(earns, share))) is None


@pytest.mark.parametrize(
    ("spent", "missing"),
    [
        ({"sms": {"bonus": 30, "credit": 1}}, []),
        ({"sms": {"bonus": 30}}, [{"arm": "credit", "category": "sms"}]),
        # what only arms without a planned cost have is missing nowhere
        ({"sms": {"bonus": 30, "credit": 30}, "call": {"none": 2}}, []),
    ],
)
def test_a_category_must_be_booked_in_every_arm_that_costs(spent: Any, missing: Any) -> None:
    costs = {"none": 0.0, "bonus": 1.7, "credit": 17.5}
    arms = [
        PlannedArm(key=key, name=key, is_baseline=key == "none", weight=1, planned_cost=cost)
        for key, cost in costs.items()
    ]
    planned, known = plan(value=[WORTH], arms=arms), {"mature_by_arm": dict.fromkeys(costs, 30)}
    found = finding(checks.cost_categories, seen(planned, looked=Looked(spent=spent), **known))
    assert (found.severity, found.passed, found.numbers) == ("warn", not missing, {"missing": missing})
    assert checks.cost_categories(seen(planned)) is None
    assert checks.cost_categories(seen(looked=Looked(spent=spent), **known)) is None
