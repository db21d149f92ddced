"""What was really done about an experiment's decisions, arm by arm."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from experiments.models import Decision, Experiment
from impact.dashboard.compliance import Override, Share, compliance
from tests.conftest import START, Caller, decided, decision_row, signed_in
from workspaces.models import Membership, Workspace

UNITS = [f"c{number}" for number in range(24)]


@pytest.fixture
def decisions(api: Caller, running: Experiment) -> dict[str, list[str]]:
    """Decisions of each arm."""
    found: dict[str, list[str]] = {"none": [], "bonus": []}
    for row in decided(api, [decision_row(unit) for unit in UNITS]):
        found[row["decision"]["arm"]].append(row["decision"]["decision_id"])
    return found


def report(api: Caller, *told: tuple[str, str], day: int = 1, **more: str) -> None:
    """Say of decisions what was done."""
    at = (START + timedelta(days=day)).isoformat()
    rows = [
        {"source": "crm", "event_id": f"{decision}-{status}-{day}", "decision_id": decision, "status": status,
         "occurred_at": at, "at": at} | more
        for decision, status in told
    ]  # fmt: skip
    assert api.post("/executions", {"executions": rows}).body["accepted"] == len(rows)


def arm_of(experiment: Experiment, key: str) -> Any:
    done = compliance(experiment, "en")
    assert done is not None
    return next(row for row in done["arms"] if row.arm.key == key)


def test_counts_every_decision_once_by_its_newest_execution(
    api: Caller, running: Experiment, decisions: dict[str, list[str]]
) -> None:
    bonus = decisions["bonus"]
    first, second, third, fourth = bonus[:4]
    report(api, (first, "accepted"), day=2)
    # late to come in, but earlier
    report(api, (first, "delivered"), (second, "delivered"), (third, "failed"), (fourth, "activated"))
    row = arm_of(running, "bonus")
    whole = len(bonus)
    assert row.decisions == str(whole)
    assert row.delivered.number == "2" and row.accepted.number == "1" and row.accepted.share == "50.0\u00a0%"
    assert (row.failed.number, row.activated.number, row.silent.number) == ("1", "1", str(whole - 4))
    assert row.declined.number == row.overridden.number == "0"


def test_overridden_stays_overridden(api: Caller, running: Experiment, decisions: dict[str, list[str]]) -> None:
    one, two, three = decisions["bonus"][:3]
    report(api, (one, "delivered"), (two, "delivered"))
    report(api, (one, "overridden"), day=2, executed_action="credit", actor="agent 7", reason="asked for it")
    report(api, (two, "overridden"), day=2, executed_action="none", actor="agent 7", reason="asked for it")
    report(api, (two, "overridden"), day=3, executed_action="credit", actor="agent 8", reason="changed his mind")
    report(api, (three, "overridden"), day=3, executed_action="none", actor="agent 8", reason="opted out")
    report(api, (one, "delivered"), day=4)
    row = arm_of(running, "bonus")
    assert row.overridden.number == "3" and row.delivered == Share("0", "")
    assert row.overrides == [Override("Credit", "2", "2"), Override("No action", "1", "1")]


def test_of_no_action_nothing_need_be_reported(running: Experiment, decisions: dict[str, list[str]]) -> None:
    assert arm_of(running, "none").silent is None
    assert arm_of(running, "bonus").silent == Share(str(len(decisions["bonus"])), "100.0\u00a0%")


def test_forced_ones_are_counted_apart(api: Caller, running: Experiment, decisions: dict[str, list[str]]) -> None:
    def forced(mode: str, action: str, number: int) -> list[Any]:
        return [decision_row(f"{mode}{n}", forced={"mode": mode, "action": action}) for n in range(number)]

    decided(api, forced("manual", "credit", 2) + forced("forced_capacity", "none", 3))
    done = compliance(running, "en")
    assert done is not None
    assert done["forced"] == [
        {"mode": "forced by capacity", "count": "3"},
        {"mode": "chosen by a person", "count": "2"},
    ]
    assert sum(int(row.decisions) for row in done["arms"]) == len(UNITS)


def test_as_many_queries_for_many_rows(
    api: Caller, running: Experiment, workspace: Workspace, decisions: dict[str, list[str]]
) -> None:
    def queries() -> int:
        experiment = Experiment.objects.select_related("decision_point").get()
        with CaptureQueriesContext(connection) as made:
            compliance(experiment, "en")
        return len(made)

    report(api, (decisions["bonus"][0], "delivered"))
    few = queries()
    report(api, *((str(one), "delivered") for one in Decision.objects.values_list("pk", flat=True)), day=5)
    assert queries() == few


def test_of_many_keys_the_page_fetches_the_counts_later(
    mate: Membership, running: Experiment, decisions: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    client, path = signed_in(mate), "/w/mobile/experiments/offers"
    assert "Nothing reported" in client.get(path).content.decode()
    monkeypatch.setattr("impact.dashboard.compliance.MANY", len(UNITS) - 1)
    shown = client.get(path).content.decode()
    assert "Nothing reported" not in shown and f'hx-get="{path}/compliance"' in shown
    part = client.get(f"{path}/compliance", headers={"HX-Request": "true"}).content.decode()
    assert "Nothing reported" in part and "<html" not in part
    assert "<html" in client.get(f"{path}/compliance").content.decode()


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ["Was it done as drawn?", "overridden to Credit: 1, actors: 1"]),
        ("ja", ["抽選どおりに実行されたか", "Credit"]),
    ],
)
def test_the_page_says_it(
    mate: Membership, api: Caller, running: Experiment, decisions: dict[str, list[str]], language: str, said: list[str]
) -> None:
    report(
        api, (decisions["bonus"][0], "overridden"), executed_action="credit", actor="agent 7", reason="asked for it"
    )  # fmt: skip
    client = signed_in(mate)
    client.cookies["django_language"] = language
    shown = client.get("/w/mobile/experiments/offers").content.decode()
    assert all(text in shown for text in said)


def test_says_nothing_before_the_start(mate: Membership, churn: Experiment) -> None:
    assert compliance(churn, "en") is None
    assert 'id="done"' not in signed_in(mate).get("/w/mobile/experiments/offers").content.decode()
