"""Live experiments that randomized clusters, or their periods: one row a unit, errors by what was drawn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from experiments.models import Assignment, ClusterArm, Experiment
from impact.agreements.plan import from_content
from impact.analysis.services import analyze
from impact.ledger.models import Outcome
from impact.stats.clusters import ClusterSums, cr2
from impact.stats.effects import TEffect
from impact.stats.policies import clustered_policies, clustered_random
from tests.analysis.ground import Ground, on, rows_of
from tests.conftest import Caller, decided, decision_row
from tests.experiments.design import AGREEMENT, running_with
from workspaces.models import Workspace

POINT: Any = {"cluster": "household"}


def played(workspace: Workspace, api: Caller, experiment: Experiment, days: tuple[int, ...] = (0,)) -> Ground:
    """Fifty households of two to four; some leave, more of them in some households."""
    ground = Ground(workspace, experiment)
    for day in days:
        sent = [
            decision_row(
                f"c{home}-{n}", 0.3 if n else 0.7, event=f"{home}-{n}-{day}", at=on(day), cluster_id=f"home{home}"
            )
            for home in range(50)
            for n in range(2 + home % 3)
        ]
        decided(api, sent)
    for assignment in Assignment.objects.select_related("arm").order_by("unit_id", "occasion"):
        home, n = (int(part) for part in assignment.unit_id.removeprefix("c").split("-"))
        if (home * 7 + n + assignment.occasion) % (3 if assignment.arm.key == "none" else 4) == 0:
            ground.outcome(assignment.unit_id, (assignment.first_decision_at - on(0)).days + 5)
    ground.feed(800)
    return ground


def test_a_row_is_a_unit_and_errors_are_by_cluster(workspace: Workspace, api: Caller, tmp_path: Path) -> None:
    experiment = running_with(workspace, tmp_path, point=POINT, experiment={"randomize": "cluster", "salt": "s1"})
    ground = played(workspace, api, experiment)
    assert from_content(experiment.plan).clustered
    document: Any = analyze(experiment=experiment, as_of=on(400)).document
    rows = Assignment.objects.count()
    assert sum(arm["n"] for arm in document["money"]["arms"]) == rows == 149
    [block] = document["money"]["comparisons"]
    # the same by hand
    nets, arms, homes = [], [], []
    left = set(Outcome.objects.values_list("unit_id", flat=True))
    for assignment in Assignment.objects.select_related("arm"):
        arms.append(assignment.arm.key)
        homes.append(assignment.cluster_id)
        nets.append(-300.0 * (assignment.unit_id in left) - (1.7 if assignment.arm.key == "bonus" else 0.0))
    due = cr2(ClusterSums.from_arrays({"net": np.array(nets)}, np.array(arms), np.array(homes)), {"net": 1.0},
              "bonus", "none")  # fmt: skip
    assert (block["net"]["effect"], block["net"]["se"]) == pytest.approx((due.estimate, due.se))
    ratio = next(check for check in document["checks"] if check["id"] == "sample_ratio")
    # draws are counted, not rows
    assert sum(ratio["numbers"]["counts"].values()) == ClusterArm.objects.count() == 50
    assert ratio["passed"] and ground.workspace == workspace


def test_policies_and_the_ladder_are_valued_by_cluster(workspace: Workspace, api: Caller, tmp_path: Path) -> None:
    """A rule that gives the bonus to high scores, to units whose households were drawn."""
    rule = {"key": "high", "decision_point": "offer", "kind": "bands", "bands": [{"from": 0.5, "action": "bonus"}]}
    year = {"cases_per_year": 1000, "running_per_year": 1, "deploys": "high"}
    experiment = running_with(
        workspace, tmp_path, point=POINT, experiment={"randomize": "cluster", "salt": "s1"}, policies=[rule],
        agreements=[AGREEMENT | {"deployment": year}],
    )  # fmt: skip
    played(workspace, api, experiment)
    document: Any = analyze(experiment=experiment, as_of=on(400)).document
    nets, rows = [], list(Assignment.objects.select_related("arm"))
    left = set(Outcome.objects.values_list("unit_id", flat=True))
    for assignment in rows:
        nets.append(-300.0 * (assignment.unit_id in left) - 1.7 * (assignment.arm.key == "bonus"))
    sums = ClusterSums.from_arrays(
        {"net": np.array(nets)},
        np.array([one.arm.key for one in rows]),
        np.array([one.cluster_id for one in rows]),
        np.array(["bonus" if one.unit_id.endswith("0") else "none" for one in rows]),
    )
    nobody = {"bonus": "none", "none": "none"}
    due = clustered_policies(sums, {"net": 1.0}, {"bonus": "bonus", "none": "none"}, nobody)
    ladder = {one["rung"]: one for one in document["value_ladder"]["rungs"]}
    assert isinstance(due, TEffect)
    assert (ladder["model"]["effect"], ladder["model"]["se"]) == pytest.approx((due.estimate, due.se))
    everybody = clustered_policies(sums, {"net": 1.0}, {"bonus": "bonus", "none": "bonus"}, nobody)
    any_action = clustered_random(sums, {"net": 1.0}, ["none", "bonus"], "none")
    assert isinstance(everybody, TEffect) and isinstance(any_action, TEffect)
    assert ladder["best_single"]["se"] == pytest.approx(everybody.se)
    assert ladder["random"]["se"] == pytest.approx(any_action.se) == pytest.approx(everybody.se / 2)
    readings = {one["estimator"]: one for one in document["policies"] if one["against"] == "nobody"}
    assert {one["status"] for one in readings.values()} == {"estimated"}
    assert readings["stratified"]["se"] == pytest.approx(due.se)
    assert readings["snips"]["effect"] == pytest.approx(due.estimate, abs=2 * due.se)
    assert document["value_statement"]["policy"] == "high"


def test_a_period_of_a_cluster_is_what_was_drawn(workspace: Workspace, api: Caller, tmp_path: Path) -> None:
    point = POINT | {"cool_down": {"days": 30}}
    design = {"randomize": "cluster-period", "period_days": 30, "horizon_days": 30, "salt": "s1"}
    experiment = running_with(workspace, tmp_path, point=point, experiment=design)
    ground = played(workspace, api, experiment, days=(0, 30, 60))
    snapshot = ground.frozen(from_content(experiment.plan))
    frozen = rows_of(snapshot, "rows")
    assert len(frozen) == len({row["row"] for row in frozen}) == 3 * 149
    assert len({row["unit"] for row in frozen}) == 149
    assert len({row["cluster"] for row in frozen}) == 150
    document: Any = analyze(experiment=experiment, as_of=on(400)).document
    assert document["snapshot"]["decisions"] == 3 * 149
    ratio = next(check for check in document["checks"] if check["id"] == "sample_ratio")
    assert sum(ratio["numbers"]["counts"].values()) == ClusterArm.objects.count() == 150
    assert document["money"]["comparisons"][0]["net"]["status"] == "estimated"
