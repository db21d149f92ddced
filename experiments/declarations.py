"""What may be declared about actions, decision points, policies, holdouts and experiments."""

from __future__ import annotations

import secrets
from typing import Any, Literal

import msgspec

from experiments.eligibility import BadRule, parse_rule
from experiments.models import Action, Arm, DecisionPoint, Experiment, Holdout, Policy, Status
from experiments.policies import check_policy
from predictions.models import PredictionModel
from workspaces import clock
from workspaces.declarations import Change, Declaration, Declared, declare_row, declare_version, differences, noted
from workspaces.errors import Missing, Refusal
from workspaces.models import Workspace
from workspaces.strict import Id, Key, Text, Time

MILLION = 1_000_000


class CostDeclared(Declared):
    """Planned cost: fixed for each execution, contingent on acceptance."""

    fixed: float = 0.0
    contingent: float = 0.0
    acceptance_share: float = 0.0


class ActionDeclared(Declared):
    key: Key
    name: Text
    no_action: bool = False
    channel: Text = ""
    parameters: dict[str, Any] = {}
    cost: CostDeclared = msgspec.field(default_factory=CostDeclared)
    safety_class: Text = ""
    reversible: bool = True
    lead_time_hours: float = 0.0


class RuleDeclared(Declared):
    """What must hold, and the reason given to the units (for these actions, or all but the baseline) where not."""

    rule: Text
    reason: Text
    actions: list[Key] = []


class CoolDownDeclared(Declared):
    days: float = 0.0
    of: Literal["unit", "cluster"] = "unit"


class SafetyDeclared(Declared):
    """Above this score the action is always taken and never randomized."""

    above: float
    action: Key


class DecisionPointDeclared(Declared):
    key: Key
    model: Key
    candidates: list[Key]
    baseline: Key
    horizon_days: float
    cluster: Text = ""
    eligibility: list[RuleDeclared] = []
    cool_down: CoolDownDeclared = msgspec.field(default_factory=CoolDownDeclared)
    safety: SafetyDeclared | None = None


class PolicyDeclared(Declared):
    key: Key
    decision_point: Key
    kind: Literal["fixed", "random", "bands"]
    role: Literal["champion", "challenger", "benchmark", "shadow"] = "shadow"
    action: Key | None = None
    bands: list[dict[Literal["from", "action"], Any]] | None = None


class HoldoutDeclared(Declared):
    """A share of the units kept out. ``salt`` is drawn by chance unless a simulation fixes it."""

    key: Key
    unit_type: Key
    share: float
    valid_from: Time
    valid_until: Time | None = None
    salt: Id | None = None


class ArmDeclared(Declared):
    action: Key
    weight: int = 1
    key: Key | None = None


class EnrolmentDeclared(Declared):
    until: Time | None = None


class ExperimentDeclared(Declared):
    """A comparison of actions at a decision point. ``salt`` is drawn by chance unless a simulation fixes it."""

    key: Key
    name: Text
    decision_point: Key
    arms: list[ArmDeclared]
    baseline: Key
    randomize: Literal["unit", "episode"] = "unit"
    method: Literal["hash", "blocks"] = "hash"
    strata: list[Literal["cluster", "segment"] | dict[Literal["score", "feature"], Any]] = []
    covariates: list[Key] = []
    traffic: float = 1.0
    layer: Key | None = None
    horizon_days: float | None = None
    enrolment: EnrolmentDeclared = msgspec.field(default_factory=EnrolmentDeclared)
    salt: Id | None = None


def declare_action(workspace: Workspace, declared: ActionDeclared, actor: str) -> Change:
    cost = declared.cost
    if min(cost.fixed, cost.contingent) < 0 or not 0 <= cost.acceptance_share <= 1:
        raise Refusal(
            "invalid-declaration", f"cost == {cost}: costs are 0 or more, acceptance_share is in [0, 1]", "/cost"
        )
    content = {
        "name": declared.name,
        "no_action": declared.no_action,
        "channel": declared.channel,
        "parameters": declared.parameters,
        "fixed_cost": cost.fixed,
        "contingent_cost": cost.contingent,
        "acceptance_share": cost.acceptance_share,
        "safety_class": declared.safety_class,
        "reversible": declared.reversible,
        "lead_time_hours": declared.lead_time_hours,
    }
    return declare_version("action", Action, workspace, declared.key, content, actor)


