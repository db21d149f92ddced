"""What the checks need beside the moments: executions, scores, weeks, categories and tails, put down by hand."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from experiments.models import Assignment
from impact.agreements.plan import Term
from impact.analysis.looked import Reported, Scored
from tests.analysis.ground import WORTH, Ground, plan
from tests.conftest import START, Caller, decided, decision_row

PLAN = plan(value=[WORTH])


def said(decision: dict[str, Any], status: str, day: float = 1, **more: Any) -> dict[str, Any]:
    at = (START + timedelta(days=day)).isoformat()
    known = {
        "source": "crm",
        "event_id": f"{status}-{day}-{decision['unit_id']}",
        "decision_id": decision["decision_id"],
    }
    return known | {"status": status, "occurred_at": at, "at": at} | more


@pytest.fixture
def drawn(api: Caller, ground: Ground) -> dict[str, list[dict[str, Any]]]:
    """Sixty decisions by their arm."""
    rows = [decision_row(f"c{number:03}", 0.2 + number / 100) for number in range(60)]
    found: dict[str, list[dict[str, Any]]] = {"none": [], "bonus": []}
    for row in decided(api, rows):
        found[row["decision"]["arm"]].append(row["decision"])
    ground.feed(400)
    return found


def test_draws_are_made_again(ground: Ground, drawn: Any) -> None:
    assert ground.measured(PLAN).looked.redrawn == {"looked": 60, "differing": 0}
    moved = Assignment.objects.filter(unit_id=drawn["none"][0]["unit_id"])
    moved.update(arm=ground.experiment.arms.get(key="bonus"))
    assert ground.measured(PLAN).looked.redrawn == {"looked": 60, "differing": 1}


def test_a_row_is_as_it_was_done_at_last(api: Caller, ground: Ground, drawn: Any) -> None:
    first, second, third, fourth, fifth, *_ = drawn["bonus"]
    override = {"executed_action": "none", "actor": "ann", "reason": "moved away"}
    rows = [
        said(first, "delivered"), said(first, "accepted", 2),
        said(second, "overridden", **override), said(second, "delivered", 2),
        said(third, "failed"),
        said(fourth, "overridden", executed_action="bonus", actor="ann", reason="by phone"),
        said(fifth, "overridden", 20, **override),
        said(drawn["none"][0], "overridden", executed_action="bonus", actor="ann", reason="asked for it"),
    ]  # fmt: skip
    assert api.post("/executions", {"executions": rows}).body["accepted"] == len(rows)
    assert ground.measured(PLAN).looked.reported == [Reported("bonus", 5, 3, 3), Reported("none", 1, 1, 1)]
    # what comes to be known later isn't in an earlier analysis
    assert ground.measured(PLAN, as_of=10).looked.reported == [Reported("bonus", 4, 2, 2), Reported("none", 1, 1, 1)]


def test_scores_are_of_the_first_decision(api: Caller, ground: Ground, drawn: Any) -> None:
    one, other, *_ = drawn["bonus"]
    api.post("/executions", {"executions": [said(one, "delivered"), said(other, "delivered")]})
    [scored] = ground.measured(PLAN).looked.scored
    scores = [0.2 + int(decision["unit_id"][1:]) / 100 for decision in (one, other)]
    assert scored == Scored(
        "bonus", False, 2, pytest.approx(sum(scores) / 2), pytest.approx((scores[0] - scores[1]) ** 2 / 2)
    )


def test_weeks_are_counted_from_the_first_row(ground: Ground) -> None:
    for unit, arm, day, amount in (
        ("a", "none", 1, 0),
        ("b", "bonus", 2, 3),
        ("c", "bonus", 9, 5),
        ("d", "bonus", 14, 7),
    ):
        ground.row(unit, arm, day)
        ground.cost(unit, day + 1, amount)
    ground.feed(400)
    found = {(one.arm, one.week): (one.rows, one.mean, one.variance) for one in ground.measured(PLAN).looked.weeks}
    assert found == {("none", 0): (1, 0.0, 0.0), ("bonus", 0): (1, -3.0, 0.0), ("bonus", 1): (2, -6.0, 2.0)}


def test_categories_are_counted_by_arm(ground: Ground) -> None:
    for unit, arm in (("a", "none"), ("b", "bonus"), ("c", "bonus")):
        ground.row(unit, arm)
    for unit, category, day in (("b", "sms", 1), ("b", "sms", 2), ("c", "sms", 3), ("a", "call", 4), ("b", "late", 95)):
        ground.cost(unit, day, 1.0, category)
    ground.feed(400)
    assert ground.measured(PLAN).looked.spent == {"sms": {"bonus": 2}, "call": {"none": 1}}


def test_the_largest_values_are_capped(ground: Ground) -> None:
    for place in range(20):
        ground.row(f"u{place:02}", ("none", "bonus")[place % 2])
        ground.outcome(f"u{place:02}", 1, 1000 if place == 1 else 1, type="paid")
    ground.feed(400, type="paid")
    ground.feed(400)
    paid = Term(outcome="paid", aggregate="sum")
    tail = ground.measured(plan(value=[paid])).looked.tail
    assert tail is not None
    # linear between the two largest of twenty, .999 of the way from the first to the last
    assert tail.cap == pytest.approx(1 + 999 * (0.999 * 19 - 18))
    assert tail.share == pytest.approx(1000 / 1019)
    assert tail.table.arm_sample("none", {"capped": 1.0}).mean == 1.0
