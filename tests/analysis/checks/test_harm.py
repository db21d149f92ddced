"""Harm: each check passes on one small example and fails on another."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from impact.agreements.plan import MONEY, PlannedMetric, Term
from impact.analysis import checks
from impact.analysis.looked import Looked, Week
from impact.analysis.measure import Family
from impact.stats.effects import TEffect
from impact.stats.margins import non_inferiority
from impact.stats.moments import MomentTable
from tests.analysis.checks.ground import compared, finding, money, seen
from tests.analysis.ground import plan


def parts(effects: dict[str, float], phase: bool = False) -> dict[str, Any]:
    """A bonus that earns so much in each part, with a little noise."""
    names = np.array([name for name in effects for _ in range(40)])
    arm = np.array(["none", "bonus"] * (names.size // 2))
    value = np.array([effects[name] for name in names]) * (arm == "bonus") + np.arange(names.size) % 7 / 10
    cells = {"phase" if phase else "stratum": names}
    table = MomentTable.from_arrays({"value": value, "cost": np.zeros(names.size)}, arm, **cells)
    return {MONEY: Family(("value", "cost"), (), table, None, {})}


@pytest.mark.parametrize(
    ("effects", "harmed"),
    [
        ({"L": 5.0, "H": 1.0}, []),
        ({"L": 5.0, "H": -2.0}, [{"arm": "bonus", "stratum": "H"}]),
        ({"L": 5.0, "H": -0.01}, []),
    ],
)
def test_no_stratum_must_be_harmed_by_what_does_good(effects: dict[str, float], harmed: Any) -> None:
    earned = money(2, 0.01)
    found = finding(checks.strata_unharmed, seen(families=parts(effects), money=earned))
    assert (found.severity, found.passed, found.numbers) == ("warn", not harmed, {"harmed": harmed})
    assert checks.strata_unharmed(seen(families=parts({"L": 1.0}), money=earned)) is None
    assert checks.strata_unharmed(seen(families=parts(effects), money=money(-2, 0.01))) is None
    assert checks.strata_unharmed(seen(families=parts(effects))) is None


@pytest.mark.parametrize(("second", "passed"), [(1.0, True), (-2.0, False)])
def test_phases_must_agree_with_all_together(second: float, passed: bool) -> None:
    families = parts({"1": 5.0, "2": second}, phase=True)
    found = finding(checks.phases_agree, seen(families=families, money=money(2, 0.01)))
    assert (found.severity, found.passed, found.numbers) == ("warn", passed, {"arms": [] if passed else ["bonus"]})
    assert checks.phases_agree(seen(families=parts({"1": 5.0}, phase=True), money=money(2, 0.01))) is None


@pytest.mark.parametrize(
    ("direction", "effect", "passed"),
    [
        ("decrease", 3.1, False),
        ("decrease", 2.9, True),
        ("decrease", -9.0, True),
        ("increase", -3.1, False),
        ("increase", -2.9, True),
        ("increase", 9.0, True),
    ],
)
def test_a_guardrail_holds_up_to_its_margin(direction: Any, effect: float, passed: bool) -> None:
    """With a margin of 2 and intervals of one to each side."""
    guarded = PlannedMetric(
        key="calls", name="Calls", kind="mean", role="guardrail", direction=direction, unit="",
        term=Term(outcome="called"), margin=2.0,
    )  # fmt: skip
    better: Any = "less" if direction == "decrease" else "more"
    # the interval ends one to each side
    told = non_inferiority(TEffect(effect, 1 / 1.959964, np.inf, "welch"), 2.0, better, 0.95)
    comparison = compared(effect, 0.5, non_inferiority=told._asdict())
    metrics = [{"key": "calls", "role": "guardrail", "direction": direction, "comparisons": [comparison]}]
    found = finding(checks.guardrails_hold, seen(plan(metrics=[guarded]), metrics=metrics))
    assert (found.severity, found.passed) == ("block", passed)
    assert found.numbers == {"broken": [] if passed else [{"arm": "bonus", "metric": "calls"}]}
    assert checks.guardrails_hold(seen()) is None


def weekly(*effects: float, rows: int = 50, variance: float = 1.0) -> dict[str, Any]:
    """Weeks in which the bonus earns so much."""
    weeks = [
        Week(arm, week, rows, effect if arm == "bonus" else 0.0, variance)
        for week, effect in enumerate(effects)
        for arm in ("bonus", "none")
    ]
    return {"looked": Looked(weeks=weeks)}


@pytest.mark.parametrize(
    ("effects", "passed"), [((5.0, 5.1, 4.9, 5.0), True), ((5.0, 4.0, 3.0, 2.0), False), ((0.0, 1.0, 2.0), False)]
)
def test_an_effect_must_last(effects: tuple[float, ...], passed: bool) -> None:
    found = finding(checks.effect_lasts, seen(money=money(3, 0.01), **weekly(*effects)))
    assert (found.severity, found.passed) == ("warn", passed)
    if not passed:
        [trend] = found.numbers["trends"]
        assert (trend["first"], trend["last"]) == (pytest.approx(effects[0]), pytest.approx(effects[-1]))


def test_a_trend_needs_weeks_and_rows() -> None:
    earned = money(3, 0.01)
    assert checks.effect_lasts(seen(money=earned, **weekly(5.0, 1.0))) is None
    assert checks.effect_lasts(seen(money=earned, **weekly(5.0, 3.0, 1.0, rows=19))) is None
    assert checks.effect_lasts(seen(**weekly(5.0, 3.0, 1.0))) is None
    assert finding(checks.effect_lasts, seen(money=earned, **weekly(5.0, 3.0, 1.0, variance=0.0))).passed
