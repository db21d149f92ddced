"""Among those who took it up: by what was accepted, or delivered where nobody answers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from impact.analysis.take_up import among_takers
from tests.analysis.ground import WORTH, Ground, plan
from tests.conftest import START, Caller, decided, decision_row

PLAN = plan(value=[WORTH])


def reported(api: Caller, decisions: list[dict[str, Any]], *states: str, **more: Any) -> None:
    """What was done about these decisions, the states in turn."""
    at = (START + timedelta(days=1)).isoformat()
    rows = [
        {"source": "crm", "event_id": f"x-{one['unit_id']}", "decision_id": one["decision_id"], "occurred_at": at,
         "at": at, "status": states[place % len(states)]} | more
        for place, one in enumerate(decisions)
    ]  # fmt: skip
    assert api.post("/executions", {"executions": rows}).body["accepted"] == len(rows)


@pytest.fixture
def drawn(api: Caller, ground: Ground) -> dict[str, list[dict[str, Any]]]:
    """Two hundred decisions by their arm; every other customer without a bonus leaves, and every fifth with one."""
    found: dict[str, list[dict[str, Any]]] = {"none": [], "bonus": []}
    for row in decided(api, [decision_row(f"c{number:03}") for number in range(200)]):
        found[row["decision"]["arm"]].append(row["decision"])
    for arm, every in (("none", 2), ("bonus", 5)):
        for one in found[arm][::every]:
            ground.outcome(one["unit_id"], 5)
    ground.feed(400)
    return found


def test_accepted_is_taken_up_where_people_answer(api: Caller, ground: Ground, drawn: Any) -> None:
    reported(api, drawn["bonus"], "accepted", "declined")
    measured = ground.measured(PLAN)
    block = among_takers(PLAN, measured.taken, "bonus", "none")
    table = measured.taken["bonus"]
    value = {arm: table.arm_sample(arm, {"value": 1.0}).mean for arm in ("bonus", "none")}
    share = table.arm_sample("bonus", {"taken": 1.0}).mean
    assert block is not None and block["status"] == "estimated"
    assert share == pytest.approx(0.5, abs=0.01) and block["take_up"] == pytest.approx(share)
    assert block["effect"] == pytest.approx((value["bonus"] - value["none"]) / share)
    low, high = block["set"]["bounds"]
    assert low < block["effect"] < high


def test_delivered_is_taken_up_where_nobody_answers(api: Caller, ground: Ground, drawn: Any) -> None:
    reported(api, drawn["bonus"], "delivered")
    # somebody without a bonus got one all the same
    reported(api, drawn["none"][:1], "overridden", executed_action="bonus", actor="ann", reason="asked for it")
    block = among_takers(PLAN, ground.measured(PLAN).taken, "bonus", "none")
    assert block is not None and block["take_up"] == pytest.approx(1 - 1 / len(drawn["none"]))


def test_too_little_take_up_tells_nothing(api: Caller, ground: Ground, drawn: Any) -> None:
    reported(api, drawn["bonus"], "accepted", *["declined"] * 9)
    block = among_takers(PLAN, ground.measured(PLAN).taken, "bonus", "none")
    assert block is not None and (block["status"], block["effect"]) == ("not_estimable", None)


def test_without_executions_there_is_nothing_to_tell(ground: Ground, drawn: Any) -> None:
    assert among_takers(PLAN, ground.measured(PLAN).taken, "bonus", "none") is None
