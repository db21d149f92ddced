"""Actions: what the business can do, with its planned cost beside what was measured."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

from django.db.models import Count, Exists, OuterRef, Sum

from experiments.models import Action, Decision, DecisionPoint, Execution
from impact.dashboard.compliance import REACHED
from impact.figures.forms import Forms
from impact.ledger.models import Cost
from workspaces import clock
from workspaces.models import Workspace

DAYS = timedelta(days=30)


def actions(workspace: Workspace, language: str) -> list[dict[str, Any]]:
    """The current version of each; executions of decisions of the last thirty days, and what they cost."""
    forms, currency = Forms(language), workspace.currency
    points = list(DecisionPoint.objects.within(workspace))
    executed, spent = _executed(workspace, points), _spent(workspace, points)
    versions = Counter(Action.objects.within(workspace).values_list("key", flat=True))
    return [
        {
            "action": action,
            "versions": versions[action.key],
            "planned": forms.money(action.planned_cost, currency),
            "fixed": forms.money(action.fixed_cost, currency),
            "contingent": forms.money(action.contingent_cost, currency) if action.contingent_cost else "",
            "acceptance": forms.percent(action.acceptance_share),
            "executed": forms.number(executed.get(action.key, 0)),
            "measured": _each(spent.get(action.key), executed.get(action.key), forms, currency),
            "points": [point.key for point in points if point.is_current and action.key in point.candidates],
        }
        for action in Action.objects.within(workspace).current().order_by("key")
    ]


def _executed(workspace: Workspace, points: list[DecisionPoint]) -> dict[str, int]:
    """Decisions of each action that reached their unit."""
    recent = Decision.objects.filter(decision_point__in=points, decided_at__gt=clock.now(workspace) - DAYS)
    reached = recent.filter(Exists(_reaching("pk"))).values_list("action__key")
    return dict(reached.annotate(count=Count("pk")).order_by())


def _spent(workspace: Workspace, points: list[DecisionPoint]) -> dict[str, float]:
    """What those decisions cost; estimates are left out."""
    costs = Cost.objects.filter(
        decision__decision_point__in=points, decision__decided_at__gt=clock.now(workspace) - DAYS, estimated=False
    )
    reached = costs.filter(Exists(_reaching("decision"))).values_list("decision__action__key")
    return dict(reached.annotate(amount=Sum("amount")).order_by())


def _reaching(of: str) -> Any:
    return Execution.objects.filter(decision=OuterRef(of), status__in=REACHED)


def _each(amount: float | None, executed: int | None, forms: Forms, currency: str) -> str:
    return forms.money(amount / executed, currency) if amount is not None and executed else ""
