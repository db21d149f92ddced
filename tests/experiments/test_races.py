"""Many at once, each with a connection of its own: one arm a unit, one decision an event, whole blocks."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from experiments.models import Assignment, BlockCounter, Decision, EpisodeCounter, Experiment
from experiments.services.lifecycle import change_status
from predictions.models import Prediction
from tests.conftest import START, Caller, caller, decided, decision_row, race
from tests.experiments.design import running_with
from workspaces.errors import Refusal
from workspaces.models import AuditEntry, Workspace
from workspaces.services.audit import broken_at

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE = 1
# in the order in which they are held
COUNTERS = ("experiments_episodecounter", "experiments_blockcounter")


def insist(secret: str, body: Any) -> Any:
    """Send until it isn't answered by 503, as a client is told to."""
    for _ in range(PATIENCE):
        answer = Caller(secret, Client()).post("/decisions", body)
        if answer.status_code != 503:
            assert answer.status_code == 200, answer.body
            return answer.body
    raise AssertionError(f"busy {PATIENCE} times")


def test_32_threads_deciding_one_unit_get_one_arm(workspace: Workspace, running: Experiment) -> None:
    secret = caller(workspace).secret
    answers = race(32, lambda place: insist(secret, decision_row("c1", event=f"e{place}")))
    assert len({answer["arm"] for answer in answers}) == Assignment.objects.count() == 1
    assert len({answer["decision_id"] for answer in answers}) == Decision.objects.count() == 32
    assert {answer["propensity"] for answer in answers} == {0.5}


def test_32_threads_sending_one_event_get_one_answer(workspace: Workspace, running: Experiment) -> None:
    secret = caller(workspace).secret
    answers = race(32, lambda place: insist(secret, decision_row("c1")))
    assert Decision.objects.count() == Prediction.objects.count() == Assignment.objects.count() == 1
    assert sum(not answer["replayed"] for answer in answers) == 1
    first = next(answer for answer in answers if not answer["replayed"])
    assert all(answer | {"replayed": False} == first for answer in answers)


@pytest.mark.slow
def test_64_threads_deciding_150_units_get_one_arm_and_one_answer_each(
    workspace: Workspace, running: Experiment
) -> None:
    secret = caller(workspace).secret

    def decide_all(place: int) -> dict[str, Any]:
        """Every thread meets the units in another order, ten at a time."""
        units = [f"c{(7 * step + place) % 150}" for step in range(150)]
        answers = {}
        for start in range(0, 150, 10):
            rows = [decision_row(unit) for unit in units[start : start + 10]]
            results = insist(secret, {"decisions": rows})["results"]
            answers |= {one["decision"]["unit_id"]: one["decision"] | {"replayed": None} for one in results}
        return answers

    first, *others = race(64, decide_all)
    assert all(answers == first for answers in others)
    assert len(first) == Decision.objects.count() == Prediction.objects.count() == Assignment.objects.count() == 150


@pytest.mark.parametrize("strata", [[], [{"score": {"L": 0.0, "H": 0.5}}]])
def test_16_threads_leave_every_block_balanced(workspace: Workspace, tmp_path: Path, strata: list[Any]) -> None:
    running_with(workspace, tmp_path, experiment={"method": "blocks", "strata": strata})
    secret = caller(workspace).secret

    def send(place: int) -> None:
        # batches that meet the same strata in other orders
        rows = [decision_row(f"c{place}-{step}", [0.3, 0.7][(place + step) % 2]) for step in range(6)]
        insist(secret, {"decisions": rows})

    race(16, send)
    assert Assignment.objects.count() == 96
    for counter in BlockCounter.objects.all():
        arms = list(Assignment.objects.filter(stratum=counter.stratum).order_by("draw").values_list("draw", "arm__key"))
        assert [position for position, _ in arms] == list(range(counter.taken))
        for start in range(0, counter.taken - 1, 2):
            assert {arm for _, arm in arms[start : start + 2]} == {"none", "bonus"}
    assert BlockCounter.objects.count() == max(1, 2 * len(strata))


