"""Every draw is made again from what is stored, and one that was altered is found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from experiments.draws import redraw
from experiments.models import Assignment, Decision, Experiment
from experiments.services.decide import decide
from tests.conftest import Caller, decided, decision_row
from tests.experiments.design import EXPERIMENT, apply, running_with
from workspaces.models import Workspace

RANDOM = {"key": "now", "decision_point": "offer", "kind": "random", "role": "champion"}
BLOCKS = {"method": "blocks", "strata": [{"score": {"L": 0, "H": 0.5}}]}


@pytest.mark.parametrize("experiment", [{}, BLOCKS, {"traffic": 0.5}], ids=["hash", "blocks", "traffic"])
def test_draws_are_made_again(workspace: Workspace, api: Caller, tmp_path: Path, experiment: Any) -> None:
    running_with(workspace, tmp_path, experiment=experiment, policies=[RANDOM])
    decided(api, [decision_row(f"c{n}", n % 10 / 10) for n in range(60)])
    assert Assignment.objects.exists()
    assert list(redraw(workspace)) == []


def test_draws_of_every_phase_are_made_again(workspace: Workspace, api: Caller, tmp_path: Path) -> None:
    running_with(workspace, tmp_path, experiment=BLOCKS)
    decided(api, [decision_row(f"c{n}", n % 10 / 10) for n in range(30)])
    ramp = [{"action": "none", "weight": 3}, {"action": "bonus"}]
    apply(workspace, tmp_path, experiments=[EXPERIMENT | BLOCKS | {"arms": ramp, "traffic": 0.8}])
    decided(api, [decision_row(f"c{n}", n % 10 / 10, event=f"again-{n}") for n in range(90)])
    assert set(Assignment.objects.values_list("phase", flat=True)) == {"1", "2"}
    assert list(redraw(workspace)) == []


def test_an_arm_that_was_moved_is_found(workspace: Workspace, api: Caller, running: Experiment) -> None:
    decided(api, [decision_row(f"c{n}") for n in range(3)])
    moved = Assignment.objects.get(randomization_key="c1")
    Assignment.objects.filter(pk=moved.pk).update(arm=running.arms.exclude(pk=moved.arm_id).get())
    (decision,) = moved.decisions.all()
    assert list(redraw(workspace)) == [
        "offers: c1 has another arm or propensity than its draw gives",
        f"decision {decision.pk}: its arm gives another action or propensity",
    ]


def test_an_action_that_was_changed_is_found(workspace: Workspace, api: Caller, tmp_path: Path) -> None:
    running_with(workspace, tmp_path, experiment={"traffic": 0.000001}, policies=[RANDOM])
    decided(api, [decision_row(f"c{n}") for n in range(5)])
    changed = Decision.objects.filter(draw__isnull=False).earliest("pk")
    Decision.objects.filter(pk=changed.pk).update(draw=(changed.draw or 0) + 1)
    assert list(redraw(workspace)) == [f"decision {changed.pk}: its draw gives another action"]


@pytest.mark.slow
def test_100_000_decisions_are_drawn_again(workspace: Workspace, tmp_path: Path) -> None:
    running_with(workspace, tmp_path, experiment={"traffic": 0.5}, policies=[RANDOM])
    for start in range(0, 100_000, 1000):
        rows = [decision_row(f"c{n}", n % 97 / 97) for n in range(start, start + 1000)]
        assert all(one.status == "accepted" for one in decide(workspace=workspace, raw=rows).taken)
    assert Decision.objects.count() == 100_000
    assert Decision.objects.filter(draw__isnull=False).count() + Assignment.objects.count() > 85_000
    assert list(redraw(workspace)) == []
