"""Which of the fixed words is said when: one case a line."""

from __future__ import annotations

from typing import Any

import pytest

from impact.agreements.plan import Net, PlannedArm, PlannedMetric, Term
from impact.analysis.verdict import verdicts
from tests.analysis.ground import WORTH, plan

MONEY = {"value": [WORTH]}
PASSED = {"id": "sample_ratio", "severity": "block", "passed": True, "numbers": {}}
BLOCKED = {"id": "sample_ratio", "severity": "block", "passed": False, "numbers": {}}
WARNED = {"id": "feeds_complete", "severity": "warn", "passed": False, "numbers": {}}


def compared(effect: float, p: float, chance: float, half: float = 1.0, arm: str = "bonus", **more: Any) -> Any:
    """A comparison as the document holds it, p already adjusted."""
    ends = [effect - half, effect + half]
    return {
        "arm": arm, "baseline": "none", "status": "estimated", "effect": effect, "p_value": p, "p_adjusted": p,
        "ci": ends, "ci_adjusted": ends, "p_gt_0": chance, "always_valid": None,
    } | more  # fmt: skip


def anytime(p: float, low: float, high: float) -> Any:
    return {"always_valid": {"p_value": p, "ci": [low, high]}}


def word(block: Any, *, final: bool = True, checks: Any = (PASSED,), **changes: Any) -> str:
    found, overall = verdicts(plan(**(MONEY | changes)), [block], checks, final)
    assert [one["level"] for one in found] == [overall["level"]]
    return overall["level"]


@pytest.mark.parametrize(
    ("block", "smallest", "said"),
    [
        (compared(2, 0.001, 0.999), 0.0, "proven"),
        (compared(2, 0.05, 0.975), 0.0, "proven"),
        (compared(2, 0.051, 0.97), 0.0, "likely"),
        (compared(2, 0.2, 0.90), 0.0, "likely"),
        (compared(2, 0.201, 0.899), 0.0, "unclear"),
        (compared(0, 1.0, 0.5), 0.0, "unclear"),
        (compared(-2, 0.2, 0.1), 0.0, "unclear"),
        (compared(-2, 0.01, 0.005), 0.0, "harmful"),
        (compared(2, 0.001, 0.999), 0.9, "proven"),
        (compared(2, 0.001, 0.999), 1.1, "likely"),
        (compared(2, 0.001, 0.999) | {"status": "not_estimable", "effect": None, "p_value": None}, 0.0, "unclear"),
        (compared(2, 0.001, 1.0) | {"p_value": None, "p_adjusted": None, "ci_adjusted": None}, 0.0, "unclear"),
    ],
)
def test_at_the_planned_end(block: Any, smallest: float, said: str) -> None:
    assert word(block, smallest_effect=smallest) == said


@pytest.mark.parametrize(
    ("block", "said"),
    [
        # the planned reading alone proves nothing yet, and nothing is likely yet
        (compared(2, 0.001, 0.999), "too_early"),
        (compared(2, 0.001, 0.999, **anytime(0.06, -0.5, 4.5)), "too_early"),
        (compared(2, 0.2, 0.95, **anytime(0.9, -5, 9)), "too_early"),
        (compared(2, 0.001, 0.999, **anytime(0.04, 0.1, 3.9)), "proven"),
        (compared(-2, 0.001, 0.001, **anytime(0.04, -3.9, -0.1)), "harmful"),
        (compared(-2, 0.001, 0.001, **anytime(0.06, -4.5, 0.5)), "too_early"),
        (compared(2, 0.001, 0.999) | {"status": "not_estimable", "effect": None, "p_value": None}, "too_early"),
    ],
)
def test_before_the_end_only_the_always_valid_reading_counts(block: Any, said: str) -> None:
    assert word(block, final=False) == said


def test_before_the_end_the_comparisons_share_alpha() -> None:
    arms = [
        PlannedArm(key=key, name=key, is_baseline=key == "none", weight=1, planned_cost=0)
        for key in ("none", "bonus", "credit")
    ]
    block = compared(2, 0.001, 0.999, **anytime(0.03, 0.1, 3.9))
    assert word(block, final=False) == "proven"
    assert word(block, final=False, arms=arms) == "too_early"


def test_a_failed_blocking_check_withholds() -> None:
    found, overall = verdicts(plan(**MONEY), [compared(2, 0.001, 0.999)], [BLOCKED, WARNED], True)
    assert [one["level"] for one in found] == ["withheld"]
    assert overall == {"level": "withheld", "arm": None, "because": ["sample_ratio"]}


def test_a_warning_is_given_as_a_reason() -> None:
    _, overall = verdicts(plan(**MONEY), [compared(2, 0.001, 0.999)], [PASSED, WARNED], True)
    assert overall == {"level": "proven", "arm": "bonus", "because": ["feeds_complete"]}


