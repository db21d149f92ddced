"""Declaring actions, holdouts, decision points, policies and experiments: twice the same is once."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from experiments.models import Action, Arm, DecisionPoint, Experiment, Holdout, Phase, Policy
from experiments.services.lifecycle import change_status
from impact.config.declarations import DECLARATIONS
from predictions.models import PredictionModel
from tests.conftest import START, Caller, decision_row
from tests.experiments.design import CHURN, EXPERIMENT, POINT, THREE_ARMS, apply, declared
from workspaces.errors import Refusal
from workspaces.models import AuditEntry, Workspace

POLICY = {"key": "now", "decision_point": "offer", "kind": "fixed", "action": "bonus", "role": "champion"}
HOLDOUT = {"key": "h", "unit_type": "customer", "share": 0.1, "valid_from": START}
ITEMS: dict[str, Any] = {
    "models": CHURN["models"][0],
    "actions": CHURN["actions"][1],
    "holdouts": HOLDOUT,
    "decision_points": POINT,
    "policies": POLICY,
    "experiments": EXPERIMENT,
}
MODELS: dict[str, Any] = {
    "models": PredictionModel,
    "actions": Action,
    "holdouts": Holdout,
    "decision_points": DecisionPoint,
    "policies": Policy,
    "experiments": Experiment,
}
# a change of each, and what it then says
CHANGES: dict[str, tuple[Any, Any]] = {
    "models": ({"name": "Leaves"}, {"name": ("Churn", "Leaves")}),
    "actions": (
        {"cost": {"fixed": 2.0}},
        {"fixed_cost": (1.0, 2.0), "contingent_cost": (2.0, 0.0), "acceptance_share": (0.35, 0.0)},
    ),
    "holdouts": ({"valid_until": START + timedelta(days=9)}, {"valid_until": (None, START + timedelta(days=9))}),
    "decision_points": ({"horizon_days": 60}, {"horizon_days": (90.0, 60.0)}),
    "policies": ({"action": "credit"}, {"content": ({"action": "bonus"}, {"action": "credit"})}),
    "experiments": ({"traffic": 0.5}, {"traffic_ppm": (1_000_000, 500_000)}),
}
VERSIONED = ("actions", "decision_points", "policies")


@pytest.fixture
def everything(workspace: Workspace, tmp_path: Path) -> Experiment:
    return declared(workspace, tmp_path, policies=[POLICY], holdouts=[HOLDOUT])


@pytest.mark.parametrize("name", ITEMS)
def test_is_created(everything: Experiment, workspace: Workspace, name: str) -> None:
    assert MODELS[name].objects.within(workspace).filter(key=ITEMS[name]["key"]).count() == 1
    kind = {"policies": "policy"}.get(name, name.rstrip("s").replace("_", " "))
    assert AuditEntry.objects.within(workspace).filter(action=f"declare {kind}", subject=ITEMS[name]["key"]).exists()


@pytest.mark.parametrize("name", ITEMS)
def test_is_unchanged_the_second_time(everything: Experiment, workspace: Workspace, tmp_path: Path, name: str) -> None:
    before = AuditEntry.objects.count()
    (change,) = apply(workspace, tmp_path, **{name: [ITEMS[name]]})
    assert (change.did, change.key, change.fields) == ("unchanged", ITEMS[name]["key"], {})
    assert AuditEntry.objects.count() == before
    assert MODELS[name].objects.within(workspace).filter(key=ITEMS[name]["key"]).count() == 1


@pytest.mark.parametrize("name", ITEMS)
def test_a_change_is_shown_and_audited(everything: Experiment, workspace: Workspace, tmp_path: Path, name: str) -> None:
    before = AuditEntry.objects.count()
    changed, fields = CHANGES[name]
    (change,) = apply(workspace, tmp_path, **{name: [ITEMS[name] | changed]})
    salts = {"policies": {"salt"}}.get(name, set())
    assert change.did == "changed"
    assert {field: values for field, values in change.fields.items() if field not in salts} == fields
    assert AuditEntry.objects.count() == before + 1
    rows = MODELS[name].objects.within(workspace).filter(key=ITEMS[name]["key"])
    if name in VERSIONED:
        assert list(rows.order_by("version").values_list("version", "is_current")) == [(1, False), (2, True)]
    else:
        assert rows.count() == 1


@pytest.mark.parametrize("name", ITEMS)
def test_a_key_is_of_one_workspace(
    everything: Experiment, other_workspace: Workspace, tmp_path: Path, name: str
) -> None:
    declared(other_workspace, tmp_path, policies=[POLICY], holdouts=[HOLDOUT])
    assert MODELS[name].objects.filter(key=ITEMS[name]["key"]).count() == 2


def test_every_kind_that_may_be_declared_is_tested() -> None:
    elsewhere = {"metrics", "assumptions", "agreements", "schedules", "reports", "rates"}
    assert {declaration.name for declaration in DECLARATIONS} - elsewhere == set(ITEMS)


def test_a_new_version_of_a_policy_has_a_salt_of_its_own(
    everything: Experiment, workspace: Workspace, tmp_path: Path
) -> None:
    apply(workspace, tmp_path, policies=[POLICY | {"action": "credit"}])
    first, second = Policy.objects.order_by("version")
    assert first.salt != second.salt
    assert (first.content, second.content) == ({"action": "bonus"}, {"action": "credit"})


def test_salts_are_drawn_unless_they_are_declared(workspace: Workspace, tmp_path: Path) -> None:
    experiment = declared(workspace, tmp_path, holdouts=[HOLDOUT | {"salt": "h1"}])
    assert len(experiment.salt) == 32 and experiment.traffic_salt == f"{experiment.salt}/traffic"
    assert Holdout.objects.get().salt == "h1"
    apply(workspace, tmp_path, holdouts=[HOLDOUT], experiments=[EXPERIMENT | {"name": "Other"}])
    assert Holdout.objects.get().salt == "h1"
    assert Experiment.objects.get().salt == experiment.salt


def test_a_draft_changes_with_its_arms(everything: Experiment, workspace: Workspace, tmp_path: Path) -> None:
    (change,) = apply(workspace, tmp_path, experiments=[EXPERIMENT | {"arms": THREE_ARMS, "baseline": "bonus"}])
    assert list(change.fields) == ["arms"]
    arms = Arm.objects.order_by("place").values_list("key", "weight", "is_baseline")
    assert list(arms) == [("none", 1, False), ("bonus", 1, True), ("credit", 1, False)]


def test_a_draft_moves_to_another_point(everything: Experiment, workspace: Workspace, tmp_path: Path) -> None:
    apply(workspace, tmp_path, decision_points=[POINT | {"key": "retention"}])
    moved = EXPERIMENT | {"decision_point": "retention", "layer": "offer"}
    (change,) = apply(workspace, tmp_path, experiments=[moved])
    assert change.fields == {"decision_point": ("offer", "retention")}
    assert Experiment.objects.get().decision_point.key == "retention"


# in use


@pytest.mark.parametrize("status", ["agreed", "running", "paused", "closed", "decided", "aborted", "archived"])
def test_an_experiment_that_is_agreed_does_not_change(
    everything: Experiment, workspace: Workspace, tmp_path: Path, status: str
) -> None:
    Experiment.objects.update(status=status, plan={}, plan_sha256="x")
    apply(workspace, tmp_path, decision_points=[POINT | {"key": "retention"}])
    assert apply(workspace, tmp_path, experiments=[EXPERIMENT])[0].did == "unchanged"
    changes = (
        {"name": "Other"},
        {"arms": THREE_ARMS},
        {"arms": [{"action": "none", "key": "other"}, {"action": "bonus"}], "baseline": "other"},
        {"arms": [{"action": "bonus"}, {"action": "none"}]},
        {"baseline": "bonus"},
        {"traffic": 0.5, "name": "Other"},
        {"method": "blocks"},
        {"strata": ["segment"]},
        {"horizon_days": 30},
        {"enrolment": {"until": START}},
        {"layer": "other"},
        {"decision_point": "retention", "layer": "offer"},
    )
    for changed in changes:
        with pytest.raises(Refusal) as refusal:
            apply(workspace, tmp_path, experiments=[EXPERIMENT | changed])
        assert refusal.value.code == "in-use"
    assert not Phase.objects.exists()


@pytest.mark.parametrize("status", ["agreed", "closed", "decided", "aborted", "archived"])
@pytest.mark.parametrize(
    "changed", [{"traffic": 0.5}, {"arms": [{"action": "none", "weight": 9}, {"action": "bonus"}]}]
)
def test_weights_and_traffic_do_not_change_where_nobody_enters(
    everything: Experiment, workspace: Workspace, tmp_path: Path, status: str, changed: Any
) -> None:
    Experiment.objects.update(status=status, plan={}, plan_sha256="x")
    with pytest.raises(Refusal) as refusal:
        apply(workspace, tmp_path, experiments=[EXPERIMENT | changed])
    assert refusal.value.code == "in-use"
    assert not Phase.objects.exists()


@pytest.mark.parametrize(("status", "refused"), [("running", True), ("paused", True), ("closed", False)])
def test_a_decision_point_does_not_change_under_a_running_experiment(
    everything: Experiment, workspace: Workspace, tmp_path: Path, status: str, refused: bool
) -> None:
    Experiment.objects.update(status=status, plan={}, plan_sha256="x")
    assert apply(workspace, tmp_path, decision_points=[POINT])[0].did == "unchanged"
    changed = POINT | {"eligibility": []}
    if refused:
        with pytest.raises(Refusal) as refusal:
            apply(workspace, tmp_path, decision_points=[changed])
        assert refusal.value.code == "in-use"
    else:
        assert apply(workspace, tmp_path, decision_points=[changed])[0].did == "changed"


@pytest.mark.parametrize("changed", [{"share": 0.2}, {"unit_type": "machine"}])
def test_a_holdout_that_is_drawn_does_not_change(
    everything: Experiment, workspace: Workspace, tmp_path: Path, changed: dict[str, Any]
) -> None:
    with pytest.raises(Refusal) as refusal:
        apply(workspace, tmp_path, holdouts=[HOLDOUT | changed])
    assert (refusal.value.code, refusal.value.pointer) == ("in-use", "/share")


# refused

NO_PLACE: dict[str, Any] = {"decision_point": "nowhere"}
BAD: list[tuple[str, Any, str]] = [
    ("actions", {"key": "Bonus"}, "/key"),
    ("actions", {"cost": {"fixed": -1}}, "/cost/fixed"),
    ("actions", {"cost": {"acceptance_share": 1.1}}, "/cost/acceptance_share"),
    ("actions", {"cost": {"each": 1}}, "/cost/each"),
    ("actions", {"reversible": "yes"}, "/reversible"),
    ("holdouts", {"key": "other", "share": 0}, "/share"),
    ("holdouts", {"key": "other", "share": 0.51}, "/share"),
    ("holdouts", {"valid_from": "2026-01-01T00:00:00"}, "/valid_from"),
    ("decision_points", {"model": "nothing"}, "/model"),
    ("decision_points", {"candidates": ["none", "call"]}, "/candidates/1"),
    ("decision_points", {"baseline": "call"}, "/baseline"),
    ("decision_points", {"eligibility": [{"rule": "score >", "reason": "no"}]}, "/eligibility/0/rule"),
    ("decision_points", {"eligibility": [{"rule": "age > 3", "reason": "no"}]}, "/eligibility/0/rule"),
    ("decision_points", {"eligibility": [{"rule": "score > 0"}]}, "/eligibility/0/reason"),
    ("decision_points", {"safety": {"above": 0.9, "action": "call"}}, "/safety/action"),
    ("decision_points", {"safety": {"above": 0.9}}, "/safety/action"),
    ("decision_points", {"cool_down": {"days": 1, "of": "cluster"}}, "/cool_down/of"),
    ("decision_points", {"cool_down": {"days": 1, "of": "company"}}, "/cool_down/of"),
    ("policies", NO_PLACE, "/decision_point"),
    ("policies", {"action": "call"}, "/action"),
    ("policies", {"kind": "bands"}, ""),
    ("policies", {"kind": "best"}, "/kind"),
    ("policies", {"role": "king"}, "/role"),
    ("experiments", NO_PLACE, "/decision_point"),
    ("experiments", {"arms": [{"action": "none"}, {"action": "call"}]}, "/arms/1"),
    ("experiments", {"arms": [{"action": "none"}]}, "/arms"),
    ("experiments", {"arms": [{"action": "none"}, {"action": "none"}]}, "/arms"),
    ("experiments", {"arms": [{"action": "none"}, {"action": "bonus", "weight": 0}]}, "/arms/1/weight"),
    ("experiments", {"arms": [{"action": "none"}, {"weight": 1}]}, "/arms/1"),
    ("experiments", {"baseline": "credit"}, "/baseline"),
    ("experiments", {"traffic": 0}, "/traffic"),
    ("experiments", {"traffic": 1.1}, "/traffic"),
    ("experiments", {"traffic": float("nan")}, "/traffic"),
    ("experiments", {"method": "dice"}, "/method"),
    ("experiments", {"randomize": "week"}, "/randomize"),
    ("experiments", {"randomize": "episode"}, "/randomize"),
    ("experiments", {"strata": ["cluster"]}, "/strata"),
    ("experiments", {"strata": [{}]}, "/strata/0"),
    ("experiments", {"strata": ["weather"]}, "/strata/0"),
    ("experiments", {"enrolment": {"until": "tomorrow"}}, "/enrolment/until"),
]


@pytest.mark.parametrize(("name", "changes", "pointer"), BAD)
def test_a_bad_declaration_names_its_place(
    everything: Experiment, workspace: Workspace, tmp_path: Path, name: str, changes: Any, pointer: str
) -> None:
    before = AuditEntry.objects.count()
    with pytest.raises(Refusal) as refusal:
        apply(workspace, tmp_path, **{name: [ITEMS[name] | changes]})
    assert refusal.value.pointer == pointer
    assert f"{name}[0]" in refusal.value.detail and "declared.yaml line" in refusal.value.detail
    assert AuditEntry.objects.count() == before


@pytest.mark.parametrize(
    ("name", "changes", "pointer"),
    [
        ("actions", {"name": "x" * 201}, "/name"),
        ("actions", {"channel": "x" * 65}, "/channel"),
        ("actions", {"cost": {"fixed": float("nan")}}, "/cost"),
        ("actions", {"cost": {"fixed": 1e13}}, "/cost"),
        ("holdouts", {"key": "other", "share": 1e-9}, "/share"),
        ("holdouts", {"key": "other", "salt": "x" * 65}, "/salt"),
        ("decision_points", {"horizon_days": 0}, "/horizon_days"),
        ("decision_points", {"horizon_days": float("inf")}, "/horizon_days"),
        ("decision_points", {"cool_down": {"days": -1}}, "/cool_down/days"),
        ("decision_points", {"cluster": "x" * 65}, "/cluster"),
        ("decision_points", {"candidates": ["none", "bonus", "bonus"]}, "/candidates"),
        ("decision_points", {"eligibility": [{"rule": "true", "reason": "no", "actions": ["call"]}]}, "/eligibility"),
        ("experiments", {"key": "second", "salt": "x" * 60}, "/salt"),
        ("experiments", {"name": "x" * 201}, "/name"),
        ("experiments", {"traffic": 1e-9}, "/traffic"),
        ("experiments", {"horizon_days": -1}, "/horizon_days"),
        ("experiments", {"horizon_days": float("inf")}, "/horizon_days"),
        ("experiments", {"strata": [{"score": 0.5}]}, "/strata/0"),
        ("experiments", {"strata": [{"score": {"high": "0.5"}}]}, "/strata/0"),
        ("experiments", {"strata": [{"feature": "age"}]}, "/strata/0"),
        ("experiments", {"covariates": ["age"]}, "/covariates/0"),
        ("experiments", {"covariates": ["tenure", "plan"]}, "/covariates/1"),
        ("experiments", {"arms": [{"action": "none"}, {"action": "bonus", "weight": 2**31}]}, "/arms/1/weight"),
    ],
)
def test_refuses_what_could_not_be_decided_or_kept(
    everything: Experiment, workspace: Workspace, tmp_path: Path, name: str, changes: Any, pointer: str
) -> None:
    with pytest.raises(Refusal) as refusal:
        apply(workspace, tmp_path, **{name: [ITEMS[name] | changes]})
    assert refusal.value.pointer.startswith(pointer)


def test_refuses_a_weight_that_is_never_drawn(everything: Experiment, workspace: Workspace, tmp_path: Path) -> None:
    arms = [{"action": "none"}, {"action": "bonus", "weight": 3_000_000}]
    with pytest.raises(Refusal):
        apply(workspace, tmp_path, experiments=[EXPERIMENT | {"arms": arms}])


def test_refuses_blocks_that_are_too_long(everything: Experiment, workspace: Workspace, tmp_path: Path) -> None:
    arms = [{"action": "none", "weight": 500_000}, {"action": "bonus", "weight": 500_000}]
    with pytest.raises(Refusal):
        apply(workspace, tmp_path, experiments=[EXPERIMENT | {"method": "blocks", "arms": arms}])


def test_refuses_a_second_champion(everything: Experiment, workspace: Workspace, tmp_path: Path) -> None:
    with pytest.raises(Refusal) as refusal:
        apply(workspace, tmp_path, policies=[POLICY | {"key": "second"}])
    assert (refusal.value.code, refusal.value.pointer) == ("in-use", "/role")


@pytest.mark.parametrize(("name", "salt"), [("experiments", "s1"), ("holdouts", "h1")])
def test_refuses_a_salt_that_is_taken(workspace: Workspace, tmp_path: Path, name: str, salt: str) -> None:
    declared(workspace, tmp_path, experiment={"salt": "s1"}, holdouts=[HOLDOUT | {"salt": "h1"}])
    with pytest.raises(Refusal) as refusal:
        apply(workspace, tmp_path, **{name: [ITEMS[name] | {"key": "second", "salt": salt}]})
    assert (refusal.value.code, refusal.value.pointer) == ("in-use", "/salt")


def test_a_rule_that_can_be_declared_can_be_decided_by(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    rules = [{"rule": "vip == true or tenure in (6, 12)", "reason": "no", "actions": ["bonus", "credit"]}]
    declared(workspace, tmp_path, point={"eligibility": rules})
    assert api.post("/decisions", decision_row("c1")).body["ineligible"] == {
        "bonus": "vip missing", "credit": "vip missing",
    }  # fmt: skip


def test_a_step_and_a_change_do_not_meet(everything: Experiment, workspace: Workspace, tmp_path: Path) -> None:
    change_status(experiment=everything, step="agree", actor="test")
    with pytest.raises(Refusal):
        apply(workspace, tmp_path, experiments=[EXPERIMENT | {"traffic": 0.5}])
    assert Experiment.objects.get().traffic_ppm == 1_000_000
