"""Trying a metric on what was decided: the same numbers as an analysis counts, from bounded queries."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from experiments.models import Experiment
from impact.agreements import previewing
from impact.agreements.plan import Term
from impact.agreements.previewing import number_of, preview
from impact.ledger.models import Outcome
from tests.analysis.ground import Ground, means, on, plan
from tests.conftest import Caller, decided, decision_row, outcome_row
from workspaces import clock
from workspaces.models import Workspace


@pytest.fixture
def shop(workspace: Workspace, api: Caller, running: Experiment) -> Any:
    """Forty decisions, then 200 days; a third spent 10, 20 and so on, twice each."""
    decided(api, [decision_row(f"c{n:02}") for n in range(40)])
    events = [outcome_row(f"c{n:02}", 10 + n, day=day, type="spent") for n in range(0, 40, 3) for day in (5, 40)]
    assert api.post("/outcomes", {"outcomes": events}).body["accepted"] == len(events)
    end = on(200).isoformat()
    beat = {"type": "spent", "complete_until": end, "at": end}
    assert api.post("/feeds/crm/heartbeat", beat).status_code == 200
    workspace.refresh_from_db()
    return running.decision_point


@pytest.mark.parametrize(
    ("aggregate", "default"),
    [("any", 0.0), ("none", 0.0), ("sum", 0.0), ("count", 0.0), ("last", 0.0), ("sum", None), ("last", 5.0)],
)
@pytest.mark.parametrize("values", [[], [0.0], [0.0, 3.0], [-1.0, 4.0, 2.5]])
def test_a_row_has_the_number_that_an_analysis_gives_it(
    workspace: Workspace, running: Experiment, aggregate: Any, default: float | None, values: list[float]
) -> None:
    ground = Ground(workspace, running)
    term = Term(outcome="churned", aggregate=aggregate, default=default)
    ground.row("u", "none")
    for place, value in enumerate(values):
        ground.outcome("u", 1 + place, value)
    ground.feed(400)
    analysed = means(ground.measured(plan(term=term)))
    number = number_of(term, values)
    assert analysed == ({} if number is None else {"none": (1, pytest.approx(number))})


def test_it_tells_rows_mean_zeros_and_what_is_frequent(workspace: Workspace, shop: Any) -> None:
    found = preview(workspace, shop, [Term(outcome="spent")])
    spent = [2.0 * (10 + n) if n % 3 == 0 else 0.0 for n in range(40)]
    assert (found.rows, found.unknown, found.incomplete, found.cut) == (40, 0, 0, False)
    assert found.mean == pytest.approx(sum(spent) / 40)
    assert found.zeros == pytest.approx(26 / 40)
    assert found.frequent[0] == (0.0, 26)
    assert dict(found.quantiles)[1] == max(spent) and dict(found.quantiles)[0.25] == 0.0


def test_a_window_a_cap_and_a_ratio_are_those_of_the_metric(workspace: Workspace, shop: Any) -> None:
    early = preview(workspace, shop, [Term(outcome="spent", window_days=30)])
    assert early.mean == pytest.approx(sum(10 + n for n in range(0, 40, 3)) / 40)
    ratio = preview(workspace, shop, [Term(outcome="spent"), Term(outcome="spent", aggregate="count")])
    assert ratio.mean == pytest.approx(sum(2 * (10 + n) for n in range(0, 40, 3)) / 28)
    capped = preview(workspace, shop, [Term(outcome="spent", cap=0.5)])
    assert capped.mean == 0.0
    left_out = preview(workspace, shop, [Term(outcome="spent", default=None)])
    assert (left_out.unknown, left_out.mean) == (26, pytest.approx(sum(2 * (10 + n) for n in range(0, 40, 3)) / 14))


def test_it_says_what_an_analysis_would_leave_out(workspace: Workspace, shop: Any) -> None:
    assert preview(workspace, shop, [Term(outcome="unheard")]).incomplete == 40
    later = Term(outcome="spent", window_days=250)
    clock.advance(workspace, on(400))
    workspace.refresh_from_db()
    assert preview(workspace, shop, [later]).incomplete == 40


def test_only_decisions_whose_window_is_over_count(workspace: Workspace, shop: Any) -> None:
    assert preview(workspace, shop, [Term(outcome="spent", window_days=300)]).rows == 0
    nothing = preview(workspace, shop, [Term(outcome="spent"), Term(outcome="unheard")])
    assert nothing.mean is None


def test_it_is_bounded(workspace: Workspace, shop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(previewing, "ROWS", 10)
    monkeypatch.setattr(previewing, "EVENTS", 3)
    with CaptureQueriesContext(connection) as made:
        found = preview(workspace, shop, [Term(outcome="spent")])
    assert (found.rows, found.cut) == (10, True)
    assert len(made) <= 6
    assert all("LIMIT" in one["sql"] for one in made if "outcome" in one["sql"] or "decided_at" in one["sql"])


def test_another_workspaces_events_are_nobodys(other_workspace: Workspace, workspace: Workspace, shop: Any) -> None:
    Outcome.objects.create(
        workspace=other_workspace, source="x", event_id="1", digest="", unit_id="c01", type="spent", value=1e6,
        occurred_at=on(3), received_at=on(3) + timedelta(days=1),
    )  # fmt: skip
    assert preview(workspace, shop, [Term(outcome="spent")]).quantiles[-1][1] == 2 * 49
