"""Live experiments that randomized clusters, or their periods: one row a unit, errors by what was drawn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from experiments.models import Assignment, ClusterArm, Experiment
from impact.agreements.plan import from_content
from impact.analysis.freeze import directory
from impact.analysis.services import analyze
from impact.stats.clusters import ClusterSums, cr2
from tests.analysis.ground import Ground, on
from tests.conftest import Caller, decided, decision_row
from tests.experiments.design import running_with
from workspaces.models import Workspace

POINT: Any = {"cluster": "household"}


def played(workspace: Workspace, api: Caller, experiment: Experiment, days: tuple[int, ...] = (0,)) -> Ground:
    """Fifty households of two to four; some leave, more of them in some households."""
    ground = Ground(workspace, experiment)
    for day in days:
        sent = [
            decision_row(f"c{home}-{n}", event=f"{home}-{n}-{day}", at=on(day), cluster_id=f"home{home}")
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
    from impact.ledger.models import Outcome

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


def test_a_period_of_a_cluster_is_what_was_drawn(workspace: Workspace, api: Caller, tmp_path: Path) -> None:
    point = POINT | {"cool_down": {"days": 30}}
    design = {"randomize": "cluster-period", "period_days": 30, "horizon_days": 30, "salt": "s1"}
    experiment = running_with(workspace, tmp_path, point=point, experiment=design)
    ground = played(workspace, api, experiment, days=(0, 30, 60))
    snapshot = ground.frozen(from_content(experiment.plan))
    [file] = directory(workspace.key, snapshot.sha256).glob("*-rows.parquet")
    frozen = pq.read_table(file).to_pylist()
    assert len(frozen) == len({row["row"] for row in frozen}) == 3 * 149
    assert len({row["unit"] for row in frozen}) == 149
    assert len({row["cluster"] for row in frozen}) == 150
    assert snapshot.manifest["assigned"] == 3 * 149
    document: Any = analyze(experiment=experiment, as_of=on(400)).document
    ratio = next(check for check in document["checks"] if check["id"] == "sample_ratio")
    assert sum(ratio["numbers"]["counts"].values()) == ClusterArm.objects.count() == 150
    assert document["money"]["comparisons"][0]["net"]["status"] == "estimated"
