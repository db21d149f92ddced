"""The first steps of an empty workspace: what is done, what comes next, and calls that work with its own names."""

from __future__ import annotations

from typing import Any

from experiments.models import Decision, DecisionPoint, Experiment
from impact.agreements.models import Metric
from impact.dashboard.keys import UNIT, call_of, curl
from impact.ledger.models import Outcome
from workspaces import clock
from workspaces.models import ApiKey, Membership, Workspace

# what the shell puts in: no page knows a secret a second time
SECRET = "$KEY"
EVENT = "first-steps"
SOURCE = "curl"
FIRST: tuple[tuple[str, dict[str, Any]], ...] = (
    ("/models", {"key": "churn", "name": "Churn", "target": "leaves within 90 days", "horizon_days": 90,
                 "unit_type": "customer", "features": {"tenure_months": "number"}, "versions": [{"version": "1"}]}),
    ("/actions", {"key": "none", "name": "No action", "no_action": True}),
    ("/actions", {"key": "bonus", "name": "Bonus", "cost": {"fixed": 2.0}}),
    ("/decision-points", {"key": "churn-offer", "model": "churn", "candidates": ["none", "bonus"], "baseline": "none",
                          "horizon_days": 90}),
)  # fmt: skip


def first_steps(membership: Membership, site: str) -> list[dict[str, Any]]:
    """Return the steps from nothing to a running experiment; the first that isn't done is open."""
    workspace = membership.workspace
    draft = Experiment.objects.within(workspace).filter(decision_point__isnull=False).order_by("-created_at").first()
    steps = [
        {"key": "key", "done": ApiKey.objects.within(workspace).filter(revoked_at=None).exists(),
         "may": membership.may("operator")},
        {"key": "declare", "done": DecisionPoint.objects.within(workspace).exists(), "code": declaring(site)},
        {"key": "decide", "done": Decision.objects.within(workspace).exists(), "code": deciding(workspace, site)},
        {"key": "report", "done": Outcome.objects.within(workspace).exists(), "code": reporting(workspace, site)},
        {"key": "design", "done": draft is not None, "may": membership.may("analyst")},
        {"key": "sign", "done": bool(draft and draft.started_at), "experiment": draft},
    ]  # fmt: skip
    following = next((step["key"] for step in steps if not step["done"]), "")
    return [step | {"open": step["key"] == following} for step in steps]


def declaring(site: str) -> str:
    """Calls that declare a model, two actions and a decision point."""
    return "\n\n".join(curl(site, SECRET, path, body) for path, body in FIRST)


def deciding(workspace: Workspace, site: str) -> str:
    """A call that logs a prediction of the workspace's own model and gets an action; empty before there is one."""
    call = call_of(workspace, ["decide"], EVENT)
    return curl(site, SECRET, *call) if call else ""


def reporting(workspace: Workspace, site: str) -> str:
    """Calls that report an outcome of that unit, and that the feed is complete until now."""
    metric = Metric.objects.within(workspace).current().exclude(kind=Metric.Kind.NET_VALUE).order_by("key").first()
    kind = metric.definition[0]["outcome"] if metric else "churned"
    now = clock.now(workspace).isoformat(timespec="seconds")
    row = {"source": SOURCE, "event_id": EVENT, "type": kind, "unit_id": UNIT, "value": 1, "occurred_at": now}
    beat = {"type": kind, "complete_until": now}
    return "\n\n".join(
        [
            curl(site, SECRET, "/outcomes", {"outcomes": [row]}),
            curl(site, SECRET, f"/feeds/{SOURCE}/heartbeat", beat),
        ]
    )