def declare_decision_point(workspace: Workspace, declared: DecisionPointDeclared, actor: str) -> Change:
    model = PredictionModel.objects.within(workspace).filter(key=declared.model).first()
    if model is None:
        raise Missing("model", declared.model, "/model")
    known = set(Action.objects.within(workspace).current().values_list("key", flat=True))
    for place, key in enumerate(declared.candidates):
        if key not in known:
            raise Missing("action", key, f"/candidates/{place}")
    if declared.baseline not in declared.candidates:
        raise Refusal("invalid-declaration", f"baseline == {declared.baseline!r} is no candidate", "/baseline")
    for place, rule in enumerate(declared.eligibility):
        try:
            parse_rule(rule.rule, model.features)
        except BadRule as error:
            raise Refusal("invalid-declaration", str(error), f"/eligibility/{place}/rule") from error
    _check_safety(workspace, declared, model)
    if declared.cool_down.of == "cluster" and not declared.cluster:
        raise Refusal("invalid-declaration", "a cool-down of the cluster needs a cluster", "/cool_down/of")
    content = {
        "model": model,
        "cluster": declared.cluster,
        "candidates": declared.candidates,
        "baseline": declared.baseline,
        "eligibility": [
            {"rule": rule.rule, "reason": rule.reason, "actions": rule.actions} for rule in declared.eligibility
        ],
        "cool_down_days": declared.cool_down.days,
        "cool_down_of": declared.cool_down.of,
        "horizon_days": declared.horizon_days,
        "safety": declared.safety and {"above": declared.safety.above, "action": declared.safety.action},
    }
    running = Experiment.objects.within(workspace).filter(
        decision_point__key=declared.key, status__in=[Status.RUNNING, Status.PAUSED]
    )
    current = DecisionPoint.objects.within(workspace).current().filter(key=declared.key).first()
    if current and differences(current, content) and running.exists():
        raise Refusal(
            "in-use",
            f"decision point {declared.key} can't change while {running.get().key} runs there; close that first",
        )
    return declare_version("decision point", DecisionPoint, workspace, declared.key, content, actor)


def declare_policy(workspace: Workspace, declared: PolicyDeclared, actor: str) -> Change:
    point = DecisionPoint.objects.within(workspace).current().filter(key=declared.decision_point).first()
    if point is None:
        raise Missing("decision point", declared.decision_point, "/decision_point")
    content = {name: value for name in ("action", "bands") if (value := getattr(declared, name)) is not None}
    try:
        check_policy(declared.kind, content, point.candidates)
    except (KeyError, ValueError) as error:
        raise Refusal("invalid-declaration", str(error)) from error
    current = Policy.objects.within(workspace).current().filter(key=declared.key).first()
    fields = {
        "decision_point": declared.decision_point,
        "kind": declared.kind,
        "content": content,
        "role": declared.role,
    }
    if not differences(current, fields) and current:
        return Change("policy", declared.key, "unchanged")
    return declare_version("policy", Policy, workspace, declared.key, fields | {"salt": new_salt()}, actor)


def declare_holdout(workspace: Workspace, declared: HoldoutDeclared, actor: str) -> Change:
    if not 0 < declared.share <= 0.5:
        raise Refusal("invalid-declaration", f"share == {declared.share}, must be in (0, 0.5]", "/share")
    content = {
        "unit_type": declared.unit_type,
        "share_ppm": round(declared.share * MILLION),
        "valid_from": declared.valid_from,
        "valid_until": declared.valid_until,
    }
    known = Holdout.objects.within(workspace).filter(key=declared.key).first()
    if known and (known.unit_type, known.share_ppm) != (declared.unit_type, content["share_ppm"]):
        raise Refusal("in-use", f"holdout {declared.key} is drawn; end it by valid_until and declare another", "/share")
    salt = known.salt if known else declared.salt or new_salt()
    return declare_row("holdout", Holdout, workspace, declared.key, content | {"salt": salt}, actor)


def declare_experiment(workspace: Workspace, declared: ExperimentDeclared, actor: str) -> Change:
    point = DecisionPoint.objects.within(workspace).current().filter(key=declared.decision_point).first()
    if point is None:
        raise Missing("decision point", declared.decision_point, "/decision_point")
    _check_design(declared, point)
    content = {
        "name": declared.name,
        "layer": declared.layer or declared.decision_point,
        "randomizes": declared.randomize,
        "method": declared.method,
        "strata": declared.strata,
        "covariates": declared.covariates,
        "traffic_ppm": round(declared.traffic * MILLION),
        "enrolment_until": declared.enrolment.until,
        "horizon_days": declared.horizon_days or point.horizon_days,
    }
    current = Experiment.objects.within(workspace).filter(key=declared.key).first()
    changes = differences(current, content)
    arms = [(arm.key or arm.action, arm.action, arm.weight) for arm in declared.arms]
    if current and _arms(current) != (arms, declared.baseline):
        changes["arms"] = (_arms(current), (arms, declared.baseline))
    if current and current.decision_point and current.decision_point.key != point.key:
        changes["decision_point"] = (current.decision_point.key, point.key)
    if current and changes and current.status != Status.DRAFT:
        raise Refusal(
            "in-use",
            f"experiment {declared.key} is {current.status}, so {', '.join(sorted(changes))} can't change; "
            "declare a new experiment",
        )
    if current is None:
        salt = declared.salt or new_salt()
        content |= {"salt": salt, "traffic_salt": f"{salt}/traffic", "created_at": clock.server_now()}
        current_row = Experiment.objects.create(workspace=workspace, key=declared.key, decision_point=point, **content)
        _set_arms(workspace, current_row, declared)
    elif changes:
        for name, value in content.items():
            setattr(current, name, value)
        current.decision_point = point
        current.save()
        current.arms.all().delete()
        _set_arms(workspace, current, declared)
    return noted("experiment", workspace, declared.key, current, changes, actor)


