"""Arms that are policies: the unit draws the arm, the arm's policy gives the action."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from experiments import randomization
from experiments.draws import redraw
from experiments.models import Assignment, Decision, Policy
from tests.conftest import Caller, decided, decision_row
from tests.experiments.design import (
    CHURN,
    EXPERIMENT,
    LADDER,
    LADDER_ARMS,
    apply,
    decide,
    declared,
    running_with,
    told,
    unit_of,
)
from workspaces.errors import Refusal
from workspaces.models import Workspace

DESIGN = {"arms": LADDER_ARMS, "baseline": "nobody"}
RULE = LADDER[3]


def test_the_whole_ladder_runs_as_arms(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    running_with(workspace, tmp_path, experiment=DESIGN, policies=LADDER)
    for score, due in ((0.3, {"nobody": "none", "everybody": "bonus", "todays-rule": "none", "what-pays": "credit"}),
                       (0.6, {"nobody": "none", "everybody": "bonus", "todays-rule": "bonus", "what-pays": "credit"}),
                       (0.15, {"todays-rule": "none", "what-pays": "bonus"})):  # fmt: skip
        # so many that by chance no action of any arm stays out, whatever the salts are
        answers = decided(api, [decision_row(f"{score}-{n}", score) for n in range(400)])
        found = {(one["decision"]["arm"], one["decision"]["action"]["key"]) for one in answers}
        assert {arm for arm, _ in found} == {policy["key"] for policy in LADDER}
        assert {pair for pair in found if pair[0] in due} == set(due.items())
        assert {action for arm, action in found if arm == "anything"} == {"none", "bonus", "credit"}
    assert set(Assignment.objects.values_list("propensity", flat=True)) == {0.2}


def test_the_propensity_is_of_the_action_before_the_arm_was_drawn(
    api: Caller, workspace: Workspace, tmp_path: Path
) -> None:
    running_with(workspace, tmp_path, experiment=DESIGN, policies=LADDER)
    answer = decide(api, unit_of(api, "anything", day=1))
    # nothing: nobody, today's rule below its band, and a third of anything
    due = {"none": 0.2 + 0.2 + 0.2 * 0.333334, "bonus": 0.2 + 0.2 * 0.333333, "credit": 0.2 + 0.2 * 0.333333}
    assert answer["probabilities"] == pytest.approx(due, abs=1e-12)
    assert answer["propensity"] == answer["probabilities"][answer["action"]["key"]]
    assert list(redraw(workspace)) == []


def test_a_policy_that_mixes_draws_every_decision_anew_with_its_own_salt(
    api: Caller, workspace: Workspace, tmp_path: Path
) -> None:
    running_with(workspace, tmp_path, experiment=DESIGN, policies=LADDER)
    unit = unit_of(api, "anything")
    # that one of three never comes has a chance of 1 in 10,000,000,000
    answers = [decide(api, unit, day=day) for day in range(1, 61)]
    assert {answer["arm"] for answer in answers} == {"anything"}
    assert len({answer["action"]["key"] for answer in answers}) == 3
    salt = Policy.objects.get(key="anything").salt
    for decision in Decision.objects.filter(unit_id=unit).select_related("action"):
        place, point = randomization.draw(salt, f"crm\x1f{decision.event_id}", [333_334, 333_333, 333_333])
        assert decision.action is not None
        assert (decision.action.key, decision.draw) == (["none", "bonus", "credit"][place], point)


def test_who_enters_may_have_every_action_that_some_arm_could_give(
    api: Caller, workspace: Workspace, tmp_path: Path
) -> None:
    arms = [{"policy": "everybody"}, {"policy": "what-pays"}]
    running_with(workspace, tmp_path, experiment={"arms": arms, "baseline": "everybody"}, policies=LADDER)
    row = decision_row("c1", 0.11)  # a bonus by both policies, but the credit could be given another day
    row["prediction"]["features"]["plan"] = "gone"
    assert told(api.post("/decisions", row).body) == ("policy", "none", 1.0, None)
    assert not Assignment.objects.exists()
    assert decide(api, "c2", 0.11)["mode"] == "randomized"


def test_actions_and_policies_stand_beside_each_other(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    arms = [{"action": "none", "weight": 2}, {"policy": "todays-rule", "key": "rule"}, {"action": "bonus"}]
    running = running_with(workspace, tmp_path, experiment={"arms": arms, "baseline": "rule"}, policies=[RULE])
    assert list(running.arms.values_list("key", "is_baseline")) == [("none", False), ("rule", True), ("bonus", False)]
    unit = unit_of(api, "rule", score=0.6)
    answer = decide(api, unit, 0.6, day=3)
    assert (answer["action"]["key"], answer["propensity"]) == ("bonus", 0.5)
    # the score fell: the arm stays, and does what its policy says now
    answer = decide(api, unit, 0.4, day=4)
    assert (answer["arm"], answer["action"]["key"], answer["propensity"]) == ("rule", "none", 0.75)
    assert list(redraw(workspace)) == []


def test_an_arm_stays_with_the_version_it_started_with(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    design = {"arms": [{"action": "none"}, {"policy": "todays-rule"}]}
    running = running_with(workspace, tmp_path, experiment=design, policies=[RULE])
    unit = unit_of(api, "todays-rule", score=0.6)
    changed = RULE | {"bands": [{"from": 0.5, "action": "credit"}]}
    changes = apply(workspace, tmp_path, policies=[changed], experiments=[EXPERIMENT | design])
    assert [change.did for change in changes] == ["changed", "unchanged"]
    answer = decide(api, unit, 0.6, day=3)
    assert (answer["arm"], answer["action"]["key"]) == ("todays-rule", "bonus")
    assert running.arms.get(key="todays-rule").policy.version == 1
    would = Decision.objects.latest("decided_at").would_have
    assert would["todays-rule@1"]["bonus"] == would["todays-rule@2"]["credit"] == 1
    assert list(redraw(workspace)) == []


def test_a_draft_follows_the_newest_version(workspace: Workspace, tmp_path: Path) -> None:
    design = {"arms": [{"action": "none"}, {"policy": "todays-rule"}]}
    experiment = declared(workspace, tmp_path, experiment=design, policies=[RULE])
    changed = RULE | {"bands": [{"from": 0.6, "action": "bonus"}]}
    changes = apply(workspace, tmp_path, policies=[changed], experiments=[EXPERIMENT | design])
    assert [change.did for change in changes] == ["changed", "changed"]
    assert experiment.arms.get(key="todays-rule").policy.version == 2


def test_an_arm_of_a_former_version_is_no_champion(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    design = {"arms": [{"action": "none"}, {"policy": "todays-rule"}], "traffic": 0.000001}
    running_with(workspace, tmp_path, experiment=design, policies=[RULE | {"role": "champion"}])
    apply(workspace, tmp_path, policies=[RULE | {"role": "champion", "bands": [{"from": 0.5, "action": "credit"}]}])
    assert told(decide(api, "c1", 0.6)) == ("policy", "credit", 1.0, None)


REFUSED: list[tuple[Any, str, str]] = [
    ({}, "/arms/1", "an arm is an action or a policy"),
    ({"action": "bonus", "policy": "todays-rule"}, "/arms/1", "an arm is an action or a policy"),
    ({"policy": "nothing"}, "/arms/1/policy", "'nothing' is no policy of offer; declare it there first"),
    ({"policy": "elsewhere"}, "/arms/1/policy", "'elsewhere' is no policy of offer"),
    ({"policy": "todays-rule", "key": "none"}, "/arms", "must be two or more different ones"),
]


@pytest.mark.parametrize(("arm", "pointer", "said"), REFUSED)
def test_an_arm_that_could_not_decide_is_refused(
    workspace: Workspace, tmp_path: Path, arm: Any, pointer: str, said: str
) -> None:
    point = CHURN["decision_points"][0]
    with pytest.raises(Refusal) as refusal:
        apply(
            workspace,
            tmp_path,
            **CHURN
            | {
                "decision_points": [point, point | {"key": "elsewhere"}],
                "policies": [RULE, RULE | {"key": "elsewhere", "decision_point": "elsewhere"}],
                "experiments": [EXPERIMENT | {"arms": [{"action": "none"}, arm]}],
            },
        )
    assert (refusal.value.code, refusal.value.pointer) == ("invalid-declaration", pointer)
    assert said in refusal.value.detail


def test_a_policy_of_former_candidates_is_refused(workspace: Workspace, tmp_path: Path) -> None:
    declared(workspace, tmp_path, policies=LADDER)
    point = {"candidates": ["none", "bonus"], "eligibility": []}
    with pytest.raises(Refusal) as refusal:
        declared(workspace, tmp_path, point=point, experiment=DESIGN)
    assert refusal.value.pointer == "/arms/4/policy"
    assert "'credit' is no candidate" in refusal.value.detail


def test_what_is_used_up_is_given_by_no_arm(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    limited = [one | {"capacity": {"count": 2, "per": "week"}} if one["key"] == "credit" else one
               for one in CHURN["actions"]]  # fmt: skip
    running_with(workspace, tmp_path, experiment=DESIGN, policies=LADDER, actions=limited)
    answers = [one["decision"] for one in decided(api, [decision_row(f"c{n}") for n in range(40)])]
    modes = [answer["mode"] for answer in answers]
    first = modes.index("forced_capacity")
    assert modes == ["randomized"] * first + ["forced_capacity"] * (40 - first)
    assert sum(answer["action"]["key"] == "credit" for answer in answers) == 2


def test_a_changed_action_or_propensity_is_found(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    running_with(workspace, tmp_path, experiment=DESIGN, policies=LADDER)
    decided(api, [decision_row(f"c{n}") for n in range(10)])
    first, second = Decision.objects.order_by("pk")[:2]
    Decision.objects.filter(pk=first.pk).update(propensity=0.9)
    Decision.objects.filter(pk=second.pk).update(draw=(second.draw or 0) + 1)
    assert list(redraw(workspace)) == [
        f"decision {one.pk}: its arm gives another action or propensity" for one in (first, second)
    ]
