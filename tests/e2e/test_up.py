"""The supervisor: starts, answers, starts again what was killed, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.conftest import DECLARED, decision_row
from tests.e2e.house import House, wait_for


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stops_cleanly(build: Callable[..., House], number: int) -> None:
    house = build("stops")
    house.up()
    commands = " ".join(house.processes().values())
    for name in ("granian", "worker", "beat"):
        assert name in commands
    assert house.down(number) == 0
    assert house.processes() == {}


def test_a_killed_web_server_comes_back(build: Callable[..., House]) -> None:
    house = build("web")
    house.up()
    for pid, command in house.processes().items():
        if "granian" in command:
            os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not house.answers(), "the web server is gone")
    wait_for(house.answers, "the web server is back")


def test_a_taken_port_is_said(build: Callable[..., House]) -> None:
    house, late = build("first"), build("late")
    house.up()
    done = late.manage("up", "--port", str(house.port), check=False)
    assert done.returncode != 0
    assert "taken" in done.stderr
    assert late.processes() == {}


def test_thirty_two_callers_deciding_one_unit_get_one_arm(build: Callable[..., House]) -> None:
    house = build("race")
    house.manage("create_workspace", "mobile", "--simulated")
    house.manage("apply", str(DECLARED / "churn.yaml"))
    house.manage("shell", "-c", SIGNED)
    house.up()
    key = house.manage("create_key", "--scopes", "decide,manage").stdout.strip()
    house.call(key, "POST", "/experiments/offers/start")
    rows = [decision_row("c1", event=f"e{number}") for number in range(32)]
    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(lambda row: house.call(key, "POST", "/decisions", row), rows))
    assert len({answer["arm"] for answer in answers}) == 1
    assert len({answer["decision_id"] for answer in answers}) == 32
    with ThreadPoolExecutor(32) as pool:
        again = list(pool.map(lambda row: house.call(key, "POST", "/decisions", row), rows))
    assert again == [answer | {"replayed": True} for answer in answers]


SIGNED = """
from tests.conftest import enter
from experiments.models import Experiment
from impact.agreements.services import sign
experiment = Experiment.objects.get()
agreement = experiment.agreements.get()
for name, signs_for in (("bea", "business"), ("fin", "finance"), ("dan", "data science")):
    membership = enter(experiment.workspace, f"{name}@example.com", "viewer", signs_for)
    sign(agreement=agreement, membership=membership, sha256=agreement.sha256)
"""
