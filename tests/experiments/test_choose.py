"""Which way a request goes, and what its decision then says."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from experiments import randomization
from experiments.models import Assignment, Decision, Experiment, Holdout, Policy
from experiments.services.lifecycle import change_status
from impact.config.declarations import apply_files
from tests.conftest import DECLARED, START, Caller, decided, decision_row
from tests.experiments.design import THREE_ARMS, apply, declared, running_with
from workspaces.models import Workspace

BY_CLUSTER = {"cluster": "household", "cool_down": {"days": 30, "of": "cluster"}}
CHAMPION = {"key": "now", "decision_point": "offer", "role": "champion"}


def decide(api: Caller, unit: str, score: float = 0.3, *, day: float = 0, **more: Any) -> Any:
    """One decision about a unit, so many days after the start."""
    row = decision_row(unit, score, event=f"{unit}/{day}", at=START + timedelta(days=day), **more)
    answer = api.post("/decisions", row)
    assert answer.status_code == 200, answer.body
    return answer.body


def told(answer: Any) -> tuple[str, str, float, str | None]:
    return answer["mode"], answer["action"]["key"], answer["propensity"], answer["arm"]


def unit_of(api: Caller, arm: str, **more: Any) -> str:
    """The first unit that the experiment gives this arm."""
    for number in range(64):
        if decide(api, f"u{number}", **more)["arm"] == arm:
            return f"u{number}"
    raise AssertionError(f"no unit got {arm}")


# randomized


def test_a_hash_gives_every_unit_its_arm(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    experiment = running_with(workspace, tmp_path, experiment={"arms": THREE_ARMS})
    answers = decided(api, [decision_row(f"c{number}") for number in range(60)])
    assert {answer["decision"]["mode"] for answer in answers} == {"randomized"}
    for assignment in Assignment.objects.select_related("arm"):
        drawn = randomization.draw(experiment.salt, assignment.unit_id, [333_334, 333_333, 333_333])
        assert (assignment.arm.place, assignment.draw) == (drawn.arm, drawn.point)
        assert assignment.propensity == [0.333334, 0.333333, 0.333333][drawn.arm]
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


# holdout


def test_the_holdout_gets_the_baseline_before_any_draw(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    apply_files(workspace, [DECLARED / "churn.yaml", DECLARED / "holdout.yaml"], "test")
    running_with(workspace, tmp_path, policies=[CHAMPION | {"kind": "fixed", "action": "credit"}])
    answers = decided(api, [decision_row(f"c{number}") for number in range(100)])
    held = {a["decision"]["unit_id"] for a in answers if a["decision"]["mode"] == "holdout"}
    assert held == {f"c{n}" for n in range(100) if randomization.within("holdout-1", f"c{n}", 500_000)}
    assert 30 < len(held) < 70
    for decision in Decision.objects.filter(mode="holdout").select_related("action"):
        assert (decision.action.key, decision.propensity, decision.assignment, decision.draw) == ("none", 1, None, None)
    assert not Assignment.objects.filter(unit_id__in=held).exists()


def test_a_holdout_holds_from_its_beginning_to_its_end(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    declared(workspace, tmp_path)
    Holdout.objects.create(
        workspace=workspace, key="h", unit_type="customer", share_ppm=500_000, salt="holdout-1",
        valid_from=START + timedelta(days=1), valid_until=START + timedelta(days=2),
    )  # fmt: skip
    unit = next(f"c{n}" for n in range(64) if randomization.within("holdout-1", f"c{n}", 500_000))
    modes = [decide(api, unit, day=day)["mode"] for day in (0.999, 1, 1.999, 2)]
    assert modes == ["policy", "holdout", "holdout", "policy"]


def test_a_holdout_of_another_unit_type_holds_nobody(api: Caller, workspace: Workspace, running: Experiment) -> None:
    Holdout.objects.create(
        workspace=workspace, key="h", unit_type="machine", share_ppm=500_000, salt="holdout-1", valid_from=START
    )
    assert {a["decision"]["mode"] for a in decided(api, [decision_row(f"c{n}") for n in range(20)])} == {"randomized"}


# safety


def test_safety_is_never_randomized(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    point = {"safety": {"above": 0.9, "action": "credit"}}
    running_with(workspace, tmp_path, point=point)
    assert decide(api, "below", 0.9)["mode"] == "randomized"
    forced = decide(api, "above", 0.91)
    assert told(forced) == ("forced_safety", "credit", 1.0, None)
    assert forced["probabilities"] == {"none": 0, "bonus": 0, "credit": 1}
    assert not Assignment.objects.filter(unit_id="above").exists()


def test_safety_leaves_the_arm_of_who_has_one(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    running_with(workspace, tmp_path, point={"safety": {"above": 0.9, "action": "credit"}})
    first = decide(api, "c1")
    assert told(decide(api, "c1", 0.95, day=1))[:3] == ("forced_safety", "credit", 1.0)
    assert told(decide(api, "c1", 0.3, day=2)) == told(first)


# settled elsewhere


@pytest.mark.parametrize("mode", ["forced_capacity", "manual", "fallback"])
def test_what_was_settled_elsewhere_is_recorded_as_such(api: Caller, running: Experiment, mode: str) -> None:
    forced = {"mode": mode, "action": "credit", "reason": "no crew"}
    answer = decide(api, "c1", forced=forced)
    assert told(answer) == (mode, "credit", 1.0, None)
    assert answer["probabilities"] == {"none": 0, "bonus": 0, "credit": 1}
    assert Decision.objects.get().candidates["credit"] == {"probability": 1.0, "reason": "no crew"}
    assert not Assignment.objects.exists()
    assert decide(api, "c1", forced=forced)["replayed"]


def test_what_was_settled_elsewhere_leaves_the_arm(api: Caller, running: Experiment) -> None:
    first = decide(api, "c1")
    forced = {"mode": "manual", "action": "credit"}
    assert told(decide(api, "c1", day=1, forced=forced)) == ("manual", "credit", 1.0, None)
    assert told(decide(api, "c1", day=2)) == told(first)


def test_what_was_settled_elsewhere_is_above_the_rules(api: Caller, running: Experiment) -> None:
    answer = decide(api, "c1", 0.05, forced={"mode": "manual", "action": "bonus"})
    assert told(answer)[:3] == ("manual", "bonus", 1.0)
    assert "bonus" not in answer["ineligible"] and "credit" in answer["ineligible"]


@pytest.mark.parametrize(
    ("forced", "pointer"),
    [
        ({"mode": "manual", "action": "gift"}, "/forced/action"),
        ({"mode": "randomized", "action": "bonus"}, "/forced/mode"),
        ({"mode": "manual"}, "/forced/action"),
        ({"mode": "manual", "action": "bonus", "why": "x"}, "/forced/why"),
    ],
)
def test_refuses_what_cannot_have_been_settled(api: Caller, running: Experiment, forced: Any, pointer: str) -> None:
    answer = api.post("/decisions", decision_row("c1", forced=forced))
    assert answer.status_code == 422 and answer.body["errors"][0]["pointer"] == pointer
    assert not Decision.objects.exists()


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
    drawn = [arms[randomization.draw(experiment.salt, key, [500_000] * 2).arm] for key in keys]
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


# policies


def test_without_a_champion_nothing_is_done(api: Caller, churn: Experiment) -> None:
    answer = decide(api, "c1")
    assert told(answer) == ("policy", "none", 1.0, None)
    assert answer["probabilities"] == {"none": 1, "bonus": 0, "credit": 0}


def test_a_fixed_champion_decides(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    declared(workspace, tmp_path, policies=[CHAMPION | {"kind": "fixed", "action": "bonus"}])
    assert told(decide(api, "c1")) == ("policy", "bonus", 1.0, None)
    assert told(decide(api, "c2", 0.05)) == ("policy", "none", 1.0, None)


def test_a_champion_with_bands_decides_by_the_score(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    bands = [{"from": 0.2, "action": "bonus"}, {"from": 0.6, "action": "credit"}]
    declared(workspace, tmp_path, policies=[CHAMPION | {"kind": "bands", "bands": bands}])
    actions = [decide(api, f"c{score}", score)["action"]["key"] for score in (0.15, 0.2, 0.59, 0.6, 0.99)]
    assert actions == ["none", "bonus", "bonus", "credit", "credit"]


def test_a_random_champion_draws_with_its_salt(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    declared(workspace, tmp_path, policies=[CHAMPION | {"kind": "random"}])
    rows = [decision_row(f"c{number}", 0.3) for number in range(90)]
    answers = [answer["decision"] for answer in decided(api, rows)]
    actions = ["none", "bonus", "credit"]
    shares = [333_334, 333_333, 333_333]
    salt = Policy.objects.get().salt
    for decision in Decision.objects.select_related("action"):
        drawn = randomization.draw(salt, f"crm\x1f{decision.event_id}", shares)
        assert (decision.action.key, decision.draw) == (actions[drawn.arm], drawn.point)
        assert decision.propensity == shares[drawn.arm] / 1_000_000
    assert {answer["action"]["key"] for answer in answers} == set(actions)
    assert all(sum(answer["probabilities"].values()) == pytest.approx(1, abs=1e-12) for answer in answers)


def test_a_random_champion_draws_among_the_eligible(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    declared(workspace, tmp_path, policies=[CHAMPION | {"kind": "random"}])
    answer = decide(api, "c1", 0.05)
    assert (told(answer), answer["probabilities"]) == (("policy", "none", 1.0, None), {"none": 1.0})
    row = decision_row("c2")
    row["prediction"]["features"]["plan"] = "gone"
    answer = api.post("/decisions", row).body
    assert answer["probabilities"] == {"none": 0.5, "bonus": 0.5}


def test_what_every_policy_would_have_done_is_kept(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    bands = [{"from": 0.2, "action": "bonus"}]
    policies = [
        CHAMPION | {"kind": "random"},
        {"key": "try", "decision_point": "offer", "kind": "bands", "bands": bands, "role": "challenger"},
        {"key": "all", "decision_point": "offer", "kind": "fixed", "action": "credit"},
    ]
    running_with(workspace, tmp_path, policies=policies)
    decide(api, "c1")
    decide(api, "c2", 0.15)
    row = decision_row("c3")
    row["prediction"]["features"]["plan"] = "gone"
    api.post("/decisions", row)
    third = 1 / 3
    kept = dict(Decision.objects.values_list("unit_id", "would_have"))
    assert kept["c1"] == {
        "now@1": {"none": third, "bonus": third, "credit": third},
        "try@1": {"none": 0, "bonus": 1, "credit": 0},
        "all@1": {"none": 0, "bonus": 0, "credit": 1},
    }
    assert kept["c2"]["try@1"] == {"none": 1, "bonus": 0, "credit": 0}
    assert kept["c3"] == {
        "now@1": {"none": 0.5, "bonus": 0.5},
        "try@1": {"none": 0, "bonus": 1},
        "all@1": {"none": 1, "bonus": 0},
    }
    # a new version is another policy
    apply(Workspace.objects.get(pk=workspace.pk), tmp_path, policies=[policies[2] | {"action": "bonus"}])
    decide(api, "c4")
    assert set(Decision.objects.get(unit_id="c4").would_have) == {"now@1", "try@1", "all@2"}


@pytest.mark.parametrize("way", ["holdout", "safety"])
def test_policies_choose_among_the_eligible_whatever_the_mode(
    api: Caller, workspace: Workspace, tmp_path: Path, way: str
) -> None:
    point = {"safety": {"above": 0.01, "action": "none"}} if way == "safety" else {}
    declared(workspace, tmp_path, point=point, policies=[CHAMPION | {"kind": "fixed", "action": "credit"}])
    if way == "holdout":
        Holdout.objects.create(
            workspace=workspace, key="h", unit_type="customer", share_ppm=500_000, salt="holdout-1", valid_from=START
        )
    unit = next(f"c{n}" for n in range(64) if randomization.within("holdout-1", f"c{n}", 500_000))
    answer = decide(api, unit, 0.05)
    assert answer["mode"] in ("holdout", "forced_safety")
    assert set(answer["ineligible"]) == {"bonus", "credit"}
    assert Decision.objects.get().would_have == {"now@1": {"none": 1.0}}
