"""GET /experiments/{key}/decisions: the log, for anyone who wants to recompute it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from experiments import randomization
from experiments.models import Experiment
from tests.conftest import START, Caller, caller, decided, decision_row
from tests.experiments.design import running_with
from workspaces.models import Workspace


def log(api: Caller, **query: str) -> list[Any]:
    """Every page, one after the other."""
    found: list[Any] = []
    while True:
        body = api.get("/experiments/offers/decisions", **query).body
        found += body["decisions"]
        if body["next"] is None:
            return found
        query["cursor"] = body["next"]


def test_holds_every_decision_as_it_was_answered(api: Caller, running: Experiment) -> None:
    answers = [row["decision"] for row in decided(api, [decision_row(f"c{number}") for number in range(5)])]
    assert log(api) == answers


@pytest.mark.parametrize("limit", ["1", "3", "7", "500"])
def test_pages_hold_every_decision_once(api: Caller, running: Experiment, limit: str) -> None:
    decided(api, [decision_row(f"c{number}") for number in range(7)])
    assert [row["unit_id"] for row in log(api, limit=limit)] == [f"c{number}" for number in range(7)]


def test_holds_the_decisions_of_the_experiments_keys(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    running_with(workspace, tmp_path, experiment={"traffic": 0.5, "salt": "s1"})
    answers = [row["decision"] for row in decided(api, [decision_row(f"c{number}") for number in range(20)])]
    later = decision_row(answers[0]["unit_id"], 0.05, event="later", at=START + timedelta(days=1))
    answers.append(decided(api, [later])[0]["decision"])
    inside = [answer for answer in answers if answer["arm"]]
    assert log(api) == inside and len(inside) < len(answers)


def test_the_draws_can_be_recomputed_from_it(api: Caller, running: Experiment) -> None:
    decided(api, [decision_row(f"c{number}") for number in range(50)])
    for row in log(api):
        place, _ = randomization.draw(running.salt, row["unit_id"], [500_000, 500_000])
        assert row["arm"] == ["none", "bonus"][place]


def test_a_page_takes_as_many_queries_whatever_it_holds(
    api: Caller, running: Experiment, django_assert_num_queries: Any, django_assert_max_num_queries: Any
) -> None:
    decided(api, [decision_row("c0")])
    log(api)
    with django_assert_max_num_queries(4):
        log(api)
    decided(api, [decision_row(f"c{number}") for number in range(1, 90)])
    with django_assert_max_num_queries(4):
        assert len(log(api)) == 90


def test_another_workspaces_log_looks_like_none(running: Experiment, other_workspace: Workspace) -> None:
    answer = caller(other_workspace).get("/experiments/offers/decisions")
    assert (answer.status_code, answer.body["code"]) == (404, "not-found")
