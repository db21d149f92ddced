"""From events to one number a row: windows, aggregates, defaults, censoring and costs, computed by hand."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from experiments.models import Assignment
from impact.agreements.plan import MONEY, Term
from tests.analysis.ground import CHURNED, WORTH, Ground, means, on, plan
from tests.conftest import Caller, decision_row, outcome_row

MICRO = timedelta(microseconds=1) / timedelta(days=1)


@pytest.mark.parametrize(
    ("day", "counts"), [(4.9, 0.0), (5, 1.0), (5 + MICRO, 1.0), (95 - MICRO, 1.0), (95, 0.0), (95 + MICRO, 0.0)]
)
def test_a_window_is_half_open(ground: Ground, day: float, counts: float) -> None:
    ground.row("u", "none", day=5)
    ground.outcome("u", day)
    ground.feed(400)
    assert means(ground.measured(plan())) == {"none": (1, counts)}


@pytest.mark.parametrize(
    ("aggregate", "values", "number"),
    [
        ("any", [0, 0], 0.0),
        ("any", [0, 3], 1.0),
        ("any", [-1], 1.0),
        ("any", [], 0.0),
        ("none", [0, 0], 1.0),
        ("none", [0, 3], 0.0),
        ("none", [], 1.0),
        ("sum", [2, 3.5, -1], 4.5),
        ("sum", [], 0.0),
        ("count", [0, 0, 7], 3.0),
        ("count", [], 0.0),
        ("last", [2, 9, 4], 4.0),
        ("last", [], 0.0),
    ],
)
def test_events_are_aggregated(ground: Ground, aggregate: str, values: list[float], number: float) -> None:
    ground.row("u", "none")
    # put down in another order than they happened
    for day, value in reversed(list(enumerate(values, start=1))):
        ground.outcome("u", day, value)
    ground.outcome("u", 3, 100, type="called")
    ground.outcome("v", 3, 100)
    ground.feed(400)
    assert means(ground.measured(plan(term=Term(outcome="churned", aggregate=aggregate)))) == {"none": (1, number)}


def test_a_term_may_have_a_window_of_its_own(ground: Ground) -> None:
    ground.row("u", "none")
    ground.outcome("u", 29)
    ground.outcome("u", 31)
    ground.feed(400)
    found = ground.measured(plan(term=Term(outcome="churned", aggregate="count", window_days=30)))
    assert means(found) == {"none": (1, 1.0)}
    found = ground.measured(plan(term=Term(outcome="churned", aggregate="count", window_days=120)))
    assert means(found) == {"none": (1, 2.0)}


@pytest.mark.parametrize(
    ("until", "counted"), [([], False), ([89], False), ([90], True), ([400], True), ([400, 89], False)]
)
def test_no_event_means_none_only_where_the_feeds_are_complete(
    ground: Ground, until: list[float], counted: bool
) -> None:
    ground.row("u", "none")
    ground.feed(400, type="called")
    for place, day in enumerate(until):
        ground.feed(day, source=f"source {place}")
    found = ground.measured(plan())
    assert means(found) == ({"none": (1, 0.0)} if counted else {})
    assert (found.mature, found.censored, found.open) == (1, {"m": 0 if counted else 1}, 0)
    assert found.censored_by_arm == {"m": {} if counted else {"none": 1}}


def test_an_event_in_an_incomplete_window_is_censored_too(ground: Ground) -> None:
    """Else only leavers would count, whose news come first."""
    ground.row("u", "none")
    ground.outcome("u", 10)
    ground.feed(89)
    assert ground.measured(plan()).censored == {"m": 1}


def test_without_a_default_no_event_is_censored(ground: Ground) -> None:
    ground.row("u", "none")
    ground.row("v", "none")
    ground.outcome("v", 1, 7)
    ground.feed(400)
    found = ground.measured(plan(term=Term(outcome="churned", default=None)))
    assert means(found) == {"none": (1, 7.0)}
    assert found.censored == {"m": 1}


def test_another_default_counts(ground: Ground) -> None:
    ground.row("u", "none")
    ground.feed(400)
    assert means(ground.measured(plan(term=Term(outcome="churned", default=5.0)))) == {"none": (1, 5.0)}


def test_rows_whose_window_is_open_are_left_out(ground: Ground) -> None:
    ground.row("u", "none", day=0)
    ground.row("v", "none", day=1)
    ground.row("w", "none", day=91)
    ground.outcome("v", 2)
    ground.feed(400)
    found = ground.measured(plan(), as_of=90)
    assert (found.mature, found.open) == (1, 1)
    assert means(found) == {"none": (1, 0.0)}
    assert ground.measured(plan(), as_of=91).open == 1
    assert ground.measured(plan(), as_of=181).mature == 3


def test_what_came_in_after_the_cut_off_does_not_count(ground: Ground) -> None:
    ground.row("u", "none")
    ground.outcome("u", 10, received_at=on(95))
    ground.feed(400)
    assert means(ground.measured(plan(), as_of=94)) == {"none": (1, 0.0)}
    assert means(ground.measured(plan(), as_of=95)) == {"none": (1, 1.0)}


def test_costs_are_those_booked_else_those_planned(ground: Ground) -> None:
    for unit in ("u", "v", "w", "x"):
        ground.row(unit, "bonus")
    ground.row("y", "none")
    ground.cost("u", 0, 1.0)
    ground.cost("u", 89, 2.0)
    ground.cost("u", 90, 50.0)
    ground.cost("v", 1, 4.0, estimated=True)
    ground.cost("w", 1, 0.0)
    ground.feed(400)
    found = ground.measured(plan(value=[WORTH]))
    # 3 booked, 4 estimated, nothing booked, 1.70 planned
    assert means(found, MONEY, "cost") == {"bonus": (4, pytest.approx(8.7 / 4)), "none": (1, 0.0)}
    assert (found.total_cost, found.estimated_cost) == (pytest.approx(8.7), pytest.approx(5.7))


def test_value_adds_its_terms_in_money(ground: Ground) -> None:
    ground.row("u", "none")
    ground.outcome("u", 10)
    ground.outcome("u", 11, 2.5, type="called")
    ground.outcome("u", 12, 1.5, type="called")
    ground.feed(400)
    ground.feed(400, type="called")
    found = ground.measured(plan(value=[WORTH, Term(outcome="called", times=10.0)]))
    assert means(found, MONEY, "value") == {"none": (1, -260.0)}


def test_money_is_censored_where_any_of_its_terms_is(ground: Ground) -> None:
    ground.row("u", "none")
    ground.feed(400)
    found = ground.measured(plan(value=[WORTH, Term(outcome="called")]))
    assert (found.censored, found.mature) == ({"m": 0, MONEY: 1}, 1)


def test_an_event_falls_into_one_episode(ground: Ground) -> None:
    ground.row("u", "none", day=0, key="u#1")
    ground.row("u", "bonus", day=90, key="u#2")
    ground.outcome("u", 89)
    ground.outcome("u", 90)
    ground.outcome("u", 91)
    ground.feed(400)
    found = ground.measured(plan(term=Term(outcome="churned", aggregate="count")))
    assert means(found) == {"none": (1, 1.0), "bonus": (1, 2.0)}


def test_several_decisions_about_a_unit_are_one_row(api: Caller, ground: Ground) -> None:
    for day in (0, 20, 89):
        api.post("/decisions", decision_row("u", event=f"e{day}", at=on(day)))
    api.post("/outcomes", {"outcomes": [outcome_row("u", day=30)]})
    api.post("/outcomes", {"outcomes": [outcome_row("u", day=100)]})
    ground.feed(400)
    found = ground.measured(plan(term=Term(outcome="churned", aggregate="count")))
    assert [number for _, number in means(found).values()] == [1.0]
    assert (found.mature, found.modes) == (1, {"randomized": 3})


def test_forced_decisions_are_counted_by_their_mode(api: Caller, ground: Ground) -> None:
    api.post("/decisions", decision_row("u"))
    api.post("/decisions", decision_row("v", score=0.05))
    ground.feed(400)
    found = ground.measured(plan())
    assert found.modes == {"policy": 1, "randomized": 1}
    assert found.excluded == {"forced_safety": 0, "forced_capacity": 0, "manual": 0, "fallback": 0}


def test_assigned_keys_count_whether_they_are_mature_or_not(ground: Ground) -> None:
    ground.row("u", "none", stratum="low")
    ground.row("v", "none", stratum="low", day=300, propensity=0.25)
    ground.row("w", "bonus", stratum="high")
    assert [tuple(one) for one in ground.measured(plan(), as_of=310).assigned] == [
        ("high", "1", "bonus", 1, 0.5),
        ("low", "1", "none", 2, 0.75),
    ]


def test_a_cluster_was_assigned_once(ground: Ground) -> None:
    for unit, cluster in (("u", "s1"), ("v", "s1"), ("w", "s2")):
        ground.row(unit, "none", cluster_id=cluster)
    ground.row("x", "bonus", cluster_id="s3")
    ground.feed(400)
    found = ground.measured(plan(clustered=True))
    assert [tuple(one) for one in found.assigned] == [("", "1", "bonus", 1, 0.5), ("", "1", "none", 2, 1.0)]
    sums = found.families["m"].sums
    assert sums is not None and sums.clusters("none") == 2


@pytest.mark.parametrize(
    ("second", "loaded", "cells"),
    [(0.5, False, {""}), (0.2, False, {"\x1f0", "\x1f1"}), (0.5, True, {"\x1f1", "\x1f2"})],
    ids=["other traffic", "other weights", "weights that nobody knows"],
)
def test_clusters_of_other_weights_are_no_neighbours(
    ground: Ground, second: float, loaded: bool, cells: set[str]
) -> None:
    for number in range(8):
        arm, phase = ("none", "bonus")[number % 2], "12"[number // 4]
        odds = {"1": (0.5, 0.5), "2": (1 - second, second)}[phase][number % 2]
        ground.row(f"u{number}", arm, cluster_id=f"s{number}", phase=phase, propensity=odds)
    ground.feed(400)
    declared = plan(clustered=True)
    if loaded:
        declared = replace(declared, origin="loaded", propensities_known=False)
    sums = ground.measured(declared).families["m"].sums
    assert sums is not None and set(sums.stratum) == cells


def test_a_missing_covariate_is_its_mean_and_is_marked(ground: Ground) -> None:
    for unit, age in (("u", 20.0), ("v", 40.0), ("w", None)):
        ground.row(unit, "none", covariates={"age": age})
    ground.row("x", "bonus", covariates={})
    ground.feed(400)
    found = ground.measured(plan(covariates=["age", "nothing"]))
    assert found.families["m"].covariates == ("covariate age", "missing age")
    assert means(found, column="covariate age") == {"none": (3, 30.0), "bonus": (1, 30.0)}
    assert means(found, column="missing age") == {"none": (3, pytest.approx(1 / 3)), "bonus": (1, 1.0)}


def test_segments_are_tables_of_their_own(ground: Ground) -> None:
    ground.row("u", "none", segments={"band": "low"})
    ground.row("v", "bonus", segments={"band": "high"})
    ground.row("w", "bonus", segments={})
    ground.outcome("v", 1)
    ground.feed(400)
    tables = ground.measured(plan(segments=["band"])).families["m"].segments["band"]
    assert {value: table.n for value, table in tables.items()} == {"": 1, "high": 1, "low": 1}
    assert tables["high"].arm_sample("bonus", {"metric m": 1.0}).mean == 1.0


def test_nothing_is_measured_of_no_rows(ground: Ground) -> None:
    found = ground.measured(plan(value=[WORTH]))
    assert (found.mature, found.open, found.assigned, found.total_cost) == (0, 0, [], 0.0)
    assert {key: family.table.n for key, family in found.families.items()} == {"m": 0, MONEY: 0}


def test_names_with_quotes_are_only_names(ground: Ground) -> None:
    odd = 'it\'s "odd"; --'
    ground.row("u", "none", covariates={odd: 1.0}, segments={odd: odd})
    ground.outcome("u", 1, type=odd)
    ground.feed(400, type=odd)
    found = ground.measured(plan(term=Term(outcome=odd), covariates=[odd], segments=[odd]))
    assert means(found) == {"none": (1, 1.0)}
    assert list(found.families["m"].segments[odd]) == [odd]


def test_windows_follow_the_plan_and_rows_their_assignment(ground: Ground) -> None:
    """A row matures when its assignment says so; its numbers close with the plan's window."""
    ground.row("u", "none", matures_at=on(10))
    ground.feed(400)
    assert Assignment.objects.get().matures_at == on(10)
    assert ground.measured(plan(term=CHURNED), as_of=11).censored == {"m": 1}


def test_families_of_the_same_rows_are_aggregated_together_and_others_alone(ground: Ground) -> None:
    for number in range(6):
        ground.row(f"u{number}", ("none", "bonus")[number % 2])
        ground.outcome(f"u{number}", 1, number)
    ground.outcome("u0", 2, 3, type="called")
    ground.feed(400)
    ground.feed(400, type="called")
    called = plan().metrics[0]
    metrics = [
        called,
        replace(called, key="calls", term=Term(outcome="called", aggregate="sum", default=None)),
        replace(called, key="again"),
    ]
    found = ground.measured(plan(metrics=metrics, value=[WORTH])).families
    assert found["m"].table is found["again"].table is found[MONEY].table
    assert (found["m"].table.n, found["calls"].table.n) == (6, 1)
