"""What may be declared about models in use, actions, decision points, policies, holdouts and experiments."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from typing import Annotated, Any, Literal

import msgspec
from django.db.models import Q

from experiments.budgets import price_within
from experiments.design import ExperimentDeclared, declare_experiment, parts_per_million
from experiments.eligibility import BadRule, parse_rule
from experiments.models import Action, DecisionPoint, Experiment, Holdout, Policy, Status
from experiments.policies import BadPolicy
from experiments.policy_checks import check_policy, check_reads
from experiments.salts import check_own, new_salt
from experiments.selectors import units_decided
from predictions import declarations as predictions
from predictions.declarations import ModelDeclared
from predictions.models import PredictionModel
from workspaces import clock
from workspaces.declarations import Change, Declaration, Declared, declare_row, declare_version, differences
from workspaces.errors import Missing, Refusal
from workspaces.models import Workspace
from workspaces.strict import LONGEST_DAYS, Days, Id, Key, Text, Time

HALF = 0.5
MOST = 1_000_000_000
OF_ACTIONS = {
    "fixed_cost": "/cost/fixed",
    "contingent_cost": "/cost/contingent",
    "acceptance_share": "/cost/acceptance_share",
}
OF_POINTS = {"cool_down_days": "/cool_down/days"}
# what a policy may say besides kind and role, each kind its own
OF_POLICIES = ("action", "bands", "by", "table", "default", "inputs", "budget")


class CostDeclared(Declared):
    """Planned cost: fixed for each execution, contingent on acceptance."""

    fixed: float = 0.0
    contingent: float = 0.0
    acceptance_share: float = 0.0


class CapacityDeclared(Declared):
    """So often in a day, a week or a month of the workspace's time zone, and no more."""

    count: Annotated[int, msgspec.Meta(ge=1, le=MOST)]
    per: Literal["day", "week", "month"]


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
    capacity: CapacityDeclared | None = None


class RuleDeclared(Declared):
    """What must hold, and the reason given to the units (for these actions, or all but the baseline) where not."""

    rule: Text
    reason: Text
    actions: list[Key] = []


class CoolDownDeclared(Declared):
    days: Annotated[float, msgspec.Meta(ge=0, le=LONGEST_DAYS)] = 0.0
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
    horizon_days: Days
    cluster: Text = ""
    eligibility: list[RuleDeclared] = []
    cool_down: CoolDownDeclared = msgspec.field(default_factory=CoolDownDeclared)
    safety: SafetyDeclared | None = None


class BudgetDeclared(Declared):
    """What the units that were decided about from one time to another might have taken, money or executions."""

    since: Time
    until: Time
    amount: float | None = None
    executions: int | None = None

    @property
    def kept(self) -> dict[str, Any]:
        said = {name: at.astimezone(UTC).isoformat() for name, at in (("since", self.since), ("until", self.until))}
        limits = {"amount": self.amount, "executions": self.executions}
        return said | {name: value for name, value in limits.items() if value is not None}


class PolicyDeclared(Declared):
    key: Key
    decision_point: Key
    kind: Literal["fixed", "random", "bands", "table", "expected_value", "budgeted"]
    role: Literal["champion", "challenger", "benchmark", "shadow"] = "shadow"
    action: Key | None = None
    bands: list[dict[str, Any]] | None = None
    by: Text | dict[str, Text] | None = None
    table: list[dict[str, Any]] | None = None
    default: Key | None = None
    inputs: dict[str, Any] | None = None
    budget: BudgetDeclared | None = None


class HoldoutDeclared(Declared):
    """A share of the units kept out. ``salt`` is drawn by chance unless a simulation fixes it."""

    key: Key
    unit_type: Key
    share: float
    valid_from: Time
    valid_until: Time | None = None
    salt: Id | None = None


