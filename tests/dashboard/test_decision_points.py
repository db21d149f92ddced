"""Decision points: how a prediction becomes a choice, counted over seven days."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from experiments.models import DecisionPoint, Experiment, Policy
from experiments.selectors import experiment_named
from impact.dashboard.decision_points import decision_point_page, decision_points
from impact.dashboard.week import week_of
from tests.conftest import START, Caller, decided, decision_row, signed_in
from tests.experiments.design import EXPERIMENT, apply
from tests.experiments.invariants.visits import start
from workspaces import clock
from workspaces.models import Membership, Workspace


def forced(unit: str, mode: str, action: str, **more: Any) -> Any:
    return decision_row(unit, forced={"mode": mode, "action": action}, **more)


@pytest.fixture
def busy(api: Caller, running: Experiment, workspace: Workspace) -> Workspace:
    """Twelve are randomized, three scored too low, two were chosen by a person; one has no contract."""
    rows = [decision_row(f"c{number}") for number in range(12)]
    rows += [decision_row(f"low{number}", 0.05) for number in range(3)]
    rows += [forced("m1", "manual", "credit"), forced("m2", "manual", "bonus")]
    gone = decision_row("gone")
    gone["prediction"]["features"]["plan"] = "gone"
    decided(api, [*rows, gone])
    workspace.refresh_from_db()
    return workspace


def test_counts_modes_actions_and_reasons(busy: Workspace) -> None:
    week = week_of(busy, "offer")
    assert week.total() == 18
    assert dict(week.by("mode")) == {"randomized": 13, "policy": 3, "manual": 2}
    assert sum(week.by("action").values()) == 18 and week.by("mode", "action")["manual", "credit"] == 1
    assert dict(week.reasons()) == {
        ("too unlikely to leave", ("bonus", "credit")): 3,
        ("no contract", ("credit",)): 1,
    }  # fmt: skip
    assert week.total(one for one in week.alike if one.has_choice) == 13


def test_draws_the_flow(busy: Workspace) -> None:
    page = decision_point_page(busy, "offer", "en")
    first, free, drawn = page["flow"]
    assert (first["count"], first["out"]) == ("18", [("2", "chosen by a person")])
    assert (free["count"], free["no_choice"]) == ("16", "3")
    assert (drawn["kind"], drawn["name"], drawn["count"]) == ("randomized", "Offers", "13")
    assert [name for _, name in drawn["out"]] == ["No action", "Bonus"]
    assert sum(int(count) for count, _ in drawn["out"]) == 13
    assert [row["total"] for row in page["by_mode"]["rows"]] == ["13", "3", "2"]


def test_only_seven_days_count(api: Caller, busy: Workspace) -> None:
    clock.advance(busy, START + timedelta(days=6))
    decided(api, [decision_row("late", at=START + timedelta(days=7, seconds=1))])
    busy.refresh_from_db()
    assert week_of(busy, "offer").total() == 1


def test_where_the_week_is_empty_the_last_one_is_shown(mate: Membership, busy: Workspace) -> None:
    clock.advance(busy, START + timedelta(days=60))
    week = week_of(busy, "offer")
    assert (week.total(), week.is_last, week.until) == (18, True, START)
    shown = signed_in(mate).get("/w/mobile/decision-points/offer").content.decode()
    assert "7 days to 5 January 2026, the last with decisions" in shown


def test_another_version_of_the_point_counts_too(busy: Workspace) -> None:
    [point] = DecisionPoint.objects.within(busy)
    DecisionPoint.objects.filter(pk=point.pk).update(is_current=False)
    point.pk, point.version, point.is_current = None, 2, True
    point.save(force_insert=True)
    assert week_of(busy, "offer").total() == 18


def test_as_many_queries_for_many_decisions(api: Caller, busy: Workspace) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as made:
            decision_point_page(busy, "offer", "en")
        return len(made)

    few = queries()
    decided(api, [decision_row(f"more{number}", number / 100) for number in range(80)])
    assert queries() == few


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_list_has_as_many_queries_for_three(mate: Membership, busy: Workspace, language: str) -> None:
    client = signed_in(mate)
    client.cookies["django_language"] = language

    def queries() -> int:
        with CaptureQueriesContext(connection) as made:
            assert client.get("/w/mobile/decision-points").status_code == 200
        return len(made)

    few = queries()
    [point] = DecisionPoint.objects.within(busy)
    for key in ("second", "third"):
        point.pk, point.key = None, key
        point.save(force_insert=True)
    assert queries() == few
    assert [row["last"] for row in decision_points(busy)] == [START, None, None]


def test_says_its_rules_in_words(mate: Membership, busy: Workspace) -> None:
    shown = signed_in(mate).get("/w/mobile/decision-points/offer").content.decode()
    for said in ("the score is at least 0.10", "otherwise: no contract", "(for Credit)", "plan is not gone"):
        assert said in shown
    assert "Of 18 decisions in 7 days" in shown and "too unlikely to leave" in shown


def test_says_safety_cool_down_and_holdout(mate: Membership, workspace: Workspace, churn: Experiment) -> None:
    DecisionPoint.objects.update(safety={"above": 0.6, "action": "credit"}, cool_down_days=14, cluster="line")
    shown = signed_in(mate).get("/w/mobile/decision-points/offer").content.decode()
    assert "Above a score of 0.6 always Credit, never randomized" in shown
    assert "14 days after a decision, for the unit" in shown
    assert "Nothing was decided here yet." in shown and "No policy yet." in shown


def test_nobody_else_s(stranger: Membership, busy: Workspace) -> None:
    assert signed_in(stranger).get("/w/mobile/decision-points/offer").status_code == 404
    assert signed_in(stranger).get("/w/other/decision-points/offer").status_code == 404


def test_the_empty_list_says_what_fills_it(mate: Membership, workspace: Workspace) -> None:
    assert not Policy.objects.exists()
    assert "No decision point yet." in signed_in(mate).get("/w/mobile/decision-points").content.decode()


def test_the_list_names_all_that_run_there(mate: Membership, busy: Workspace, tmp_path: Path) -> None:
    second = {"key": "credits", "name": "Credits", "layer": "credits"}
    apply(Workspace.objects.get(pk=busy.pk), tmp_path, experiments=[EXPERIMENT | second])
    start(experiment_named(busy, "credits"))
    [row] = decision_points(busy)
    assert [one.key for one in row["experiments"]] == ["credits", "offers"]
    page = signed_in(mate).get("/w/mobile/decision-points").content.decode()
    assert all(f'<a href="/w/mobile/experiments/{key}">' in page for key in ("offers", "credits"))
