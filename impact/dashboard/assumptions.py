"""Assumptions: the list, and one with its versions, which agreements count with it, and what a change would change."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from impact.agreements.assumed_policies import policies_counting_with
from impact.agreements.models import Assumption
from impact.agreements.selectors import newest_agreements
from impact.figures.forms import Forms
from impact.figures.words.codes import word
from workspaces.declarations import differences
from workspaces.errors import Missing
from workspaces.models import Workspace


def assumptions(workspace: Workspace) -> list[dict[str, Any]]:
    """The current version of each, and which experiments' newest agreements count with any of its versions."""
    users = _agreed(workspace)
    found = Assumption.objects.within(workspace).current().order_by("name", "key")
    return [{"assumption": one, "users": users[one.key]} for one in found]


def assumption_named(workspace: Workspace, key: str) -> Assumption:
    found: Assumption | None = Assumption.objects.within(workspace).current().filter(key=key).first()
    if found is None:
        raise Missing("assumption", key)
    return found


def assumption_page(workspace: Workspace, key: str) -> dict[str, Any]:
    return {
        "assumption": assumption_named(workspace, key),
        "versions": list(Assumption.objects.within(workspace).filter(key=key).order_by("-version")),
        "users": _agreed(workspace)[key],
        "policies": policies_counting_with(workspace, key),
    }


def changed(workspace: Workspace, said: Mapping[str, Any], labels: Mapping[str, str], language: str) -> dict[str, Any]:
    """What saying this of an assumption would change, and whose figures were agreed with what it says now."""
    current = Assumption.objects.within(workspace).current().filter(key=said["key"]).first()
    content = {name: value for name, value in said.items() if name != "key"}
    found = differences(current, content) if current else {}
    fields = [(labels[name], *(_shown(name, value, language) for value in both)) for name, both in found.items()]
    return {
        "current": current,
        "fields": fields,
        "users": _agreed(workspace)[said["key"]],
        "policies": policies_counting_with(workspace, said["key"]) if "base" in found else [],
    }


def _shown(name: str, value: Any, language: str) -> str:
    if isinstance(value, float):
        return Forms(language).plain(value)
    return word(value, language) if name == "status" else str(value)


def _agreed(workspace: Workspace) -> dict[str, list[dict[str, Any]]]:
    """Assumption -> experiments whose newest agreement counts with it, and the version that was frozen there."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for agreement in newest_agreements(workspace):
        for one in agreement.content["case"]["assumptions"]:
            found[one["key"]].append({"experiment": agreement.experiment, "version": one["version"]})
    return found
