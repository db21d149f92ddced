"""Policies that count with assumptions: declared with their numbers, and anew when those change."""

from __future__ import annotations

from typing import Any

import msgspec

from experiments import declarations
from experiments.assumed import resolved
from experiments.declarations import PolicyDeclared
from experiments.declared_api import policy_as_declared
from experiments.models import Policy
from impact.agreements.models import Assumption
from workspaces.declarations import Change
from workspaces.errors import Missing, Refusal
from workspaces.models import Workspace


def declare_policy(workspace: Workspace, declared: PolicyDeclared, actor: str) -> Change:
    """Declare a policy whose inputs may name assumptions instead of numbers."""
    assumptions = dict(Assumption.objects.within(workspace).current().values_list("key", "base"))

    def number_of(key: str, place: str) -> float:
        if key not in assumptions:
            raise Missing("assumption", key, f"/inputs{place}")
        return float(assumptions[key])

    inputs, assumed = resolved(declared.inputs, number_of)
    return declarations.declare_policy(workspace, msgspec.structs.replace(declared, inputs=inputs), actor, assumed)


def policies_counting_with(workspace: Workspace, key: str) -> list[Policy]:
    """Current versions of the policies that an assumption is in."""
    found = Policy.objects.within(workspace).current().filter(kind__in=["expected_value", "budgeted"]).order_by("key")
    return [policy for policy in found if key in policy.content.get("assumed", {}).values()]


def publish_with(workspace: Workspace, key: str, actor: str) -> dict[str, tuple[Any, Any]]:
    """Declare every policy that an assumption is in anew, with its number of now; return their versions.

    An arm of a running experiment stays with the version that was signed.
    """
    published: dict[str, tuple[Any, Any]] = {}
    for policy in policies_counting_with(workspace, key):
        try:
            change = declare_policy(workspace, policy_as_declared(policy), actor)
        except Refusal as refusal:
            raise Refusal(refusal.code, f"policy {policy.key} counts with it: {refusal.detail}", "/base") from refusal
        if change.did == "changed":
            published[f"policy {policy.key}"] = (f"version {policy.version}", f"version {policy.version + 1}")
    return published
