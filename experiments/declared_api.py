"""GET /actions, /decision-points and /policies: what is declared, with the fields of a declarative file."""

from __future__ import annotations

import msgspec

from experiments.assumed import as_declared
from experiments.declarations import (
    ActionDeclared,
    DecisionPointDeclared,
    PolicyDeclared,
)
from experiments.models import Action, DecisionPoint, Policy
from workspaces.paging import page
from workspaces.rest import Call


class ActionPage(msgspec.Struct):
    actions: list[ActionDeclared]
    next: str | None


class DecisionPointPage(msgspec.Struct):
    decision_points: list[DecisionPointDeclared]
    next: str | None


class PolicyPage(msgspec.Struct):
    policies: list[PolicyDeclared]
    next: str | None


def get_actions(call: Call) -> ActionPage:
    found, following = page(Action.objects.within(call.workspace).current(), call.query)
    return ActionPage([_action(one) for one in found], following)


def get_decision_points(call: Call) -> DecisionPointPage:
    points = DecisionPoint.objects.within(call.workspace).current().select_related("model")
    found, following = page(points, call.query)
    return DecisionPointPage([_decision_point(one) for one in found], following)


def get_policies(call: Call) -> PolicyPage:
    found, following = page(Policy.objects.within(call.workspace).current(), call.query)
    return PolicyPage([policy_as_declared(one) for one in found], following)


def _action(action: Action) -> ActionDeclared:
    cost = {name: getattr(action, f"{name}_cost") for name in ("fixed", "contingent")}
    kept = {name: getattr(action, name) for name in ActionDeclared.__struct_fields__ if name != "cost"}
    return msgspec.convert(kept | {"cost": cost | {"acceptance_share": action.acceptance_share}}, ActionDeclared)


def _decision_point(point: DecisionPoint) -> DecisionPointDeclared:
    named = ("key", "candidates", "baseline", "horizon_days", "cluster", "eligibility", "safety")
    kept = {name: getattr(point, name) for name in named}
    cool_down = {"days": point.cool_down_days, "of": point.cool_down_of}
    return msgspec.convert(kept | {"model": point.model.key, "cool_down": cool_down}, DecisionPointDeclared)


def policy_as_declared(policy: Policy) -> PolicyDeclared:
    """The price of a budget is left out: it is worked out, not declared."""
    kept = {name: getattr(policy, name) for name in ("key", "decision_point", "kind", "role")}
    said = {name: value for name, value in policy.content.items() if name in PolicyDeclared.__struct_fields__}
    if "inputs" in said:
        said["inputs"] = as_declared(said["inputs"], policy.content.get("assumed", {}))
    return msgspec.convert(kept | said, PolicyDeclared)