def test_nothing_to_compare_withholds() -> None:
    assert verdicts(plan(**MONEY), [], [PASSED], True) == (
        [],
        {"level": "withheld", "arm": None, "because": ["nothing_to_compare"]},
    )


@pytest.mark.parametrize(
    ("first", "second", "level", "arm"),
    [
        (compared(1, 0.001, 0.999), compared(2, 0.001, 0.999, arm="credit"), "proven", "credit"),
        (compared(1.5, 0.001, 0.999), compared(9, 0.2, 0.95, arm="credit"), "proven", "bonus"),
        (compared(1.9, 0.17, 0.915), compared(-8.5, 0.001, 0.001, arm="credit"), "likely", "bonus"),
        (compared(-1, 0.5, 0.3), compared(-8.5, 0.001, 0.001, arm="credit"), "unclear", "bonus"),
        (compared(-1, 0.001, 0.001), compared(-8.5, 0.001, 0.001, arm="credit"), "harmful", "bonus"),
    ],
)
def test_the_overall_verdict_names_the_arm_to_act_on(first: Any, second: Any, level: str, arm: str) -> None:
    found, overall = verdicts(plan(**MONEY), [first, second], [PASSED], True)
    assert len(found) == 2 and (overall["level"], overall["arm"]) == (level, arm)


def test_pairs_without_the_baseline_have_no_verdict() -> None:
    other = compared(5, 0.001, 0.999, arm="credit", baseline="bonus")
    found, overall = verdicts(plan(**MONEY), [compared(1, 0.5, 0.7), other], [PASSED], True)
    assert [one["arm"] for one in found] == ["bonus"] and overall["level"] == "unclear"


def test_no_arm_wins_where_driver_and_money_disagree() -> None:
    check = {
        "id": "driver_and_money", "severity": "warn", "passed": False,
        "numbers": {"disagreeing": [{"arm": "bonus", "metric": "m"}]},
    }  # fmt: skip
    found, overall = verdicts(plan(**MONEY), [compared(2, 0.001, 0.999)], [check], True)
    assert [one["level"] for one in found] == ["proven"]
    assert overall == {"level": "unclear", "arm": None, "because": ["driver_and_money"]}
    _, overall = verdicts(plan(**MONEY), [compared(-2, 0.001, 0.001)], [check], True)
    assert (overall["level"], overall["arm"]) == ("harmful", "bonus")


@pytest.mark.parametrize(
    ("direction", "effect", "chance", "p", "said"),
    [
        ("decrease", -2, 0.0005, 0.001, "proven"),
        ("decrease", 2, 0.9995, 0.001, "harmful"),
        ("decrease", -2, 0.05, 0.1, "likely"),
        ("decrease", 2, 0.95, 0.1, "unclear"),
        ("increase", 2, 0.9995, 0.001, "proven"),
        ("increase", -2, 0.0005, 0.001, "harmful"),
    ],
)
def test_without_money_the_primary_metric_decides_in_its_direction(
    direction: Any, effect: float, chance: float, p: float, said: str
) -> None:
    metric = PlannedMetric(
        key="m", name="M", kind="mean", role="primary", direction=direction, unit="", term=Term(outcome="o")
    )
    assert word(compared(effect, p, chance), value=None, net=None, metrics=[metric]) == said


def test_less_is_better_must_beat_the_smallest_effect_too() -> None:
    metric = PlannedMetric(
        key="m", name="M", kind="mean", role="primary", direction="decrease", unit="", term=Term(outcome="o")
    )
    changes = {"value": None, "net": None, "metrics": [metric]}
    assert word(compared(-2, 0.001, 0.0005), smallest_effect=0.9, **changes) == "proven"
    assert word(compared(-2, 0.001, 0.0005), smallest_effect=1.1, **changes) == "likely"


def test_money_decides_whatever_the_metrics_direction() -> None:
    assert plan(net=Net(value=[WORTH])).metrics[0].direction == "decrease"
    assert word(compared(2, 0.001, 0.999)) == "proven"


def test_what_an_assumption_flips_is_likely_at_most() -> None:
    flips = {"id": "assumptions_hold", "severity": "warn", "passed": False, "numbers": {"flips": [{"of": "bonus"}]}}
    assert word(compared(2, 0.001, 0.999), checks=[flips]) == "likely"
    assert word(compared(2, 0.001, 0.999) | anytime(0.001, 1, 3), checks=[flips], final=False) == "too_early"
    assert word(compared(-2, 0.001, 0.001), checks=[flips]) == "harmful"
    other = flips | {"numbers": {"flips": [{"of": "credit"}]}}
    assert word(compared(2, 0.001, 0.999), checks=[other]) == "proven"