def new_salt() -> str:
    return secrets.token_hex(16)


def _arms(experiment: Experiment) -> tuple[list[tuple[str, str, int]], str]:
    arms = list(experiment.arms.select_related("action").order_by("place"))
    baseline = next(arm.key for arm in arms if arm.is_baseline)
    return [(arm.key, arm.action.key if arm.action else "", arm.weight) for arm in arms], baseline


def _set_arms(workspace: Workspace, experiment: Experiment, declared: ExperimentDeclared) -> None:
    actions = {action.key: action for action in Action.objects.within(workspace).current()}
    Arm.objects.bulk_create(
        Arm(
            workspace=workspace,
            experiment=experiment,
            key=arm.key or arm.action,
            place=place,
            action=actions[arm.action],
            weight=arm.weight,
            is_baseline=(arm.key or arm.action) == declared.baseline,
        )
        for place, arm in enumerate(declared.arms)
    )


def _check_safety(workspace: Workspace, declared: DecisionPointDeclared, model: PredictionModel) -> None:
    if declared.safety is None:
        return
    if declared.safety.action not in declared.candidates:
        raise Refusal("invalid-declaration", f"action == {declared.safety.action!r} is no candidate", "/safety/action")
    held_out = Holdout.objects.within(workspace).filter(unit_type=model.unit_type).first()
    if held_out and declared.safety.action != declared.baseline:
        raise Refusal(
            "invalid-declaration",
            f"units of the holdout {held_out.key} never get anything but the baseline {declared.baseline!r}, "
            f"so safety can't force {declared.safety.action!r}; end the holdout first",
            "/safety/action",
        )


def _check_design(declared: ExperimentDeclared, point: DecisionPoint) -> None:
    """Refuse what couldn't be drawn or analysed."""
    keys = [arm.key or arm.action for arm in declared.arms]
    for place, arm in enumerate(declared.arms):
        if arm.action not in point.candidates:
            raise Refusal(
                "invalid-declaration", f"{arm.action!r} is no candidate action of {point.key}", f"/arms/{place}"
            )
        if arm.weight < 1:
            raise Refusal("invalid-declaration", f"weight == {arm.weight}, must be 1 or more", f"/arms/{place}/weight")
    if len(keys) < 2 or len(set(keys)) < len(keys):
        raise Refusal("invalid-declaration", f"arms == {keys}, must be two or more different ones", "/arms")
    if declared.baseline not in keys:
        raise Refusal("invalid-declaration", f"baseline == {declared.baseline!r}, must be one of {keys}", "/baseline")
    if not 0 < declared.traffic <= 1:
        raise Refusal("invalid-declaration", f"traffic == {declared.traffic}, must be in (0, 1]", "/traffic")
    if "cluster" in declared.strata and not point.cluster:
        raise Refusal("invalid-declaration", f"{point.key} has no cluster", "/strata")
    horizon = declared.horizon_days or point.horizon_days
    if declared.randomize == "episode" and point.cool_down_days < horizon:
        raise Refusal(
            "invalid-declaration",
            f"episodes need a cool-down of at least the horizon: {point.cool_down_days} < {horizon} days, "
            "else an event would fall into two windows",
            "/randomize",
        )
    for place, part in enumerate(declared.strata):
        if isinstance(part, dict) and len(part) != 1:
            raise Refusal(
                "invalid-declaration", "a stratum is {score: {label: from}} or {feature: name}", f"/strata/{place}"
            )


DECLARATIONS = (
    Declaration("actions", ActionDeclared, declare_action),
    Declaration("holdouts", HoldoutDeclared, declare_holdout),
    Declaration("decision_points", DecisionPointDeclared, declare_decision_point),
    Declaration("policies", PolicyDeclared, declare_policy),
    Declaration("experiments", ExperimentDeclared, declare_experiment),
)
