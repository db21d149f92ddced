"""Each check passes on one small example and fails on another."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from impact.agreements.plan import MONEY, Case, Plan, PlannedArm, PlannedMetric, Term
from impact.analysis import checks
from impact.analysis.checks import CHECKS, Evidence, Finding, run_checks
from impact.analysis.measure import Assigned, Family, Measured
from impact.stats.clusters import ClusterSums
from impact.stats.effects import TEffect
from impact.stats.margins import non_inferiority
from impact.stats.moments import MomentTable
from tests.analysis.ground import WORTH, plan

ARMS = np.array(["none", "bonus"] * 30)


def family(columns: dict[str, Any], covariates: tuple[str, ...] = (), sums: Any = None) -> Family:
    names = tuple(name for name in columns if name not in covariates)
    return Family(names, covariates, MomentTable.from_arrays(columns, ARMS), sums, {})


def measured(**changes: Any) -> Measured:
    """Sixty mature rows, half in each arm, of which nothing else is known."""
    found = Measured(
        families={"m": family({"metric m": np.arange(60) % 7})},
        mature=60,
        open=0,
        censored={"m": 0, MONEY: 0},
        censored_by_arm={"m": {}},
        mature_by_arm={"none": 30, "bonus": 30},
        assigned=[Assigned("", "1", "none", 30, 15.0), Assigned("", "1", "bonus", 30, 15.0)],
        excluded={},
        modes={"randomized": 60},
        estimated_cost=0.0,
        total_cost=100.0,
    )
    return replace(found, **changes)


def seen(planned: Plan | None = None, metrics: Any = (), money: Any = None, **changes: Any) -> Evidence:
    return Evidence(planned or plan(value=[WORTH]), measured(**changes), list(metrics), money)


def finding(check: Any, evidence: Evidence) -> Finding:
    found = check(evidence)
    assert found is not None
    return found


def weighted(**weights: float | None) -> list[PlannedArm]:
    return [
        PlannedArm(key=key, name=key, is_baseline=key == "none", weight=weight, planned_cost=0)
        for key, weight in weights.items()
    ]


def test_some_rows_must_be_mature() -> None:
    passed = finding(checks.mature_rows, seen())
    assert (passed.severity, passed.passed, passed.numbers["counted"]) == ("block", True, 60)
    failed = finding(checks.mature_rows, seen(mature=3, open=57, censored={MONEY: 3}))
    assert not failed.passed and failed.numbers == {"counted": 0, "open": 57, "censored": 3}


def test_feeds_must_be_complete_in_a_live_experiment() -> None:
    assert finding(checks.feeds_complete, seen()).passed
    failed = finding(checks.feeds_complete, seen(censored={MONEY: 2}))
    assert (failed.severity, failed.passed, failed.numbers) == ("warn", False, {"censored": 2, "of": 60})
    assert checks.feeds_complete(seen(plan(origin="loaded"))) is None
    assert checks.feeds_complete(seen(mature=0)) is None


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


def test_outcomes_must_be_missing_alike() -> None:
    assert checks.missing_alike(seen()) is None
    assert finding(checks.missing_alike, seen(censored_by_arm={"m": {"none": 5, "bonus": 5}})).passed
    failed = finding(checks.missing_alike, seen(censored_by_arm={"m": {"none": 5, "bonus": 4}, "n": {"bonus": 15}}))
    assert (failed.severity, failed.passed, failed.numbers) == ("block", False, {"metric": "n"})
    assert failed.p_value is not None and failed.p_value < 0.01


def test_what_is_missing_everywhere_is_no_difference() -> None:
    assert checks.missing_alike(seen(censored_by_arm={"m": {"none": 30, "bonus": 30}})) is None


@pytest.mark.parametrize(("clusters", "passed"), [(20, True), (18, True), (8, True), (6, False), (2, False)])
def test_clusters_must_be_enough_for_the_draws_to_reject_anything(clusters: int, passed: bool) -> None:
    sums = ClusterSums.from_arrays({"metric m": np.arange(60)}, ARMS, np.arange(60) % clusters)
    families = {"m": family({"metric m": np.arange(60)}, sums=sums)}
    found = finding(checks.clusters_enough, seen(plan(clustered=True), families=families))
    assert (found.severity, found.passed, found.statistic) == ("block", passed, clusters / 2)
    assert found.numbers == {"needed": 4}
    assert checks.clusters_enough(seen()) is None


@pytest.mark.parametrize(("shift", "passed"), [(0.0, True), (0.5, True), (3.0, False)])
def test_covariates_must_be_balanced(shift: float, passed: bool) -> None:
    age = np.arange(60) // 2 + shift * (ARMS == "bonus")
    families = {
        MONEY: family({"value": age, "cost": age, "covariate age": age}, ("covariate age",)),
    }
    found = finding(checks.covariates_balanced, seen(families=families))
    spread = np.std(np.arange(30), ddof=1)
    assert (found.severity, found.passed, found.numbers) == ("warn", passed, {"covariate": "age"})
    assert found.statistic == pytest.approx(shift / spread)
    assert checks.covariates_balanced(seen()) is None


def compared(effect: float, p: float, **more: Any) -> dict[str, Any]:
    return {
        "arm": "bonus", "baseline": "none", "status": "estimated", "effect": effect, "p_adjusted": p,
        "ci": [effect - 1, effect + 1],
    } | more  # fmt: skip


def money(effect: float, p: float, se: float = 1.0, cost: float = 1.0) -> dict[str, Any]:
    return {"comparisons": [compared(effect, p) | {"net": compared(effect, p), "cost": {"se": se, "effect": cost}}]}


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


def test_what_was_forced_is_counted() -> None:
    assert checks.forced_left_out(seen()) is None
    assert checks.forced_left_out(seen(modes={"randomized": 9, "policy": 3})) is None
    found = finding(checks.forced_left_out, seen(modes={"randomized": 9, "holdout": 3, "forced_safety": 1}))
    assert (found.severity, found.numbers) == ("info", {"holdout": 3, "forced_safety": 1})


def test_what_was_loaded_was_not_agreed_before() -> None:
    assert finding(checks.agreed_before, seen()).passed
    assert not finding(checks.agreed_before, seen(plan(origin="loaded"))).passed


def test_every_check_of_the_module_is_in_the_list() -> None:
    written = [
        one for name, one in vars(checks).items()
        if callable(one) and one.__module__ == checks.__name__ and not name.startswith("_")
        and getattr(one, "__annotations__", {}).get("seen") == "Evidence" and name != "run_checks"
    ]  # fmt: skip
    assert set(written) == set(CHECKS)


def test_checks_are_run_in_their_order() -> None:
    found = run_checks(seen(censored={MONEY: 2}))
    assert [one["id"] for one in found] == [
        "mature_rows",
        "feeds_complete",
        "sample_ratio",
        "propensity_logged",
        "cost_booked",
        "agreed_before",
    ]
    assert found[1] == {
        "id": "feeds_complete", "severity": "warn", "passed": False, "statistic": None, "p_value": None,
        "numbers": {"censored": 2, "of": 60},
    }  # fmt: skip


def test_every_check_is_documented() -> None:
    documented = (Path(__file__).parents[2] / "docs/checks.md").read_text(encoding="utf-8")
    from impact.agreements.before_start import BEFORE_START
    from impact.figures.words.en import CHECKS as SAID

    names = [*SAID, *(check.__name__ for check in BEFORE_START)]
    assert [name for name in names if f"| `{name}` |" not in documented] == []