def declare_model(workspace: Workspace, declared: ModelDeclared, actor: str) -> Change:
    """Declare a model that still gives what rules and policies need."""
    for point in DecisionPoint.objects.within(workspace).current().filter(model__key=declared.key):
        for rule in point.eligibility:
            try:
                parse_rule(rule["rule"], declared.features)
            except BadRule as error:
                raise Refusal("in-use", f"{error}; change decision point {point.key} first", "/features") from error
        for policy in Policy.objects.within(workspace).current().filter(decision_point=point.key):
            try:
                check_reads(policy.kind, policy.content, declared.task, declared.features)
            except BadPolicy as error:
                place = "/task" if error.pointer == "/kind" else "/features"
                raise Refusal("in-use", f"{error}; change policy {policy.key} first", place) from error
    return predictions.declare_model(workspace, declared, actor)


def declare_action(workspace: Workspace, declared: ActionDeclared, actor: str) -> Change:
    cost, capacity = declared.cost, declared.capacity
    points = DecisionPoint.objects.within(workspace).current()
    of = points.filter(baseline=declared.key).first() if capacity else None
    if of:
        raise _limited_baseline(declared.key, of.key, "/capacity")
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
        "capacity": capacity and {"count": capacity.count, "per": capacity.per},
    }
    return declare_version("action", Action, workspace, declared.key, content, actor, OF_ACTIONS)


def declare_decision_point(workspace: Workspace, declared: DecisionPointDeclared, actor: str) -> Change:
    model = PredictionModel.objects.within(workspace).filter(key=declared.model).first()
    if model is None:
        raise Missing("model", declared.model, "/model")
    known = dict(Action.objects.within(workspace).current().values_list("key", "capacity"))
    for place, key in enumerate(declared.candidates):
        if key not in known:
            raise Missing("action", key, f"/candidates/{place}")
        if key in declared.candidates[:place]:
            raise Refusal("invalid-declaration", f"{key!r} stands twice; name it once", f"/candidates/{place}")
    if declared.baseline not in declared.candidates:
        raise Refusal("invalid-declaration", f"baseline == {declared.baseline!r} is no candidate", "/baseline")
    if known[declared.baseline]:
        raise _limited_baseline(declared.baseline, declared.key, "/baseline")
    for place, rule in enumerate(declared.eligibility):
        try:
            parse_rule(rule.rule, model.features)
        except BadRule as error:
            raise Refusal("invalid-declaration", str(error), f"/eligibility/{place}/rule") from error
        for action in set(rule.actions) - set(declared.candidates):
            raise Refusal("invalid-declaration", f"{action!r} is no candidate", f"/eligibility/{place}/actions")
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
    busy = running.first()
    if current and differences(current, content) and busy:
        raise Refusal(
            "in-use",
            f"decision point {declared.key} can't change while {busy.key} runs there; close that first",
        )
    return declare_version("decision point", DecisionPoint, workspace, declared.key, content, actor, OF_POINTS)


def declare_policy(
    workspace: Workspace, declared: PolicyDeclared, actor: str, assumed: Mapping[str, str] | None = None
) -> Change:
    """Make a policy's next version; ``assumed`` says at which places of its inputs an assumption's number is."""
    points = DecisionPoint.objects.within(workspace).current().select_related("model")
    point = points.filter(key=declared.decision_point).first()
    if point is None:
        raise Missing("decision point", declared.decision_point, "/decision_point")
    content = {name: value for name in OF_POLICIES if (value := getattr(declared, name)) is not None}
    if declared.budget:
        content["budget"] = declared.budget.kept
    try:
        check_policy(declared.kind, content, point.candidates, point.baseline)
        check_reads(declared.kind, content, point.model.task, point.model.features)
    except BadPolicy as error:
        raise Refusal("invalid-declaration", str(error), error.pointer) from error
    if assumed:
        content["assumed"] = dict(assumed)
    policies = Policy.objects.within(workspace).current()
    champion = policies.filter(decision_point=point.key, role=Policy.Role.CHAMPION).exclude(key=declared.key).first()
    if champion and declared.role == "champion":
        raise Refusal("in-use", f"{champion.key} is the champion of {point.key}; give that another role first", "/role")
    current = policies.filter(key=declared.key).first()
    if declared.budget:
        content["price"] = _price(workspace, declared.budget, content, point, current)
    fields = {
        "decision_point": declared.decision_point,
        "kind": declared.kind,
        "content": content,
        "role": declared.role,
    }
    if not differences(current, fields) and current:
        return Change("policy", declared.key, "unchanged")
    return declare_version("policy", Policy, workspace, declared.key, fields | {"salt": new_salt()}, actor)


