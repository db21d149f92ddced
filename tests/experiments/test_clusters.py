"""Clusters that are randomized whole, or period by period: the first decision draws the arm, and all units keep it."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from experiments import randomization
from experiments.draws import redraw
from experiments.models import Assignment, BlockCounter, ClusterArm, Experiment
from experiments.services.lifecycle import change_status
from tests.conftest import START, Caller, caller, decided, decision_row, race
from tests.experiments.design import CHURN, EXPERIMENT, apply, decide, declared, running_with, told
from tests.experiments.test_races import insist
from workspaces.errors import Refusal
from workspaces.models import Workspace

POINT: Any = {"cluster": "household"}
CLUSTERS = {"randomize": "cluster"}
PERIODS = {"randomize": "cluster-period", "period_days": 30, "horizon_days": 30}
COOLING: Any = POINT | {"cool_down": {"days": 30}}


def rows(units: int, clusters: int, **more: Any) -> list[Any]:
    return [decision_row(f"c{n}", cluster_id=f"home{n % clusters}", **more) for n in range(units)]


def arms_by_cluster(answers: list[Any]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for one in answers:
        home = Assignment.objects.get(unit_id=one["decision"]["unit_id"]).cluster_id
        found.setdefault(home, set()).add(one["decision"]["arm"])
    return found


@pytest.mark.parametrize("method", ["hash", "blocks"])
def test_units_of_a_cluster_share_one_draw(api: Caller, workspace: Workspace, tmp_path: Path, method: str) -> None:
    running = running_with(workspace, tmp_path, point=POINT, experiment=CLUSTERS | {"method": method})
    found = arms_by_cluster([*decided(api, rows(24, 8)), *decided(api, [
        decision_row(f"late{n}", cluster_id=f"home{n}") for n in range(8)
    ])])  # fmt: skip
    assert all(len(arms) == 1 for arms in found.values())
    assert {arm for arms in found.values() for arm in arms} == {"none", "bonus"}
    # one row a unit, one draw a cluster
    assert (Assignment.objects.count(), ClusterArm.objects.count()) == (32, 8)
    for cluster in ClusterArm.objects.all():
        units = Assignment.objects.filter(randomization_key=cluster.randomization_key)
        assert set(units.values_list("arm", "propensity", "draw", "phase", "stratum", "occasion")) == {
            (cluster.arm_id, 0.5, cluster.draw, "1", "", 0)
        }
        if method == "hash":
            place, point = randomization.draw(running.salt, cluster.randomization_key, [500_000, 500_000])
            assert (cluster.arm.place, cluster.draw) == (place, point)
    if method == "blocks":
        assert BlockCounter.objects.get().taken == 8
        assert Counter(ClusterArm.objects.values_list("arm__key", flat=True)) == {"none": 4, "bonus": 4}
    assert list(redraw(workspace)) == []


def test_blocks_are_balanced_within_strata_of_clusters(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    design = CLUSTERS | {"method": "blocks", "strata": [{"feature": "plan"}]}
    running_with(workspace, tmp_path, point=POINT, experiment=design)
    sent = rows(40, 20)
    for place, row in enumerate(sent):
        # the second unit of a household has another plan, but its household has its stratum
        row["prediction"]["features"]["plan"] = ["basic", "plus"][(place % 20 < 12) ^ (place >= 20)]
    decided(api, sent)
    counts = Counter(ClusterArm.objects.values_list("stratum", "arm__key"))
    assert counts == {("plus", "none"): 6, ("plus", "bonus"): 6, ("basic", "none"): 4, ("basic", "bonus"): 4}
    assert Assignment.objects.filter(stratum="plus").count() == 24
    assert list(redraw(workspace)) == []


def test_the_gate_lets_whole_clusters_in(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    running = running_with(workspace, tmp_path, point=POINT, experiment=CLUSTERS | {"traffic": 0.5})
    decided(api, rows(60, 30))
    entered = set(Assignment.objects.values_list("cluster_id", flat=True))
    assert entered == {f"home{n}" for n in range(30) if randomization.within(running.traffic_salt, f"home{n}", 500_000)}
    assert 5 < len(entered) < 25
    assert Assignment.objects.count() == 2 * len(entered)


def test_a_unit_that_moves_keeps_its_arm(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    running_with(workspace, tmp_path, point=POINT, experiment=CLUSTERS)
    decided(api, rows(16, 8))
    arms = dict(ClusterArm.objects.values_list("randomization_key", "arm__key"))
    mine = arms["home0"]
    other = next(home for home, arm in arms.items() if arm != mine)
    assert decide(api, "c0", day=1, cluster_id=other)["arm"] == mine
    assert Assignment.objects.get(unit_id="c0").cluster_id == "home0"


def test_a_cluster_keeps_arm_phase_and_propensity_for_units_of_later_phases(
    api: Caller, workspace: Workspace, tmp_path: Path
) -> None:
    running_with(workspace, tmp_path, point=POINT, experiment=CLUSTERS)
    decided(api, rows(8, 8))
    arms = dict(ClusterArm.objects.values_list("randomization_key", "arm__key"))
    weights = [{"action": "none", "weight": 1}, {"action": "bonus", "weight": 99}]
    apply(workspace, tmp_path, experiments=[EXPERIMENT | CLUSTERS | {"arms": weights, "traffic": 0.000001}])
    for number in range(8):
        answer = decide(api, f"late{number}", cluster_id=f"home{number}")
        assert (answer["arm"], answer["propensity"]) == (arms[f"home{number}"], 0.5)
    assert set(Assignment.objects.values_list("phase", flat=True)) == {"1"}
    assert list(redraw(workspace)) == []


def test_a_paused_experiment_draws_no_new_cluster_and_splits_none(
    api: Caller, workspace: Workspace, tmp_path: Path
) -> None:
    running = running_with(workspace, tmp_path, point=POINT, experiment=CLUSTERS)
    arm = decide(api, "c1", cluster_id="home")["arm"]
    change_status(experiment=running, step="pause", actor="test")
    assert decide(api, "c2", cluster_id="home")["arm"] == arm
    assert told(decide(api, "c3", cluster_id="other")) == ("policy", "none", 1.0, None)
    change_status(experiment=running, step="close", actor="test")
    # enrolment is over: no more rows
    assert told(decide(api, "c4", cluster_id="home")) == ("policy", "none", 1.0, None)
    assert decide(api, "c1", day=1, cluster_id="home")["arm"] == arm
    assert (Assignment.objects.count(), ClusterArm.objects.count()) == (2, 1)


def test_units_that_may_not_have_every_arm_stay_out(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    running_with(workspace, tmp_path, point=POINT, experiment=CLUSTERS)
    answers = decided(api, [decision_row("c1", 0.05, cluster_id="home"), decision_row("c2", cluster_id="home")])
    assert [one["decision"]["mode"] for one in answers] == ["policy", "randomized"]


def test_capacity_counts_within_a_batch_of_one_cluster(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    limited = [one | {"capacity": {"count": 3, "per": "week"}} if one["key"] == "bonus" else one
               for one in CHURN["actions"]]  # fmt: skip
    running_with(workspace, tmp_path, point=POINT, experiment=CLUSTERS | {"method": "blocks"}, actions=limited)
    answers = [one["decision"] for one in decided(api, rows(20, 2))]
    assert sum(answer["action"]["key"] == "bonus" for answer in answers) == 3
    assert {answer["mode"] for answer in answers} == {"randomized", "forced_capacity"}
    assert ClusterArm.objects.count() == 2
    assert list(redraw(workspace)) == []


# periods


def test_every_period_of_a_cluster_is_drawn_anew(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    design = PERIODS | {"method": "blocks", "strata": ["cluster"]}
    running_with(workspace, tmp_path, point=COOLING, experiment=design)
    for period in range(8):
        found = {decide(api, f"c{n}", day=30 * period + n, cluster_id="home")["arm"] for n in range(3)}
        assert len(found) == 1
    keys = [f"home#{number}" for number in range(1, 9)]
    assert sorted(ClusterArm.objects.values_list("randomization_key", flat=True)) == keys
    # blocks within the cluster: as many periods with as without
    assert Counter(ClusterArm.objects.values_list("arm__key", flat=True)) == {"none": 4, "bonus": 4}
    assert sorted(Assignment.objects.filter(unit_id="c1").values_list("occasion", flat=True)) == list(range(1, 9))
    assert list(redraw(workspace)) == []


def test_no_event_falls_into_two_windows(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    running_with(workspace, tmp_path, point=COOLING, experiment=PERIODS)
    assert decide(api, "c1", day=29, cluster_id="home")["mode"] == "randomized"
    # the next period has begun, but the window of the first is open
    early = decide(api, "c1", day=31, cluster_id="home")
    assert (early["mode"], early["arm"]) == ("policy", None)
    assert decide(api, "c1", day=59, cluster_id="home")["mode"] == "randomized"
    first, second = Assignment.objects.order_by("first_decision_at")
    assert (first.occasion, second.occasion) == (1, 2)
    assert first.matures_at <= second.first_decision_at


def test_a_period_ends_on_the_microsecond(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    running = running_with(workspace, tmp_path, point=COOLING, experiment=PERIODS)
    running.refresh_from_db()
    assert running.started_at is not None
    end = running.started_at + timedelta(days=30)
    assert (running.period(end - timedelta(microseconds=1)), running.period(end)) == (1, 2)
    assert running.period(START - timedelta(days=99)) == 1


# what is refused

BAD: list[tuple[Any, Any, str, str]] = [
    ({}, CLUSTERS, "/randomize", "offer has no cluster"),
    (POINT, CLUSTERS | {"strata": [{"score": {"L": 0}}]}, "/strata/0", "a score is a unit's"),
    (POINT, CLUSTERS | {"strata": ["cluster"]}, "/strata/0", "a stratum of its own"),
    (POINT, CLUSTERS | {"period_days": 30}, "/period_days", "goes with randomize: cluster-period"),
    (COOLING, {"randomize": "cluster-period", "horizon_days": 30}, "/period_days", "that needs it"),
    (COOLING, PERIODS | {"period_days": 29}, "/period_days", "must be at least the horizon"),
    (POINT, PERIODS, "/randomize", "periods need a cool-down of at least the horizon"),
]


@pytest.mark.parametrize(("point", "experiment", "pointer", "said"), BAD)
def test_what_could_not_be_drawn_or_analysed_is_refused(
    workspace: Workspace, tmp_path: Path, point: Any, experiment: Any, pointer: str, said: str
) -> None:
    with pytest.raises(Refusal) as refusal:
        declared(workspace, tmp_path, point=point, experiment=experiment)
    assert (refusal.value.code, refusal.value.pointer) == ("invalid-declaration", pointer)
    assert said in refusal.value.detail


def test_a_decision_without_its_cluster_is_refused(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    running_with(workspace, tmp_path, point=POINT, experiment=CLUSTERS)
    answer = api.post("/decisions", decision_row("c1"))
    assert (answer.status_code, answer.body["errors"][0]["pointer"]) == (422, "/cluster_id")


def test_the_database_keeps_one_arm_a_cluster(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    running_with(workspace, tmp_path, point=POINT, experiment=CLUSTERS)
    decide(api, "c1", cluster_id="home")
    row = ClusterArm.objects.get()
    values = {field.attname: getattr(row, field.attname) for field in row._meta.fields[1:]}
    with pytest.raises(IntegrityError), transaction.atomic():
        ClusterArm.objects.create(**values)
    with pytest.raises(IntegrityError), transaction.atomic():
        Experiment.objects.update(randomizes="cluster-period", period_days=None)


def test_an_arm_of_a_cluster_that_was_moved_is_found(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    running = running_with(workspace, tmp_path, point=POINT, experiment=CLUSTERS)
    decide(api, "c1", cluster_id="home")
    cluster = ClusterArm.objects.get()
    ClusterArm.objects.update(arm=running.arms.exclude(pk=cluster.arm_id).get())
    assert list(redraw(workspace)) == ["offers: home has another arm or propensity than its draw gives"]


# many at once


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("method", ["hash", "blocks"])
def test_32_threads_meeting_new_clusters_draw_each_once(workspace: Workspace, tmp_path: Path, method: str) -> None:
    running_with(workspace, tmp_path, point=POINT, experiment=CLUSTERS | {"method": method})
    secret = caller(workspace).secret

    def send(place: int) -> Any:
        """Two units of each of six new clusters, met in another order by every thread."""
        homes = [(place * 5 + step) % 6 for step in range(6)]
        batch = [
            decision_row(f"c{place}-{home}-{n}", cluster_id=f"home{home}") for home in homes for n in range(2)
        ]  # fmt: skip
        return insist(secret, {"decisions": batch})["results"]

    answers = [one for some in race(32, send) for one in some]
    found: dict[str, set[str]] = {}
    for one in answers:
        found.setdefault(one["decision"]["unit_id"].split("-")[1], set()).add(one["decision"]["arm"])
    assert len(found) == 6 and all(len(arms) == 1 for arms in found.values())
    assert (Assignment.objects.count(), ClusterArm.objects.count()) == (384, 6)
    if method == "blocks":
        assert sorted(ClusterArm.objects.values_list("draw", flat=True)) == list(range(6))
        assert Counter(ClusterArm.objects.values_list("arm__key", flat=True)) == {"none": 3, "bonus": 3}
    assert list(redraw(workspace)) == []
