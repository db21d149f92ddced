"""Months of rows and costs: by the workspace's clocks, what was planned where nobody logged a cost."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from experiments.models import Experiment
from impact.agreements.plan import Plan
from impact.analysis.dated import _months
from impact.analysis.instants import microseconds
from tests.analysis.ground import WORTH, Ground, plan
from workspaces.models import Workspace


@pytest.fixture
def ground(workspace: Workspace, running: Experiment) -> Ground:
    return Ground(workspace, running)


def months(ground: Ground, of: Plan) -> dict[tuple[str, str], tuple[int, int, float]]:
    found = ground.measured(of, as_of=150).months
    return {(one["month"], one["arm"]): (one["matured"], one["opened"], one["cost"]) for one in found}


def test_rows_count_where_they_open_and_mature_costs_where_they_fall(ground: Ground) -> None:
    # day 0 is the 5th of January; windows are of 90 days, so day 26.5 matures in May
    ground.row("a", "bonus", 0)
    ground.row("b", "bonus", 26.5)
    ground.row("c", "none", 0)
    # not mature by the cut-off
    ground.row("d", "bonus", 100)
    ground.feed(200)
    ground.cost("a", 1, 3.0)
    ground.cost("a", 30, 4.0)
    ground.cost("a", 95, 50.0)
    ground.cost("c", 2, 0.5)
    assert months(ground, plan(value=[WORTH])) == {
        ("2026-01", "bonus"): (0, 2, 3.0 + 1.7),
        ("2026-02", "bonus"): (0, 0, 4.0),
        ("2026-04", "bonus"): (1, 0, 0.0),
        ("2026-05", "bonus"): (1, 0, 0.0),
        ("2026-01", "none"): (0, 1, 0.5),
        ("2026-04", "none"): (1, 0, 0.0),
    }


def test_what_is_censored_is_in_no_month(ground: Ground) -> None:
    ground.row("a", "bonus", 0)
    ground.row("b", "none", 10)
    ground.feed(95)
    found = months(ground, plan(value=[WORTH]))
    assert {arm for _, arm in found} == {"bonus"}


def test_without_money_or_dates_there_are_none(ground: Ground) -> None:
    ground.row("a", "bonus", 0)
    ground.feed(200)
    assert months(ground, plan()) == {}
    assert months(ground, plan(value=[WORTH], origin="loaded")) == {}


def test_a_month_begins_where_the_workspace_is() -> None:
    first, last = (microseconds(datetime(*at, tzinfo=UTC)) for at in ((2025, 12, 31, 23, 30), (2026, 2, 28, 23)))
    assert [month for month, _ in _months(first, last, "Europe/Berlin")] == ["2026-01", "2026-02", "2026-03"]
    assert [month for month, _ in _months(first, last, "UTC")] == ["2025-12", "2026-01", "2026-02"]
    assert _months(first, last, "Asia/Tokyo")[0][1] == microseconds(datetime(2025, 12, 31, 15, tzinfo=UTC))