def test_units_are_held_before_blocks(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    """Two that took them in turns would wait for each other, and PostgreSQL would fail one."""
    running_with(workspace, tmp_path, point={"cool_down": {"days": 9}}, experiment={"method": "blocks"})
    with CaptureQueriesContext(connection) as queries:
        decided(api, [decision_row("c1")])
    written = [query["sql"] for query in queries if "INSERT" in query["sql"]]
    first = [next(table for table in COUNTERS if table in sql) for sql in written if any(t in sql for t in COUNTERS)]
    assert first[:2] == list(COUNTERS)


def test_batches_of_the_same_units_in_other_orders_do_not_lock_each_other_out(
    workspace: Workspace, running: Experiment
) -> None:
    secret = caller(workspace).secret

    def send(place: int) -> Any:
        units = [(place * 7 + step * (1 if place % 2 else 19)) % 20 for step in range(20)]
        rows = [decision_row(f"c{unit}", event=f"e{place}/{unit}") for unit in units]
        return insist(secret, {"decisions": rows})

    answers = race(12, send)
    assert all(answer["accepted"] == len(answer["results"]) for answer in answers)
    assert Assignment.objects.count() == 20
    arms: dict[str, set[str]] = {}
    for answer in answers:
        for row in answer["results"]:
            arms.setdefault(row["decision"]["unit_id"], set()).add(row["decision"]["arm"])
    assert set(map(len, arms.values())) == {1}


def test_one_episode_opens_however_many_ask(workspace: Workspace, tmp_path: Path) -> None:
    running_with(workspace, tmp_path, point={"cool_down": {"days": 90}}, experiment={"randomize": "episode"})
    secret = caller(workspace).secret
    answers = race(16, lambda place: insist(secret, decision_row("c1", event=f"e{place}")))
    assert Counter(answer["mode"] for answer in answers) == {"randomized": 1, "policy": 15}
    assert EpisodeCounter.objects.get().number == 1
    assert Assignment.objects.get().randomization_key == "c1#1"


def test_one_of_a_cluster_is_acted_upon(workspace: Workspace, tmp_path: Path) -> None:
    point = {"cluster": "household", "cool_down": {"days": 30, "of": "cluster"}}
    running_with(workspace, tmp_path, point=point)
    secret = caller(workspace).secret
    answers = race(16, lambda place: insist(secret, decision_row(f"c{place}", cluster_id="home")))
    assert Counter(answer["mode"] for answer in answers) == {"randomized": 1, "policy": 15}


def test_the_simulated_clock_ends_at_the_newest_time(workspace: Workspace, running: Experiment) -> None:
    secret = caller(workspace).secret
    race(12, lambda place: insist(secret, decision_row(f"c{place}", at=START + timedelta(hours=place))))
    assert Workspace.objects.get(pk=workspace.pk).clock_at == START + timedelta(hours=11)


def test_one_of_many_takes_a_step(workspace: Workspace, running: Experiment) -> None:
    before = AuditEntry.objects.within(workspace).count()

    def close(place: int) -> str:
        try:
            change_status(experiment=running, step="close", actor=f"a{place}")
        except Refusal as refusal:
            return refusal.code
        return "closed"

    assert Counter(race(8, close)) == {"closed": 1, "wrong-status": 7}
    assert AuditEntry.objects.within(workspace).count() == before + 1
    assert broken_at(workspace) is None


def test_a_step_while_many_decide_moves_no_arm(workspace: Workspace, running: Experiment) -> None:
    secret = caller(workspace).secret

    def act(place: int) -> Any:
        if place == 0:
            return change_status(experiment=running, step="close", actor="test")
        return [insist(secret, decision_row(f"c{step % 5}", event=f"e{place}/{step}")) for step in range(8)]

    _, *answers = race(9, act)
    arms: dict[str, set[str]] = {}
    for answer in (one for some in answers for one in some):
        if answer["arm"]:
            arms.setdefault(answer["unit_id"], set()).add(answer["arm"])
        assert answer["mode"] in ("randomized", "policy")
    assert all(len(found) == 1 for found in arms.values())
    assert Assignment.objects.count() == len(arms) <= 5
