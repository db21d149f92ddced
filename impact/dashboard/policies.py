"""Policies: the list, and for one of them its rule in words and what it would have done."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from django.db.models import Exists, OuterRef

from experiments.models import DecisionPoint, Experiment, Policy
from experiments.policies import SEGMENT
from impact.analysis.models import Analysis
from impact.dashboard.decision_points import action_names, would_have
from impact.dashboard.week import week_of
from impact.figures.forms import Forms
from workspaces.errors import Missing
from workspaces.models import Workspace

# experiments that a policy's page leads to
MOST = 5


def policies(workspace: Workspace) -> list[Policy]:
    """The current version of each, the champion of a decision point first."""
    found = Policy.objects.within(workspace).current()
    return sorted(found, key=lambda one: (one.decision_point, Policy.Role.values.index(one.role), one.key))


def policy_named(workspace: Workspace, key: str) -> Policy:
    found: Policy | None = Policy.objects.within(workspace).current().filter(key=key).first()
    if found is None:
        raise Missing("policy", key)
    return found


def policy_page(workspace: Workspace, key: str, language: str) -> dict[str, Any]:
    policy, forms, known = policy_named(workspace, key), Forms(language), action_names(workspace)
    point = DecisionPoint.objects.within(workspace).current().get(key=policy.decision_point)
    names = {one: known[one] for one in point.candidates} | known
    week = week_of(workspace, point.key)
    registered = list(Policy.objects.within(workspace).current().filter(decision_point=point.key).order_by("key"))
    return {
        "policy": policy,
        "baseline": names[point.baseline],
        "rule": rule(policy, point.baseline, names, forms, workspace.currency),
        "assumed": sorted(set(policy.content.get("assumed", {}).values())),
        "versions": list(Policy.objects.within(workspace).filter(key=key).order_by("-version")),
        "week": week,
        "registered": registered,
        "would_have": would_have(week, names, registered, forms),
        "analysed": analysed(workspace, point.key),
    }


def analysed(workspace: Workspace, point: str) -> list[Experiment]:
    """Experiments of a decision point whose rows say what another rule would have earned, the newest first."""
    stored = Analysis.objects.within(workspace).filter(experiment=OuterRef("pk"))
    found = Experiment.objects.within(workspace).filter(Exists(stored), decision_point__key=point)
    return list(found.order_by("-created_at", "key")[:MOST])


def rule(policy: Policy, baseline: str, names: Mapping[str, str], forms: Forms, currency: str) -> dict[str, Any]:
    """What a policy chooses, in parts that a page makes sentences of."""
    content = policy.content
    if policy.kind == "fixed":
        return {"action": names[content["action"]]}
    if policy.kind == "bands":
        return {"bands": _bands(content["bands"], names[baseline], names)}
    if policy.kind == "table":
        by = content["by"]
        return {
            "by": "" if by == SEGMENT else by["feature"],
            "rows": [{"value": row["is"], "action": names[row["action"]]} for row in content["table"]],
            "default": names[content["default"]],
        }
    if policy.kind == "expected_value":
        return {
            "at_stake": forms.money(content["inputs"]["at_stake"], currency),
            "worth": _worth(content["inputs"], baseline, names, forms, currency),
        }
    return {}


def _bands(bands: list[dict[str, Any]], baseline: str, names: Mapping[str, str]) -> list[dict[str, Any]]:
    """Each band with its end; below the first one is the baseline."""
    starts = [None, *(band["from"] for band in bands), None]
    actions = [baseline, *(names[band["action"]] for band in bands)]
    return [
        {"from": low, "until": high, "action": action}
        for (low, high), action in zip(pairwise(starts), actions, strict=True)
    ]


def _worth(
    inputs: Mapping[str, Any], baseline: str, names: Mapping[str, str], forms: Forms, currency: str
) -> list[dict[str, str]]:
    """For each action the probability from which it is worth more than the baseline, with the formula filled in."""
    nothing = {"effect": 0.0, "cost": 0.0}
    of_baseline, at_stake = inputs["actions"].get(baseline, nothing), inputs["at_stake"]
    rows = []
    for action, said in inputs["actions"].items():
        row = {
            "action": names[action],
            "effect": forms.percent(said["effect"], 1),
            "cost": forms.money(said["cost"], currency),
            "formula": "",
            "threshold": "",
        }
        more, gain = said["cost"] - of_baseline["cost"], said["effect"] - of_baseline["effect"]
        if action != baseline and at_stake * gain > 0:
            row["formula"] = f"{more:.10g} / ({at_stake:.10g} × {gain:.10g})"
            row["threshold"] = forms.number(more / (at_stake * gain), 4)
        rows.append(row)
    return rows
