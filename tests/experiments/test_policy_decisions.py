"""Decisions by the champion, and what every policy would have done."""

from __future__ import annotations

from pathlib import Path

import pytest

from experiments import randomization
from experiments.models import Decision, Experiment, Holdout, Policy
from tests.conftest import START, Caller, decided, decision_row
from tests.experiments.design import apply, decide, declared, running_with, told
from workspaces.models import Workspace

BY_CLUSTER = {"cluster": "household", "cool_down": {"days": 30, "of": "cluster"}}
CHAMPION = {"key": "now", "decision_point": "offer", "role": "champion"}


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
