"""Spending: each check passes on one small example and fails on another."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from impact.agreements.plan import MONEY
from impact.analysis import checks
from impact.analysis.measure import Family
from impact.stats.moments import MomentTable
from tests.analysis.checks.ground import compared, finding, seen
from tests.analysis.ground import WORTH, plan


def incentive(effect: float, half: float, take_up: float | None, direction: str = "decrease") -> Any:
    planned = plan(value=[WORTH])
    planned.arms[1] = replace_contingent(planned.arms[1])
    driver = {
        "key": "m", "role": "driver", "kind": "proportion", "direction": direction,
        "comparisons": [compared(effect, 0.01) | {"ci": [effect - half, effect + half]}],
    }  # fmt: skip
    cace = take_up and {"take_up": take_up}
    money = {"comparisons": [{"arm": "bonus", "baseline": "none", "cace": cace}]}
    return seen(planned, metrics=[driver], money=money)


def replace_contingent(arm: Any) -> Any:
    import msgspec

    return msgspec.structs.replace(arm, contingent=0.7)


@pytest.mark.parametrize(
    ("effect", "half", "direction", "share", "least"),
    [
        # story A's bonus: 1.2 of 35 points who accept it
        (-0.012, 0.009, "decrease", 1 - 0.012 / 0.35, 1 - 0.021 / 0.35),
        (0.012, 0.009, "increase", 1 - 0.012 / 0.35, 1 - 0.021 / 0.35),
        (0.02, 0.009, "decrease", 1.0, 1.0),
    ],
)
def test_who_would_have_stayed_anyway_is_paid(
    effect: float, half: float, direction: str, share: float, least: float
) -> None:
    found = finding(checks.incentive_leaks, incentive(effect, half, 0.35, direction))
    assert (found.severity, found.passed) == ("warn", False)
    [leak] = found.numbers["leaks"]
    assert leak == {"arm": "bonus", "share": pytest.approx(share), "least": pytest.approx(least)}


def test_an_incentive_that_may_have_changed_half_passes() -> None:
    assert finding(checks.incentive_leaks, incentive(-0.15, 0.04, 0.35)).passed
    assert checks.incentive_leaks(incentive(-0.15, 0.04, None)) is None
    plain = incentive(-0.01, 0.01, 0.35)
    assert checks.incentive_leaks(replace(plain, plan=plan(value=[WORTH]))) is None
    assert checks.incentive_leaks(seen()) is None


def spent(*, high: float, low: float) -> dict[str, Any]:
    """Forty customers in each of two bands: the bonus costs more in H, and moves the value by so much in each."""
    arm = np.array(["none", "bonus"] * 40)
    stratum, treated = np.array(["H"] * 40 + ["L"] * 40), arm == "bonus"
    noise, in_high = np.arange(80) % 7 / 10, stratum == "H"
    value = noise + treated * np.where(in_high, high, low)
    cost = treated * np.where(in_high, 5.0, 1.0)
    table = MomentTable.from_arrays({"value": value, "cost": cost}, arm, stratum)
    return {MONEY: Family(("value", "cost"), (), table, None, {})}


@pytest.mark.parametrize(("high", "low", "passed"), [(3, 0, True), (0, 3, False), (-3, 0, True)])
def test_where_most_is_spent_value_must_move(high: float, low: float, passed: bool) -> None:
    money = {"comparisons": []}
    found = finding(checks.spent_without_effect, seen(money=money, families=spent(high=high, low=low)))
    assert (found.severity, found.passed) == ("info", passed)
    assert found.numbers == {"idle": [] if passed else [{"arm": "bonus", "stratum": "H"}]}
    assert checks.spent_without_effect(seen(families=spent(high=high, low=low))) is None
    assert checks.spent_without_effect(seen(money=money)) is None
