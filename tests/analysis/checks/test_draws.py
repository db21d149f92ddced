"""Draws: each check passes on one small example and fails on another."""

from __future__ import annotations

from typing import Any

import pytest

from impact.analysis import checks
from impact.analysis.looked import Looked
from impact.analysis.measure import Assigned
from tests.analysis.checks.ground import finding, seen, weighted
from tests.analysis.ground import plan


@pytest.mark.parametrize(
    ("none", "bonus", "weights", "passed"),
    [
        (30, 30, {"none": 1, "bonus": 1}, True),
        (40, 20, {"none": 1, "bonus": 1}, True),
        (52, 8, {"none": 1, "bonus": 1}, False),
        (52, 8, {"none": 9, "bonus": 1}, True),
        (30, 30, {"none": 9, "bonus": 1}, False),
    ],
)
def test_arms_must_have_the_sizes_of_their_draws(none: int, bonus: int, weights: Any, passed: bool) -> None:
    total, keys = sum(weights.values()), {"none": none, "bonus": bonus}
    assigned = [Assigned("", "1", arm, keys[arm], keys[arm] * weights[arm] / total) for arm in keys]
    found = finding(checks.sample_ratio_overall, seen(plan(arms=weighted(**weights)), assigned=assigned))
    assert (found.severity, found.passed) == ("block", passed)
    assert found.numbers["expected"] == {arm: pytest.approx(60 * weights[arm] / total) for arm in weights}


def test_the_alarm_is_at_one_in_a_thousand() -> None:
    """Pearson's statistic of one degree of freedom: 10.83 at p = .001."""
    for more, passed in ((52, True), (53, False)):
        keys = {"none": 500 + more, "bonus": 500 - more}
        assigned = [Assigned("", "1", arm, n, n / 2) for arm, n in keys.items()]
        found = finding(checks.sample_ratio_overall, seen(assigned=assigned))
        assert found.passed is passed and found.statistic == pytest.approx(more**2 / 250)


def test_sizes_are_unknown_without_weights_or_propensities() -> None:
    three = plan(arms=weighted(none=None, bonus=None, credit=None))
    found = finding(checks.sample_ratio_overall, seen(three))
    assert (found.severity, found.passed, found.numbers["unknown"]) == ("info", False, True)


def test_two_arms_may_be_expected_by_their_propensities() -> None:
    assigned = [Assigned("", "1", "none", 48, 0.8 * 48), Assigned("", "1", "bonus", 12, 0.2 * 12)]
    found = finding(checks.sample_ratio_overall, seen(plan(arms=weighted(none=None, bonus=None)), assigned=assigned))
    assert found.passed
    assert found.numbers["expected"] == {"none": pytest.approx(48), "bonus": pytest.approx(12)}


def ramped(first: tuple[int, int], second: tuple[int, int]) -> list[Assigned]:
    """Keys of a phase of 9 to 1 and of one of 1 to 1, each with the propensity it was drawn with."""
    return [
        Assigned("", phase, arm, n, n * share)
        for phase, keys, shares in (("1", first, (0.9, 0.1)), ("2", second, (0.5, 0.5)))
        for arm, n, share in zip(("none", "bonus"), keys, shares, strict=True)
        if n
    ]


@pytest.mark.parametrize(
    ("first", "second", "passed"),
    [((900, 100), (500, 500), True), ((900, 100), (560, 440), True), ((900, 100), (600, 400), False)],
)
def test_each_phase_expects_what_was_logged_in_it(first: Any, second: Any, passed: bool) -> None:
    """The weights of the start, 9 to 1, would call any ramp a mistake."""
    nine = plan(arms=weighted(none=9, bonus=1))
    found = finding(checks.sample_ratio_overall, seen(nine, assigned=ramped(first, second)))
    assert found.passed is passed
    assert found.numbers["expected"] == {"none": pytest.approx(1400), "bonus": pytest.approx(600)}


def test_an_arm_that_nobody_was_drawn_into_was_expected_all_the_same() -> None:
    nine = plan(arms=weighted(none=9, bonus=1))
    found = finding(checks.sample_ratio_overall, seen(nine, assigned=ramped((900, 100), (100, 0))))
    assert found.numbers["expected"] == {"none": pytest.approx(950), "bonus": pytest.approx(150)}
    assert not found.passed


def test_no_rows_have_no_ratio() -> None:
    assert checks.sample_ratio_overall(seen(assigned=[])) is None


def test_a_stratum_with_other_sizes_is_a_warning() -> None:
    even = [Assigned(stratum, "1", arm, 50, 25.0) for stratum in ("high", "low") for arm in ("none", "bonus")]
    passed = finding(checks.sample_ratio_by_stratum, seen(assigned=even))
    assert (passed.severity, passed.passed, passed.numbers["strata"]) == ("warn", True, 2)
    odd = [*even[:2], Assigned("low", "1", "none", 90, 45.0), Assigned("low", "1", "bonus", 10, 5.0)]
    failed = finding(checks.sample_ratio_by_stratum, seen(assigned=odd))
    assert not failed.passed and failed.numbers["stratum"] == "low"
    assert checks.sample_ratio_by_stratum(seen()) is None


@pytest.mark.parametrize(
    ("none", "bonus", "logged", "passed"),
    [
        (300, 300, 0.5, True),
        (330, 270, 0.5, True),
        (360, 240, 0.5, False),
        (300, 300, 0.2, False),
        (480, 120, 0.2, True),
    ],
)
def test_arms_must_be_drawn_as_logged(none: int, bonus: int, logged: float, passed: bool) -> None:
    assigned = [
        Assigned("", "1", "none", none, none * (1 - logged)),
        Assigned("", "1", "bonus", bonus, bonus * logged),
    ]
    found = finding(checks.propensity_logged, seen(assigned=assigned))
    assert (found.severity, found.passed) == ("block", passed)
    assert checks.propensity_logged(seen(plan(origin="loaded"), assigned=assigned)) is None
    assert checks.propensity_logged(seen(assigned=[])) is None


def test_few_keys_give_no_alarm_more_often_than_one_in_a_thousand() -> None:
    """Of 120 keys drawn into halves 41 or fewer come into an arm 5 times in 10,000, 42 or fewer 10 times."""
    for few, passed in ((42, True), (41, False)):
        keys = {"none": few, "bonus": 120 - few}
        assigned = [Assigned("", "1", arm, n, n / 2) for arm, n in keys.items()]
        found = finding(checks.propensity_logged, seen(assigned=assigned))
        ratio = finding(checks.sample_ratio_overall, seen(assigned=assigned))
        assert found.passed is ratio.passed is passed
        assert found.p_value == pytest.approx(ratio.p_value) and found.statistic == pytest.approx(ratio.statistic**0.5)


@pytest.mark.parametrize(("differing", "passed"), [(0, True), (1, False)])
def test_draws_made_again_must_give_the_same_arms(differing: int, passed: bool) -> None:
    again = {"looked": 60, "differing": differing}
    found = finding(checks.draws_replayed, seen(looked=Looked(redrawn=again)))
    assert (found.severity, found.passed, found.numbers) == ("block", passed, again)
    assert checks.draws_replayed(seen(looked=Looked(redrawn={"looked": 0, "differing": 0}))) is None
    assert checks.draws_replayed(seen()) is None
