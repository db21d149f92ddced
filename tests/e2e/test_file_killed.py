"""kill -9 of the worker in the middle of a file of units: taken up again, every unit decided once, one whole file."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
from collections.abc import Callable
from typing import Any
from urllib.request import Request, urlopen

import pytest

from tests.e2e.house import House, wait_for

UNITS = 30_000
SETUP = """
from tests.conftest import declared_churn, started
from workspaces.models import Workspace
shop = Workspace.objects.get()
started(shop, declared_churn(shop))
"""
STORED = """
from experiments.models import Decision
print(*(f"{one.unit_id} {one.pk}" for one in Decision.objects.all()))
"""


@pytest.mark.slow
def test_one_file_after_kill(build: Callable[..., House]) -> None:
    house = build("file")
    house.manage("create_workspace", "shop")
    house.manage("shell", "-v0", "-c", SETUP)
    house.up()
    key = house.manage("create_key", "--scopes", "decide,read").stdout.strip()
    # more bytes than a body of JSON may have
    rows = [f"u{number},0.{number % 8 + 1},{'x' * 300}" for number in range(UNITS)]
    content = ("unit_id,score,plan\n" + "\n".join(rows) + "\n").encode()
    job = json.loads(call(house, key, "/experiments/offers/assignments", content))["id"]

    def state() -> Any:
        return house.call(key, "GET", f"/jobs/{job}")

    wait_for(lambda: state()["state"] == "running" and state()["progress"] > 0.05, "the file is decided about")
    for pid, command in house.processes().items():
        if "celery" in command and "worker" in command:
            os.kill(pid, signal.SIGKILL)
    assert state()["state"] == "running" and state()["progress"] < 1
    done = wait_for(lambda: state()["state"] == "done" and state(), "the job is taken up again", 400)
    assert done["attempts"] == 2 and done["result"]["duplicate"] > 0
    assert done["result"]["accepted"] + done["result"]["duplicate"] == UNITS
    first = call(house, key, f"/jobs/{job}/file")
    stored = house.manage("shell", "-v0", "-c", STORED).stdout.split()
    decided = list(csv.DictReader(io.StringIO(first.decode())))
    assert len(decided) == UNITS
    assert {row["unit_id"]: row["decision_id"] for row in decided} == dict(zip(stored[::2], stored[1::2], strict=True))
    assert json.loads(call(house, key, "/experiments/offers/assignments", content))["state"] == "done"
    (answer,) = house.folder.glob("files/shop/*.csv")
    assert call(house, key, f"/jobs/{job}/file") == first == answer.read_bytes()
    assert len(list(answer.parent.iterdir())) == 2


def call(house: House, key: str, path: str, content: bytes | None = None) -> bytes:
    headers = {"Authorization": f"Bearer {key}"} | ({"Content-Type": "text/csv"} if content else {})
    with urlopen(Request(f"{house.address}/api/v1{path}", content, headers), timeout=60) as response:
        found: bytes = response.read()
        return found
