"""The price that keeps to a budget: against linear programming, and as it is declared and decided by."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from scipy.optimize import linprog

from experiments.budgets import price_within
from experiments.models import Policy
from experiments.policies import BadPolicy, probabilities, weight, worth
from experiments.policy_checks import check_policy
from tests.conftest import START, Caller, decided, decision_row
from tests.experiments.design import apply, declared
from workspaces import clock
from workspaces.errors import Refusal
from workspaces.models import Workspace

INPUTS = {"at_stake": 300, "actions": {"bonus": {"effect": 0.1, "cost": 2}, "credit": {"effect": 0.2, "cost": 8}}}
TIME = {"since": START.isoformat(), "until": (START + timedelta(days=30)).isoformat()}
ALL = ("none", "bonus", "credit")


def content(limit: str = "amount", inputs: Any = INPUTS) -> dict[str, Any]:
    return {"inputs": inputs, "budget": {limit: 1, **TIME}}


def outcome(policy: dict[str, Any], units: list[Any]) -> tuple[float, float]:
    """What the units' actions take of the budget, and what they are worth."""
    taken = gained = 0.0
    for score, eligible in units:
        chosen = probabilities("budgeted", policy, score, eligible, "none")
        action = max(chosen, key=lambda one: chosen[one])
        taken += weight(policy, action, "none")
        gained += worth(policy["inputs"], action, score)
    return taken, gained


def best(policy: dict[str, Any], units: list[Any], most: float) -> tuple[float, float]:
    """Optimum of the linear program, and its price of the budget."""
    options = [
        [(weight(policy, action, "none"), worth(policy["inputs"], action, score)) for action in eligible]
        for score, eligible in units
    ]
    owner = np.repeat(np.arange(len(options)), [len(one) for one in options])
    takes, gains = np.array([pair for one in options for pair in one]).T
    found = linprog(
        -gains,
        A_ub=[takes],
        b_ub=[most],
        A_eq=(owner == np.arange(len(options))[:, None]).astype(float),
        b_eq=np.ones(len(options)),
        bounds=(0, 1),
    )
    return -found.fun, -found.ineqlin.marginals[0]


@pytest.mark.parametrize("limit", ["amount", "executions"])
@pytest.mark.parametrize("seed", range(30))
def test_is_the_linear_programs_optimum_up_to_one_unit(seed: int, limit: str) -> None:
    random = Random(seed)
    actions = {
        key: {"effect": random.uniform(-0.2, 0.6), "cost": random.uniform(0, 30)}
        for key in ("none", "bonus", "credit")[seed % 2 :]
    }
    policy = content(limit, {"at_stake": 300, "actions": actions})
    units = [(random.random(), ("none", *(k for k in ALL[1:] if random.random() < 0.8))) for _ in range(40)]
    takes = [[weight(policy, action, "none") for action in eligible] for _, eligible in units]
    most = sum(map(min, takes)) + random.random() * sum(map(max, takes))
    price = price_within(policy, most, units, "none")
    taken, gained = outcome(policy | {"price": price}, units)
    optimum, dual = best(policy, units, most)
    step = max(abs(worth(policy["inputs"], action, score)) for score, eligible in units for action in eligible)
    assert taken <= most + 1e-9
    assert -1e-6 <= optimum - gained <= 2 * step
    assert price >= dual - 1e-6


def test_by_hand() -> None:
    """Scores .5, .4, .3, .2: a bonus is worth 13, 10, 7, 4 for 2 each; the credit 9, 6, 3, 0 more for 6 more."""
    units = [(score, ALL) for score in (0.5, 0.4, 0.3, 0.2)]
    for most, taken in ((0, 0), (1.9, 0), (2, 2), (5.9, 4), (8, 8), (13.9, 8), (14, 14), (26, 26), (999, 26)):
        policy = content() | {"price": price_within(content(), most, units, "none")}
        assert outcome(policy, units)[0] == taken
    assert price_within(content(), 26, units, "none") == 0
    assert price_within(content(), 4, units, "none") == pytest.approx((5 + 3.5) / 2)


def test_units_that_are_alike_are_taken_together_or_not() -> None:
    units = [(0.5, ALL)] * 10
    assert outcome(content() | {"price": price_within(content(), 19.9, units, "none")}, units)[0] == 0
    assert outcome(content() | {"price": price_within(content(), 20, units, "none")}, units)[0] == 20


