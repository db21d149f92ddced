"""Ramps: other weights or another share of the traffic while an experiment runs, for the keys still to come."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from experiments import randomization
from experiments.models import Assignment, BlockCounter, Experiment
from experiments.services.lifecycle import change_status
from impact.agreements.models import Agreement
from tests.conftest import START, Caller, decided, decision_row
from tests.experiments.design import CHURN, EXPERIMENT, apply, declared, running_with, told
from workspaces import clock
from workspaces.declarations import Change
from workspaces.models import AuditEntry, Workspace

NINE = [{"action": "none", "weight": 9}, {"action": "bonus"}]
EVEN = [{"action": "none"}, {"action": "bonus"}]


def ramp(workspace: Workspace, folder: Path, **changed: Any) -> Change:
    """Declare the running experiment once more, otherwise."""
    (change,) = apply(Workspace.objects.get(pk=workspace.pk), folder, experiments=[EXPERIMENT | changed])
    return change


visits = count()


def answers_of(api: Caller, last: int) -> dict[str, Any]:
    """Answers about the first so many units, by unit."""
    visit = next(visits)
    rows = [decision_row(f"c{number}", event=f"{visit}/{number}") for number in range(last)]
    return {row["decision"]["unit_id"]: row["decision"] for row in decided(api, rows)}


@pytest.mark.parametrize("paused", [False, True])
def test_other_weights_open_a_phase(api: Caller, workspace: Workspace, tmp_path: Path, paused: bool) -> None:
    experiment = running_with(workspace, tmp_path, experiment={"arms": NINE})
    if paused:
        change_status(experiment=experiment, step="pause", actor="test")
    clock.advance(Workspace.objects.get(), START + timedelta(days=1))
    change = ramp(workspace, tmp_path, arms=EVEN)
    assert (change.did, change.fields) == ("changed", {"weights": ([9, 1], [1, 1])})
    assert [(one.number, one.weights, one.traffic_ppm, one.opened_at) for one in experiment.phases.all()] == [
        (1, {"none": 9, "bonus": 1}, 1_000_000, START),
        (2, {"none": 1, "bonus": 1}, 1_000_000, START + timedelta(days=1)),
    ]
    assert AuditEntry.objects.order_by("pk").last().subject == "offers"
    assert ramp(workspace, tmp_path, arms=EVEN).did == "unchanged"
    assert experiment.phases.count() == 2


def test_later_keys_are_drawn_by_the_weights_of_their_phase_and_nobody_moves(
    api: Caller, workspace: Workspace, tmp_path: Path
) -> None:
    experiment = running_with(workspace, tmp_path, experiment={"arms": NINE, "salt": "s1"})
    before = answers_of(api, 40)
    ramp(workspace, tmp_path, arms=EVEN, salt="s1")
    after = answers_of(api, 80)
    for number in range(80):
        unit = f"c{number}"
        shares = [900_000, 100_000] if number < 40 else [500_000, 500_000]
        drawn, _ = randomization.draw("s1", unit, shares)
        assert told(after[unit])[1:3] == (["none", "bonus"][drawn], shares[drawn] / 1_000_000)
        if number < 40:
            assert told(after[unit]) == told(before[unit])
            assert after[unit]["probabilities"] == {"none": 0.9, "bonus": 0.1, "credit": 0.0}
    phases = dict(Assignment.objects.filter(experiment=experiment).values_list("unit_id", "phase"))
    assert phases == {f"c{number}": "1" if number < 40 else "2" for number in range(80)}


def test_more_traffic_lets_more_keys_in(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    experiment = running_with(workspace, tmp_path, experiment={"traffic": 0.2})
    answers_of(api, 60)
    change = ramp(workspace, tmp_path, traffic=0.7)
    assert change.fields == {"traffic_ppm": (200_000, 700_000)}
    answers_of(api, 60)
    for number in range(60):
        entered = Assignment.objects.filter(unit_id=f"c{number}").first()
        parts = [randomization.within(experiment.traffic_salt, f"c{number}", ppm) for ppm in (200_000, 700_000)]
        assert (entered and entered.phase) == ("1" if parts[0] else "2" if parts[1] else None)
    ramp(workspace, tmp_path, traffic=0.1)
    assert sum(one["mode"] == "randomized" for one in answers_of(api, 60).values()) == Assignment.objects.count()


def test_blocks_begin_anew_in_every_phase(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    design = {"method": "blocks", "salt": "s1", "strata": [{"score": {"L": 0.0}}]}
    running_with(workspace, tmp_path, experiment=design)
    answers_of(api, 5)
    ramp(workspace, tmp_path, **design, arms=NINE)
    answers_of(api, 25)
    found = {"1": 5, "2": 20}
    assert dict(BlockCounter.objects.values_list("phase", "taken")) == found
    for phase, taken in found.items():
        weights = [1, 1] if phase == "1" else [9, 1]
        drawn = list(Assignment.objects.filter(phase=phase).order_by("draw").values_list("draw", "arm__place"))
        places = [randomization.permuted("s1", "L", position, weights, phase).arm for position in range(taken)]
        assert drawn == list(enumerate(places))
    assert Assignment.objects.filter(phase="2", arm__key="bonus").count() == 2


def test_the_plan_keeps_the_weights_that_were_signed(workspace: Workspace, tmp_path: Path) -> None:
    experiment = running_with(workspace, tmp_path, experiment={"arms": NINE})
    ramp(workspace, tmp_path, arms=EVEN)
    whole = CHURN | {"experiments": [EXPERIMENT | {"arms": EVEN}]}
    changes = apply(Workspace.objects.get(), tmp_path, **whole)
    assert {change.did for change in changes} == {"unchanged"}
    experiment.refresh_from_db()
    assert experiment.plan_sha256 == Agreement.objects.get().sha256
    assert [arm["weight"] for arm in experiment.plan["arms"]] == [9, 1]


def test_a_draft_has_no_phases(workspace: Workspace, tmp_path: Path) -> None:
    experiment: Experiment = declared(workspace, tmp_path)
    ramp(workspace, tmp_path, arms=NINE)
    assert experiment.phases.count() == 0


def test_the_list_says_the_phases(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    running_with(workspace, tmp_path, experiment={"arms": NINE, "traffic": 0.5})
    ramp(workspace, tmp_path, arms=EVEN, traffic=1.0)
    (one,) = api.get("/experiments").body["experiments"]
    assert [(phase["number"], phase["weights"], phase["traffic"]) for phase in one["phases"]] == [
        (1, {"none": 9, "bonus": 1}, 0.5),
        (2, {"none": 1, "bonus": 1}, 1.0),
    ]
