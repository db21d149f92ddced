"""Several experiments at one decision point, each in a layer of its own."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from experiments import randomization
from experiments.draws import redraw
from experiments.models import Assignment, Experiment
from experiments.selectors import experiment_named
from experiments.services.lifecycle import change_status
from tests.conftest import START, Caller, caller, decided, decision_row, race
from tests.experiments.design import EXPERIMENT, POINT, apply, decide, running_with, told
from tests.experiments.invariants.visits import start
from tests.experiments.test_races import insist
from workspaces import clock
from workspaces.errors import Refusal
from workspaces.models import Workspace

PRICING: Any = {"key": "pricing", "layer": "prices", "arms": [{"action": "none"}, {"action": "credit"}]}


def add(workspace: Workspace, folder: Path, **changes: Any) -> Experiment:
    """Start another experiment at the same decision point, a day later."""
    workspace.refresh_from_db()
    clock.advance(workspace, START + timedelta(days=1))
    apply(workspace, folder, experiments=[EXPERIMENT | PRICING | changes])
    return start(experiment_named(workspace, (PRICING | changes)["key"]))


def test_a_unit_enters_the_first_that_takes_it(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    offers = running_with(workspace, tmp_path, experiment={"traffic": 0.4})
    pricing = add(workspace, tmp_path, traffic=0.5)
    answers = decided(api, [decision_row(f"c{n}", at=START + timedelta(days=2)) for n in range(200)])
    for one in answers:
        decision = one["decision"]
        first = randomization.within(offers.traffic_salt, decision["unit_id"], 400_000)
        second = randomization.within(pricing.traffic_salt, decision["unit_id"], 500_000)
        assert decision["experiment"] == ("offers" if first else "pricing" if second else None)
        assert decision["action"]["key"] in {"offers": ("none", "bonus"), "pricing": ("none", "credit")}.get(
            decision["experiment"], ("none",)
        )
    assert len({one["decision"]["experiment"] for one in answers}) == 3
    # every unit is in one experiment, and keeps its arm
    assert Counter(Assignment.objects.values_list("unit_id", flat=True)).most_common(1)[0][1] == 1
    again = decided(api, [decision_row(f"c{n}", event=f"again-{n}", at=START + timedelta(days=3)) for n in range(200)])
    assert [told(one["decision"]) for one in again] == [told(one["decision"]) for one in answers]
    assert list(redraw(workspace)) == []


def test_who_may_not_have_the_arms_of_one_may_enter_another(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    running_with(workspace, tmp_path, experiment=PRICING | {"key": "offers"})
    add(workspace, tmp_path, key="second", layer="other", arms=[{"action": "none"}, {"action": "bonus"}])
    row = decision_row("c1", at=START + timedelta(days=2))
    row["prediction"]["features"]["plan"] = "gone"  # no credit without a contract
    assert api.post("/decisions", row).body["experiment"] == "second"
    assert decide(api, "c2", day=2)["experiment"] == "offers"
    # it keeps its arm when it could have the others too
    assert decide(api, "c1", day=3)["experiment"] == "second"


def test_a_later_start_takes_nobody_away(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    running_with(workspace, tmp_path)
    before = {unit: told(decide(api, unit)) for unit in ("c1", "c2", "c3")}
    add(workspace, tmp_path, key="a-first-by-key", layer="a")
    assert {unit: told(decide(api, unit, day=2)) for unit in before} == before
    assert decide(api, "new", day=2)["experiment"] == "offers"


def test_units_of_a_closed_one_keep_their_arms_and_others_go_on(
    api: Caller, workspace: Workspace, tmp_path: Path
) -> None:
    offers = running_with(workspace, tmp_path)
    arm = decide(api, "c1")["arm"]
    add(workspace, tmp_path)
    change_status(experiment=offers, step="close", actor="test")
    found = decide(api, "c1", day=2)
    assert (found["experiment"], found["arm"]) == ("offers", arm)
    assert decide(api, "c2", day=2)["experiment"] == "pricing"
    # once it is decided its units are free
    change_status(experiment=offers, step="conclude", actor="test")
    assert decide(api, "c1", day=3)["experiment"] == "pricing"


def test_layers_stop_each_by_itself(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    running_with(workspace, tmp_path, experiment={"traffic": 0.5})
    pricing = add(workspace, tmp_path)
    units = [f"c{n}" for n in range(20)]
    before = {unit: decide(api, unit, day=2) for unit in units}
    assert {one["experiment"] for one in before.values()} == {"offers", "pricing"}
    change_status(experiment=pricing, step="abort", actor="test")
    for unit in units:
        found = decide(api, unit, day=3)
        assert found["mode"] == ("randomized" if before[unit]["experiment"] == "offers" else "fallback")
        assert found["arm"] == before[unit]["arm"]


def test_horizons_are_those_of_the_experiment_that_took_it(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    running_with(workspace, tmp_path, experiment={"traffic": 0.5})
    add(workspace, tmp_path, horizon_days=30)
    decided(api, [decision_row(f"c{n}", at=START + timedelta(days=2)) for n in range(20)])
    windows = {(one.experiment.key, one.matures_at - one.first_decision_at) for one in Assignment.objects.all()}
    assert windows == {("offers", timedelta(days=90)), ("pricing", timedelta(days=30))}


def test_units_and_clusters_stand_beside_each_other(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    running_with(workspace, tmp_path, point={"cluster": "household"}, experiment={"traffic": 0.3})
    homes = add(workspace, tmp_path, randomize="cluster")
    rows = [decision_row(f"c{n}", at=START + timedelta(days=2), cluster_id=f"home{n % 8}") for n in range(48)]
    decided(api, rows)
    decided(api, [row | {"event_id": f"again-{row['unit_id']}"} for row in rows])
    for home in range(8):
        assert (
            Assignment.objects.filter(experiment=homes, cluster_id=f"home{home}").values("arm").distinct().count() == 1
        )
    assert Assignment.objects.count() == 48
    assert list(redraw(workspace)) == []


def test_a_decision_point_where_several_run_can_not_change(workspace: Workspace, tmp_path: Path) -> None:
    running_with(workspace, tmp_path)
    add(workspace, tmp_path)
    with pytest.raises(Refusal) as refusal:
        apply(workspace, tmp_path, decision_points=[POINT | {"horizon_days": 30}])
    assert refusal.value.code == "in-use"


@pytest.mark.django_db(transaction=True)
def test_16_threads_leave_every_unit_in_one_experiment(workspace: Workspace, tmp_path: Path) -> None:
    running_with(workspace, tmp_path, experiment={"traffic": 0.5})
    add(workspace, tmp_path, method="blocks")
    secret = caller(workspace).secret

    def send(place: int) -> Any:
        units = [f"c{(place * 7 + step) % 30}" for step in range(30)]
        rows = [decision_row(unit, event=f"{unit}/{place}", at=START + timedelta(days=2)) for unit in units]
        return insist(secret, {"decisions": rows})["results"]

    found: dict[str, set[Any]] = {}
    for some in race(16, send):
        for one in some:
            decision = one["decision"]
            found.setdefault(decision["unit_id"], set()).add((decision["experiment"], decision["arm"]))
    assert len(found) == Assignment.objects.count() == 30
    assert all(len(one) == 1 for one in found.values())
    assert {experiment for one in found.values() for experiment, _ in one} == {"offers", "pricing"}