def _price(
    workspace: Workspace, budget: BudgetDeclared, content: dict[str, Any], point: DecisionPoint, current: Policy | None
) -> float:
    """Price of the budget among the units decided about in its time; worked out once, then it stays."""
    if current and current.decision_point == point.key and content.items() <= current.content.items():
        return float(current.content["price"])
    if budget.since >= budget.until or budget.until > clock.now(workspace):
        raise Refusal(
            "invalid-declaration",
            f"until == {budget.until.isoformat()}, must be after since and not after now: the price is worked out from "
            "what was decided",
            "/budget/until",
        )
    units = units_decided(workspace, point.key, budget.since, budget.until)
    if not units:
        raise Refusal(
            "invalid-declaration",
            f"nothing was decided at {point.key} in that time; choose another, or use kind expected_value",
            "/budget/since",
        )
    most = budget.amount if budget.executions is None else budget.executions
    assert most is not None  # checked with the policy
    try:
        return price_within(content, most, units, point.baseline)
    except BadPolicy as error:
        raise Refusal("invalid-declaration", str(error), error.pointer) from error


def declare_holdout(workspace: Workspace, declared: HoldoutDeclared, actor: str) -> Change:
    content = {
        "unit_type": declared.unit_type,
        "share_ppm": parts_per_million(declared.share, HALF, "/share"),
        "valid_from": declared.valid_from,
        "valid_until": declared.valid_until,
    }
    known = Holdout.objects.within(workspace).filter(key=declared.key).first()
    if known and (known.unit_type, known.share_ppm) != (declared.unit_type, content["share_ppm"]):
        raise Refusal("in-use", f"holdout {declared.key} is drawn; end it by valid_until and declare another", "/share")
    _check_held_out(workspace, declared)
    if declared.salt and not known:
        check_own(workspace, declared.salt)
    salt = known.salt if known else declared.salt or new_salt()
    return declare_row("holdout", Holdout, workspace, declared.key, content | {"salt": salt}, actor)


def _limited_baseline(action: str, point: str, pointer: str) -> Refusal:
    return Refusal(
        "invalid-declaration",
        f"{action!r} is the baseline of {point}, which is taken where nothing else is left, so it can't have a "
        "capacity; leave that out, or choose another baseline",
        pointer,
    )


def _check_safety(workspace: Workspace, declared: DecisionPointDeclared, model: PredictionModel) -> None:
    if declared.safety is None:
        return
    if declared.safety.action not in declared.candidates:
        raise Refusal("invalid-declaration", f"action == {declared.safety.action!r} is no candidate", "/safety/action")
    lasting = Q(valid_until=None) | Q(valid_until__gt=clock.now(workspace))
    held_out = Holdout.objects.within(workspace).filter(lasting, unit_type=model.unit_type).first()
    if held_out and declared.safety.action != declared.baseline:
        raise Refusal(
            "invalid-declaration",
            f"units of the holdout {held_out.key} never get anything but the baseline {declared.baseline!r}, "
            f"so safety can't force {declared.safety.action!r}; end the holdout first",
            "/safety/action",
        )


def _check_held_out(workspace: Workspace, declared: HoldoutDeclared) -> None:
    if declared.valid_until and declared.valid_until <= clock.now(workspace):
        return
    points = DecisionPoint.objects.within(workspace).current().filter(model__unit_type=declared.unit_type)
    for point in points:
        if point.safety and point.safety["action"] != point.baseline:
            raise Refusal(
                "invalid-declaration",
                f"safety at {point.key} forces {point.safety['action']!r}, but units of a holdout never get anything "
                f"but the baseline {point.baseline!r}; change the decision point first",
                "/unit_type",
            )


DECLARATIONS = (
    Declaration("models", ModelDeclared, declare_model),
    Declaration("actions", ActionDeclared, declare_action),
    Declaration("holdouts", HoldoutDeclared, declare_holdout),
    Declaration("decision_points", DecisionPointDeclared, declare_decision_point),
    Declaration("policies", PolicyDeclared, declare_policy),
    Declaration("experiments", ExperimentDeclared, declare_experiment),
)
