"""Decisions by the champion, and what every policy would have done."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from experiments import randomization
from experiments.models import Decision, Experiment, Holdout, Policy
from tests.conftest import START, Caller, decided, decision_row
from tests.experiments.design import CHURN, apply, decide, declared, running_with, told
from workspaces.errors import Refusal
from workspaces.models import Workspace

BY_CLUSTER = {"cluster": "household", "cool_down": {"days": 30, "of": "cluster"}}
CHAMPION = {"key": "now", "decision_point": "offer", "role": "champion"}
TABLE = {
    "kind": "table",
    "by": {"feature": "plan"},
    "table": [{"is": "basic", "action": "bonus"}, {"is": "gone", "action": "credit"}],
    "default": "none",
}
WORTH = {
    "kind": "expected_value",
    "inputs": {"at_stake": 300, "actions": {"bonus": {"effect": 0.1, "cost": 2}, "credit": {"effect": 0.2, "cost": 8}}},
}


# policies


def test_benchmarks_decide_nothing_and_say_what_they_would_have_done(
    api: Caller, workspace: Workspace, tmp_path: Path
) -> None:
    ladder = [
        {"key": "nobody", "kind": "fixed", "action": "none"},
        {"key": "anything", "kind": "random"},
        {"key": "everybody", "kind": "fixed", "action": "bonus"},
        {"key": "todays-rule", "kind": "bands", "bands": [{"from": 0.5, "action": "bonus"}]},
    ]
    policies = [one | {"decision_point": "offer", "role": "benchmark"} for one in ladder]
    declared(workspace, tmp_path, policies=[*policies, CHAMPION | WORTH])
    assert told(decide(api, "c1", 0.3)) == ("policy", "credit", 1.0, None)
    third = 1 / 3
    assert Decision.objects.get().would_have == {
        "nobody@1": {"none": 1, "bonus": 0, "credit": 0},
        "anything@1": {"none": third, "bonus": third, "credit": third},
        "everybody@1": {"none": 0, "bonus": 1, "credit": 0},
        "todays-rule@1": {"none": 1, "bonus": 0, "credit": 0},
        "now@1": {"none": 0, "bonus": 0, "credit": 1},
    }


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


def test_a_champion_with_a_table_decides_by_a_feature(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    declared(workspace, tmp_path, policies=[CHAMPION | TABLE])
    actions = {}
    for plan in ("basic", "plus", "gone", None):
        row = decision_row(f"c-{plan}")
        row["prediction"]["features"]["plan"] = plan
        actions[plan] = api.post("/decisions", row).body["action"]["key"]
    # who has no contract, or maybe none, may not get the credit
    assert actions == {"basic": "bonus", "plus": "none", "gone": "none", None: "none"}


def test_a_champion_with_a_table_decides_by_the_segment(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    table = [{"is": "shop", "action": "bonus"}, {"is": "顧客", "action": "none"}]
    declared(workspace, tmp_path, policies=[CHAMPION | TABLE | {"by": "segment", "table": table, "default": "credit"}])
    found = {segment: decide(api, f"c-{segment}", segment=segment) for segment in ("shop", "顧客", "web")}
    found[""] = decide(api, "c")
    assert {segment: answer["action"]["key"] for segment, answer in found.items()} == {
        "shop": "bonus", "顧客": "none", "web": "credit", "": "credit",
    }  # fmt: skip
    # the record says by which segment
    kept = {str(decision.pk): decision.segment for decision in Decision.objects.all()}
    assert kept == {answer["decision_id"]: segment for segment, answer in found.items()}


def test_a_champion_by_expected_value_decides_by_what_pays(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    declared(workspace, tmp_path, policies=[CHAMPION | WORTH])
    actions = [decide(api, f"c{score}", score)["action"]["key"] for score in (0.05, 0.15, 0.21, 0.99)]
    assert actions == ["none", "bonus", "credit", "credit"]
    row = decision_row("c", 0.99)
    row["prediction"]["features"]["plan"] = "gone"
    assert api.post("/decisions", row).body["action"]["key"] == "bonus"


def test_stop_or_wait_turns_at_the_threshold(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    costs = {"stop": 9_250, "wait": 1_500}
    worth = {"at_stake": 31_100 - 1_500, "actions": {one: {"effect": 0, "cost": cost} for one, cost in costs.items()}}
    worth["actions"]["stop"]["effect"] = 1
    declared(
        workspace,
        tmp_path,
        point={"candidates": ["stop", "wait"], "baseline": "stop", "eligibility": []},
        experiment={"arms": [{"action": "stop"}, {"action": "wait"}], "baseline": "stop"},
        actions=[*CHURN["actions"], *({"key": one, "name": one} for one in costs)],
        policies=[CHAMPION | WORTH | {"inputs": worth}],
    )
    actions = [decide(api, f"m{score}", score)["action"]["key"] for score in (0.08, 0.2618, 0.2619, 0.6)]
    assert actions == ["wait", "wait", "stop", "stop"]


def test_the_inputs_are_frozen_in_the_version(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    declared(workspace, tmp_path, policies=[CHAMPION | WORTH])
    assert decide(api, "c1", 0.3)["action"]["key"] == "credit"
    cheaper = {"at_stake": 30, "actions": WORTH["inputs"]["actions"]}
    apply(workspace, tmp_path, policies=[CHAMPION | WORTH | {"inputs": cheaper}])
    assert decide(api, "c2", 0.3)["action"]["key"] == "none"
    assert [policy.content["inputs"]["at_stake"] for policy in Policy.objects.order_by("version")] == [300, 30]
    would = dict(Decision.objects.values_list("unit_id", "would_have"))
    assert would == {
        "c1": {"now@1": {"none": 0, "bonus": 0, "credit": 1}},
        "c2": {"now@2": {"none": 1, "bonus": 0, "credit": 0}},
    }


REFUSED: list[tuple[Any, str, str]] = [
    (TABLE | {"by": {"feature": "age"}}, "/by/feature", "the model knows plan, tenure, vip"),
    (TABLE | {"by": {"column": "plan"}}, "/by", "by == {'column': 'plan'}, must be segment or {feature: NAME}"),
    (TABLE | {"by": {"feature": 3}}, "/by", "Expected `str`, got `int`"),
    (TABLE | {"table": [{"if": "basic", "action": "bonus"}]}, "/table/0", "a row of the table has 'action' and 'is'"),
    (TABLE | {"table": [{"is": 3, "action": "bonus"}]}, "/table/0/is", "is == 3, a number, but plan is a text"),
    (TABLE | {"table": [{"is": "basic", "action": "call"}]}, "/table/0/action", "candidates are none, bonus, credit"),
    (TABLE | {"default": "call"}, "/default", "'call' is no candidate"),
    (TABLE | {"action": "bonus"}, "", "kind table goes with by, default, table, got action, by, default, table"),
    (WORTH | {"inputs": 300}, "/inputs", "Expected `object"),
    (WORTH | {"inputs": {"at_stake": 300}}, "/inputs", "got {'at_stake': 300}"),
    (WORTH | {"inputs": {"at_stake": "300", "actions": {}}}, "/inputs/at_stake", "at_stake == '300', must be a number"),
    (WORTH | {"inputs": {"at_stake": 300, "actions": {}}}, "/inputs/actions", "'bonus' has no inputs; give"),
]


@pytest.mark.parametrize(("policy", "pointer", "said"), REFUSED)
def test_a_policy_that_could_not_decide_is_refused_by_its_place(
    workspace: Workspace, tmp_path: Path, policy: Any, pointer: str, said: str
) -> None:
    with pytest.raises(Refusal) as refusal:
        declared(workspace, tmp_path, policies=[CHAMPION | policy])
    assert refusal.value.pointer == pointer
    assert said in refusal.value.detail
    assert not Policy.objects.exists()


@pytest.mark.parametrize(
    ("policy", "model", "pointer"),
    [
        (TABLE, {"features": {"tenure": "number"}}, "/features"),
        (TABLE, {"features": {"tenure": "number", "plan": "number"}}, "/features"),
        (WORTH, {"task": "regression"}, "/task"),
    ],
)
def test_a_model_still_gives_what_policies_need(
    workspace: Workspace, tmp_path: Path, policy: Any, model: Any, pointer: str
) -> None:
    declared(workspace, tmp_path, point={"eligibility": []}, policies=[CHAMPION | policy])
    with pytest.raises(Refusal, match="change policy now first") as refusal:
        apply(workspace, tmp_path, models=[CHURN["models"][0] | model])
    assert (refusal.value.code, refusal.value.pointer) == ("in-use", pointer)


def test_a_random_champion_draws_with_its_salt(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    declared(workspace, tmp_path, policies=[CHAMPION | {"kind": "random"}])
    rows = [decision_row(f"c{number}", 0.3) for number in range(90)]
    answers = [answer["decision"] for answer in decided(api, rows)]
    actions = ["none", "bonus", "credit"]
    shares = [333_334, 333_333, 333_333]
    salt = Policy.objects.get().salt
    for decision in Decision.objects.select_related("action"):
        place, point = randomization.draw(salt, f"crm\x1f{decision.event_id}", shares)
        assert (decision.action.key, decision.draw) == (actions[place], point)
        assert decision.propensity == shares[place] / 1_000_000
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
        {"key": "plan", "decision_point": "offer", **TABLE},
        {"key": "pays", "decision_point": "offer", **WORTH},
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
        "plan@1": {"none": 0, "bonus": 1, "credit": 0},
        "pays@1": {"none": 0, "bonus": 0, "credit": 1},
    }
    assert kept["c2"]["try@1"] == {"none": 1, "bonus": 0, "credit": 0}
    assert kept["c2"]["pays@1"] == {"none": 0, "bonus": 1, "credit": 0}
    assert kept["c3"] == {
        "now@1": {"none": 0.5, "bonus": 0.5},
        "try@1": {"none": 0, "bonus": 1},
        "all@1": {"none": 1, "bonus": 0},
        "plan@1": {"none": 1, "bonus": 0},
        "pays@1": {"none": 0, "bonus": 1},
    }
    # a new version is another policy
    apply(Workspace.objects.get(pk=workspace.pk), tmp_path, policies=[policies[2] | {"action": "bonus"}])
    decide(api, "c4")
    assert set(Decision.objects.get(unit_id="c4").would_have) == {"now@1", "try@1", "all@2", "plan@1", "pays@1"}


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
