"""Which way a request goes, and what its decision then says."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from experiments import randomization
from experiments.models import Assignment, Decision, Experiment
from experiments.services.lifecycle import change_status
from tests.conftest import START, Caller, decided, decision_row
from tests.experiments.design import THREE_ARMS, decide, declared, running_with, told, unit_of
from workspaces.models import Workspace

BY_CLUSTER = {"cluster": "household", "cool_down": {"days": 30, "of": "cluster"}}
CHAMPION = {"key": "now", "decision_point": "offer", "role": "champion"}


# randomized


def test_a_hash_gives_every_unit_its_arm(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    experiment = running_with(workspace, tmp_path, experiment={"arms": THREE_ARMS})
    answers = decided(api, [decision_row(f"c{number}") for number in range(60)])
    assert {answer["decision"]["mode"] for answer in answers} == {"randomized"}
    for assignment in Assignment.objects.select_related("arm"):
        place, point = randomization.draw(experiment.salt, assignment.unit_id, [333_334, 333_333, 333_333])
        assert (assignment.arm.place, assignment.draw) == (place, point)
        assert assignment.propensity == [0.333334, 0.333333, 0.333333][place]
    for answer in answers:
        decision = answer["decision"]
        assert decision["probabilities"] == {"none": 0.333334, "bonus": 0.333333, "credit": 0.333333}
        assert decision["propensity"] == decision["probabilities"][decision["action"]["key"]]
    assert {answer["decision"]["action"]["key"] for answer in answers} == {"none", "bonus", "credit"}


def test_the_window_opens_at_the_first_decision(api: Caller, running: Experiment) -> None:
    first, second = decide(api, "c1"), decide(api, "c1", day=5)
    assignment = Assignment.objects.get()
    assert (assignment.first_decision_at, assignment.matures_at) == (START, START + timedelta(days=90))
    assert (first["arm"], first["experiment"]) == (second["arm"], "offers") == (assignment.arm.key, "offers")
    assert datetime.fromisoformat(second["matures_at"]) == START + timedelta(days=95)


def test_covariates_and_segments_are_frozen_at_the_assignment(
    api: Caller, workspace: Workspace, tmp_path: Path
) -> None:
    strata = [{"score": {"L": 0.0, "M": 0.2, "H": 0.5}}, "segment"]
    running_with(workspace, tmp_path, experiment={"covariates": ["tenure"], "strata": strata})
    decide(api, "c1", 0.3, segment="shop")
    decide(api, "c1", 0.9, day=1, segment="web")
    assignment = Assignment.objects.get()
    assert assignment.covariates == {"tenure": 12.0}
    assert assignment.segments == {"score_band": "M", "segment": "shop"}
    assert assignment.stratum == "M|shop"


# who enters


@pytest.mark.parametrize(
    ("score", "features", "refused"),
    [
        (0.05, {}, {"bonus": "too unlikely to leave", "credit": "too unlikely to leave"}),
        (0.3, {"plan": "gone"}, {"credit": "no contract"}),
        (0.3, {"plan": None}, {"credit": "plan missing"}),
    ],
)
def test_who_may_not_have_every_arm_does_not_enter(
    api: Caller, workspace: Workspace, tmp_path: Path, score: float, features: Any, refused: Any
) -> None:
    running_with(workspace, tmp_path, experiment={"arms": THREE_ARMS})
    row = decision_row("c1", score)
    row["prediction"]["features"] |= features
    answer = api.post("/decisions", row).body
    assert told(answer) == ("policy", "none", 1.0, None)
    assert answer["ineligible"] == refused
    assert sum(answer["probabilities"].values()) == 1
    assert not Assignment.objects.exists()


def test_an_action_that_is_in_no_arm_may_be_refused(api: Caller, running: Experiment) -> None:
    row = decision_row("c1")
    row["prediction"]["features"]["plan"] = "gone"
    answer = api.post("/decisions", row).body
    assert (answer["mode"], answer["ineligible"]) == ("randomized", {"credit": "no contract"})


def test_a_part_of_the_traffic_enters(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    experiment = running_with(workspace, tmp_path, experiment={"traffic": 0.3, "salt": "s1"})
    answers = decided(api, [decision_row(f"c{number}") for number in range(200)])
    for answer in answers:
        decision = answer["decision"]
        inside = randomization.within(experiment.traffic_salt, decision["unit_id"], 300_000)
        assert decision["mode"] == ("randomized" if inside else "policy")
    entered = Counter(answer["decision"]["mode"] for answer in answers)["randomized"]
    assert 40 < entered < 80
    assert Assignment.objects.count() == entered


def test_nobody_enters_after_the_enrolment_is_over(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    until = START + timedelta(days=10)
    running_with(workspace, tmp_path, experiment={"enrolment": {"until": until}})
    early = decide(api, "early")
    assert decide(api, "just", day=9.999)["mode"] == "randomized"
    assert told(decide(api, "late", day=10)) == ("policy", "none", 1.0, None)
    assert told(decide(api, "early", day=11)) == told(early)


# blocks


def test_blocks_are_balanced_within_strata(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    design = {
        "method": "blocks",
        "strata": [{"score": {"L": 0.0, "H": 0.5}}, "segment"],
        "arms": [{"action": "none", "weight": 2}, {"action": "bonus"}],
    }
    experiment = running_with(workspace, tmp_path, experiment=design)
    cells = [(0.3, "shop"), (0.9, "shop"), (0.3, "web"), (0.9, "web")]
    rows = [decision_row(f"c{n}", cells[n % 4][0], segment=cells[n % 4][1]) for n in range(48)]
    for part in (rows[:5], rows[5:30], rows[30:]):
        decided(api, part)
    for stratum in ("L|shop", "H|shop", "L|web", "H|web"):
        arms = list(
            Assignment.objects.filter(stratum=stratum).order_by("draw").values_list("draw", "arm__place", "propensity")
        )
        assert [position for position, _, _ in arms] == list(range(12))
        for position, place, propensity in arms:
            assert place == randomization.permuted(experiment.salt, stratum, position, [2, 1]).arm
            assert propensity == [2 / 3, 1 / 3][place]
        for block in range(4):
            assert sorted(place for _, place, _ in arms[3 * block : 3 * block + 3]) == [0, 0, 1]


def test_rows_that_do_not_enter_take_no_position(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    point = {"safety": {"above": 0.95, "action": "none"}}
    running_with(workspace, tmp_path, point=point, experiment={"method": "blocks"})
    scores = [0.3, 0.05, 0.99, 0.3, 0.05, 0.99, 0.3, 0.3]
    decided(api, [decision_row(f"c{number}", score) for number, score in enumerate(scores)])
    decided(api, [decision_row("c0", 0.4, event="again"), decision_row("c9")])
    assert sorted(Assignment.objects.values_list("draw", flat=True)) == [0, 1, 2, 3, 4]


# what does not move an arm


def test_an_arm_stays_through_pause_resume_and_close(api: Caller, running: Experiment) -> None:
    first = {arm: decide(api, unit_of(api, arm), day=0.5) for arm in ("none", "bonus")}
    for day, step in enumerate(("pause", "resume", "close"), start=1):
        change_status(experiment=running, step=step, actor="test")
        for answer in first.values():
            assert told(decide(api, answer["unit_id"], day=day)) == told(answer)
        new = decide(api, f"new-{step}", day=day)
        assert (new["mode"], new["arm"] is None) == (("randomized", False) if step == "resume" else ("policy", True))


def test_after_an_abort_everybody_gets_the_baseline(api: Caller, running: Experiment) -> None:
    unit = unit_of(api, "bonus")
    change_status(experiment=running, step="abort", actor="test")
    assert told(decide(api, unit, day=1)) == ("fallback", "none", 1.0, "bonus")
    assert told(decide(api, "new", day=1)) == ("policy", "none", 1.0, None)
    assert Assignment.objects.get(unit_id=unit).arm.key == "bonus"


def test_after_the_conclusion_the_point_goes_its_ordinary_way(api: Caller, running: Experiment) -> None:
    unit = unit_of(api, "bonus")
    for step in ("close", "conclude"):
        change_status(experiment=running, step=step, actor="test")
    assert told(decide(api, unit, day=1)) == ("policy", "none", 1.0, None)


def test_an_arm_that_may_not_be_had_today_is_not_given(api: Caller, running: Experiment) -> None:
    unit = unit_of(api, "bonus")
    assert told(decide(api, unit, 0.05, day=1)) == ("policy", "none", 1.0, "bonus")
    assert told(decide(api, unit, 0.3, day=2)) == ("randomized", "bonus", 0.5, "bonus")


# cool-down


def test_a_unit_cools_down(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    policies = [CHAMPION | {"kind": "fixed", "action": "credit"}]
    declared(workspace, tmp_path, point={"cool_down": {"days": 30}}, policies=policies)
    assert told(decide(api, "c1")) == ("policy", "credit", 1.0, None)
    for day in (0.001, 29.999):
        cooling = decide(api, "c1", day=day)
        assert told(cooling) == ("policy", "none", 1.0, None)
        assert cooling["ineligible"] == {"bonus": "cool-down", "credit": "cool-down"}
    assert told(decide(api, "c2", day=1)) == ("policy", "credit", 1.0, None)
    assert told(decide(api, "c1", day=30)) == ("policy", "credit", 1.0, None)
    assert told(decide(api, "c1", day=59.9)) == ("policy", "none", 1.0, None)
    assert list(Decision.objects.filter(unit_id="c1").order_by("decided_at").values_list("episode", flat=True)) == [
        1, 1, 1, 2, 2,
    ]  # fmt: skip


def test_doing_nothing_counts_for_the_cool_down_too(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    running_with(workspace, tmp_path, point={"cool_down": {"days": 30}})
    unit = unit_of(api, "none")
    assert decide(api, unit, day=10)["ineligible"] == {"bonus": "cool-down", "credit": "cool-down"}


def test_who_may_have_nothing_does_not_begin_to_cool(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    running_with(workspace, tmp_path, point={"cool_down": {"days": 30}})
    assert decide(api, "c1", 0.05)["mode"] == "policy"
    assert decide(api, "c1", day=1)["mode"] == "randomized"


def test_an_arm_is_kept_while_its_unit_cools(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    running_with(workspace, tmp_path, point={"cool_down": {"days": 30}})
    unit = unit_of(api, "bonus")
    assert told(decide(api, unit, day=10)) == ("policy", "none", 1.0, "bonus")
    assert told(decide(api, unit, day=30)) == ("randomized", "bonus", 0.5, "bonus")


def test_a_cluster_cools_down_together(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    policies = [CHAMPION | {"kind": "fixed", "action": "credit"}]
    declared(workspace, tmp_path, point=BY_CLUSTER, policies=policies)
    assert decide(api, "c1", cluster_id="home")["action"]["key"] == "credit"
    assert decide(api, "c2", day=1, cluster_id="home")["ineligible"]["credit"] == "cool-down"
    assert decide(api, "c3", day=1, cluster_id="elsewhere")["action"]["key"] == "credit"
    assert decide(api, "c2", day=30, cluster_id="home")["action"]["key"] == "credit"


def test_rows_of_one_batch_see_each_other_cool(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    running_with(workspace, tmp_path, point=BY_CLUSTER)
    rows = [decision_row(f"c{number}", cluster_id="home") for number in range(3)]
    modes = [answer["decision"]["mode"] for answer in decided(api, rows)]
    assert modes == ["randomized", "policy", "policy"]
    assert Assignment.objects.count() == 1


def test_a_cluster_is_asked_for(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    declared(workspace, tmp_path, point=BY_CLUSTER)
    answer = api.post("/decisions", decision_row("c1"))
    assert (answer.status_code, answer.body["errors"][0]["pointer"]) == (422, "/cluster_id")


# episodes


def test_every_episode_is_drawn_anew(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    experiment = running_with(
        workspace, tmp_path, point={"cool_down": {"days": 90}}, experiment={"randomize": "episode", "salt": "s1"}
    )
    answers = [decide(api, "c1", day=90 * episode) for episode in range(8)]
    assert {answer["mode"] for answer in answers} == {"randomized"}
    keys = [f"c1#{episode}" for episode in range(1, 9)]
    assert list(Assignment.objects.order_by("first_decision_at").values_list("randomization_key", flat=True)) == keys
    arms = ["none", "bonus"]
    drawn = [arms[randomization.draw(experiment.salt, key, [500_000] * 2)[0]] for key in keys]
    assert [answer["arm"] for answer in answers] == drawn
    assert len(set(drawn)) == 2


def test_an_episode_keeps_its_arm(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    running_with(workspace, tmp_path, point={"cool_down": {"days": 90}}, experiment={"randomize": "episode"})
    first = decide(api, "c1")
    assert told(decide(api, "c1", day=30)) == ("policy", "none", 1.0, first["arm"])
    assert Assignment.objects.count() == 1


def test_a_unit_that_joins_a_cooling_cluster_waits(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    point = BY_CLUSTER | {"cool_down": {"days": 90, "of": "cluster"}}
    running_with(workspace, tmp_path, point=point, experiment={"randomize": "episode"})
    assert decide(api, "c1", cluster_id="home")["mode"] == "randomized"
    assert told(decide(api, "c2", day=1, cluster_id="home")) == ("policy", "none", 1.0, None)
    assert decide(api, "c2", day=90, cluster_id="home")["mode"] == "randomized"
    keys = set(Assignment.objects.values_list("randomization_key", flat=True))
    assert keys == {"c1#1", "c2#2"}
