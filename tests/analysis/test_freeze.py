"""Freezing: the same rows give the same bytes, units stay unknown, and damage is found."""

from __future__ import annotations

import os
import shutil
from datetime import timedelta, timezone
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from experiments.models import Assignment
from impact.agreements.plan import from_content
from impact.analysis.files import TABLES, damaged, directory
from impact.analysis.freeze import freeze
from impact.analysis.models import Snapshot
from impact.ledger.models import Cost, Outcome
from tests.analysis.ground import WORTH, Ground, forget, on, paths, plan, rows_of
from tests.conftest import Caller, decision_row, loaded
from workspaces.models import Workspace

PLAN = plan(value=[WORTH], covariates=["age"], segments=["band"])


def people(ground: Ground, backwards: bool = False) -> None:
    """Put down five rows with their events, in one order or the other."""
    units = [f"unit-{number}" for number in range(5)]
    for place, unit in enumerate(reversed(units) if backwards else units):
        number = 4 - place if backwards else place
        ground.row(
            unit, ("none", "bonus")[number % 2], day=number, covariates={"age": number}, segments={"band": "low"},
            cluster_id=f"line-{number}",
        )  # fmt: skip
        ground.outcome(unit, number + 1, number)
        ground.cost(unit, number + 1, 0.5)


def counts(snapshot: Snapshot) -> dict[str, int]:
    return {name: table["rows"] for name, table in snapshot.manifest["tables"].items()}


def test_the_same_rows_are_the_same_snapshot(ground: Ground) -> None:
    people(ground)
    ground.feed(400)
    first = ground.frozen(PLAN)
    forget(Assignment, Outcome, Cost)
    people(ground, backwards=True)
    assert ground.frozen(PLAN) == first
    assert Snapshot.objects.count() == 1


def test_one_more_event_is_another_snapshot(ground: Ground) -> None:
    people(ground)
    first = ground.frozen(PLAN)
    ground.outcome("unit-1", 20)
    assert ground.frozen(PLAN).sha256 != first.sha256


def test_the_time_is_the_same_in_every_zone(ground: Ground) -> None:
    people(ground)
    elsewhere = on(400).astimezone(timezone(timedelta(hours=9)))
    assert freeze(experiment=ground.experiment, plan=PLAN, as_of=elsewhere) == ground.frozen(PLAN)


def test_files_and_counts_are_in_the_manifest(api: Caller, ground: Ground) -> None:
    people(ground)
    api.post("/decisions", {"decisions": [decision_row("x"), decision_row("y", score=0.01)]})
    ground.feed(300)
    ground.feed(100, source="other")
    snapshot = ground.frozen(PLAN)
    manifest = snapshot.manifest
    assert counts(snapshot) == {"rows": 6, "decisions": 2, "executions": 0, "outcomes": 5, "costs": 5}
    assert manifest["enrolment_over"] is False
    assert manifest["feeds"] == {"churned": round(on(100).timestamp() * 1e6)}
    assert {name: len(files) for name, files in manifest["files"].items()} == {
        "rows": 1, "decisions": 1, "executions": 0, "outcomes": 1, "costs": 1,
    }  # fmt: skip
    assert damaged(snapshot) == []


def test_no_units_id_leaves_the_database(api: Caller, ground: Ground) -> None:
    people(ground)
    api.post("/decisions", decision_row("unit-known"))
    snapshot = ground.frozen(PLAN)
    for file in (path for name in TABLES for path in paths(snapshot, name)):
        for row in pq.read_table(file).to_pylist():
            assert not [cell for cell in row.values() if "unit" in str(cell) or "line-" in str(cell)]
        assert b"unit-" not in file.read_bytes()


def test_pseudonyms_tell_clusters_apart_in_one_workspace_only(
    workspace: Workspace, other_workspace: Workspace, tmp_path: Path
) -> None:
    rows = "unit,arm,y\nu1,a,1\nu1,b,2\nu2,a,3\nu2,b,4\n"
    clusters = []
    for one in (workspace, other_workspace):
        experiment = loaded(one, tmp_path, rows, cluster={"column": "unit"})
        snapshot = freeze(experiment=experiment, plan=from_content(experiment.plan), as_of=on(1))
        clusters.append({row["cluster"] for row in rows_of(snapshot, "rows")})
    assert [len(one) for one in clusters] == [2, 2]
    assert not clusters[0] & clusters[1]


def test_only_what_was_known_by_then_is_frozen(ground: Ground) -> None:
    people(ground)
    ground.outcome("unit-0", 50, received_at=on(70))
    ground.outcome("unit-0", 1, type="called")
    ground.outcome("stranger", 1)
    ground.cost("stranger", 1, 9.0)
    early, late = ground.frozen(PLAN, as_of=3.5), ground.frozen(PLAN, as_of=70)
    # whose a row is, its window says
    assert counts(early) == {"rows": 4, "decisions": 0, "executions": 0, "outcomes": 4, "costs": 4}
    assert counts(late) == {"rows": 5, "decisions": 0, "executions": 0, "outcomes": 7, "costs": 6}
    assert ground.measured(PLAN, as_of=3.5).events == {"decisions": 0, "outcomes": 3, "costs": 3}


def test_rows_keep_what_was_known_at_assignment(ground: Ground) -> None:
    ground.row("u", "bonus", stratum="low|L1", phase="2", cluster_id="L1", covariates={"age": 7}, propensity=0.25)
    [row] = rows_of(ground.frozen(PLAN), "rows")
    assert {name: row[name] for name in ("arm", "stratum", "phase", "propensity", "planned_cost")} == {
        "arm": "bonus", "stratum": "low|L1", "phase": "2", "propensity": 0.25, "planned_cost": 1.7,
    }  # fmt: skip
    assert (row["covariate age"], row["segment band"]) == (7.0, "")
    assert len({row["row"], row["unit"], row["cluster"]}) == 2


@pytest.mark.parametrize("name", ["rows", "outcomes", "costs"])
def test_a_damaged_file_is_found(ground: Ground, name: str) -> None:
    people(ground)
    snapshot = ground.frozen(PLAN)
    [file] = paths(snapshot, name)
    content = file.read_bytes()
    file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert damaged(snapshot) == [file.name]
    file.unlink()
    assert damaged(snapshot) == [file.name]


def test_an_altered_manifest_is_found(ground: Ground) -> None:
    people(ground)
    snapshot = ground.frozen(PLAN)
    snapshot.manifest["feeds"] = {"churned": 0}
    assert damaged(snapshot) == ["manifest"]


def test_a_lost_folder_is_written_again(ground: Ground) -> None:
    people(ground)
    snapshot = ground.frozen(PLAN)
    shutil.rmtree(directory(ground.workspace.key))
    assert ground.frozen(PLAN) == snapshot
    assert damaged(snapshot) == []


def test_nothing_is_left_behind_when_writing_fails(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    people(ground)
    ground.frozen(PLAN)
    before = sorted(os.listdir(directory(ground.workspace.key)))

    def full(*arguments: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("impact.analysis.files.with_contents_on_disk", full)
    with pytest.raises(OSError, match="No space left"):
        ground.frozen(PLAN, as_of=1)
    assert sorted(os.listdir(directory(ground.workspace.key))) == before
    assert Snapshot.objects.count() == 1