def test_a_budget_below_what_everything_takes_is_refused() -> None:
    inputs = {"at_stake": 1, "actions": {key: {"effect": 0, "cost": 5} for key in ALL}}
    with pytest.raises(BadPolicy) as refused:
        price_within(content(inputs=inputs), 9, [(0.5, ALL)] * 2, "none")
    assert refused.value.pointer == "/budget"


@pytest.mark.parametrize(
    ("budget", "pointer"),
    [
        (TIME, "/budget"),
        ({"amount": 1, "executions": 1, **TIME}, "/budget"),
        ({"amount": 1, "since": TIME["since"]}, "/budget"),
        ({"amount": -1, **TIME}, "/budget/amount"),
        ({"executions": True, **TIME}, "/budget/executions"),
        (5, "/budget"),
    ],
)
def test_refuses_a_budget(budget: Any, pointer: str) -> None:
    with pytest.raises(BadPolicy) as refused:
        check_policy("budgeted", {"inputs": INPUTS, "budget": budget}, ALL, "none")
    assert refused.value.pointer == pointer


# declared


POLICY = {"key": "b", "decision_point": "offer", "kind": "budgeted", "role": "champion", "inputs": INPUTS}
SCORES = [0.1 + 0.01 * number for number in range(60)]


@pytest.fixture
def lived(api: Caller, workspace: Workspace, tmp_path: Path) -> Workspace:
    """A workspace in which sixty units were decided about, a month ago."""
    declared(workspace, tmp_path)
    decided(api, [decision_row(f"c{number}", score) for number, score in enumerate(SCORES)])
    now = Workspace.objects.get(pk=workspace.pk)
    clock.advance(now, START + timedelta(days=31))
    return now


def test_the_champion_keeps_to_the_budget(api: Caller, lived: Workspace, tmp_path: Path) -> None:
    (change,) = apply(lived, tmp_path, policies=[POLICY | {"budget": {"amount": 100, **TIME}}])
    assert change.did == "created"
    rows = [decision_row(f"d{n}", score, at=START + timedelta(days=31)) for n, score in enumerate(SCORES)]
    actions = [row["decision"]["action"]["key"] for row in decided(api, rows)]
    policy = Policy.objects.get()
    assert policy.content["price"] == price_within(policy.content, 100, [(score, ALL) for score in SCORES], "none")
    spent = 2 * actions.count("bonus") + 8 * actions.count("credit")
    assert 92 < spent <= 100
    # the riskiest come first
    order = [ALL.index(action) for action in actions]
    assert order == sorted(order)


def test_the_price_stays_until_something_is_declared_otherwise(api: Caller, lived: Workspace, tmp_path: Path) -> None:
    budget = {"executions": 10, **TIME}
    apply(lived, tmp_path, policies=[POLICY | {"budget": budget}])
    decided(api, [decision_row(f"d{n}", 0.9, at=START + timedelta(days=20)) for n in range(30)])
    again = Workspace.objects.get(pk=lived.pk)
    assert apply(again, tmp_path, policies=[POLICY | {"budget": budget}])[0].did == "unchanged"
    assert apply(again, tmp_path, policies=[POLICY | {"budget": budget | {"executions": 40}}])[0].did == "changed"
    first, second = Policy.objects.order_by("version")
    assert first.content["price"] > 0 and second.content["budget"]["executions"] == 40


@pytest.mark.parametrize(
    ("budget", "pointer"),
    [
        ({"amount": 5, "since": TIME["until"], "until": TIME["since"]}, "/budget/until"),
        ({"amount": 5, "since": TIME["since"], "until": (START + timedelta(days=32)).isoformat()}, "/budget/until"),
        ({"amount": 5, "since": "2025-01-01T00:00:00Z", "until": TIME["since"]}, "/budget/since"),
        ({"amount": 5}, "/budget/since"),
        (None, ""),
    ],
)
def test_refuses_what_has_no_price(lived: Workspace, tmp_path: Path, budget: Any, pointer: str) -> None:
    with pytest.raises(Refusal) as refusal:
        apply(lived, tmp_path, policies=[POLICY | {"budget": budget}])
    assert refusal.value.pointer == pointer
