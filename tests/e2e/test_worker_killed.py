"""kill -9 of the worker in the middle of an analysis: the job is taken up again, and there is one analysis."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.house import House, wait_for

SPEC = """
experiment: large
unit: {column: unit}
arm: {column: arm, baseline: a}
value: {column: value}
cost: {b: 1.0}
weights: {a: 1, b: 1}
"""
COUNT = """
from impact.analysis.models import Analysis, Verdict
from workspaces.models import Job
print(Analysis.objects.count(), Verdict.objects.filter(overall=True).count(), Job.objects.get().attempts)
"""


@pytest.mark.slow
def test_one_analysis_after_kill(build: Callable[..., House]) -> None:
    house = build("killed")
    draw = random.Random(7)
    rows = [f"u{n},{draw.choice('ab')},{draw.gauss(10, 4):.3f}" for n in range(60_000)]
    (house.folder / "large.csv").write_text("unit,arm,value\n" + "\n".join(rows) + "\n")
    (house.folder / "spec.yaml").write_text(SPEC)
    house.manage("load_experiment", str(house.folder / "large.csv"), "--spec", str(house.folder / "spec.yaml"))
    house.up()
    key = house.manage("create_key", "--scopes", "read,manage").stdout.strip()
    job = house.call(key, "POST", "/experiments/large/analyses")["id"]

    def state() -> Any:
        return house.call(key, "GET", f"/jobs/{job}")

    wait_for(lambda: state()["state"] == "running" and state()["progress"] > 0, "the analysis runs")
    for pid, command in house.processes().items():
        if "celery" in command and "worker" in command:
            os.kill(pid, signal.SIGKILL)
    assert state()["state"] == "running"
    assert wait_for(lambda: state()["state"] == "done" and state(), "the job is taken up again")["attempts"] == 2
    # the one of the load, and this one
    assert house.manage("shell", "-v0", "-c", COUNT).stdout.split() == ["2", "2", "2"]
    assert "0 differences" in house.manage("verify").stdout
