"""Pages of what figures are counted by: metrics and assumptions."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from impact.dashboard import assumptions as numbers
from impact.dashboard import metrics as counted
from impact.dashboard.declaring import form_can_say
from impact.dashboard.views.answers import language
from workspaces.access import member
from workspaces.models import Workspace


@member("viewer")
def metrics(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    content = {"rows": counted.metrics(workspace, language()), "may_declare": _may_declare(request)}
    return render(request, "dashboard/metrics.html", content)


@member("viewer")
def metric(request: HttpRequest, workspace: Workspace, key: str) -> HttpResponse:
    """One metric's definition in words, its versions, and the experiments that agreed on it."""
    page = counted.metric_page(workspace, key, language())
    may_declare = form_can_say(page["metric"]) and _may_declare(request)
    return render(request, "dashboard/metric.html", {"page": page, "may_declare": may_declare})


@member("viewer")
def assumptions(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    content = {"rows": numbers.assumptions(workspace), "may_declare": _may_declare(request)}
    return render(request, "dashboard/assumptions.html", content)


@member("viewer")
def assumption(request: HttpRequest, workspace: Workspace, key: str) -> HttpResponse:
    """One assumption: its range, who answers for it, its versions, and whose figures it is in."""
    content = {"page": numbers.assumption_page(workspace, key), "may_declare": _may_declare(request)}
    return render(request, "dashboard/assumption.html", content)


def _may_declare(request: HttpRequest) -> bool:
    return bool(request.membership.may("analyst"))  # type: ignore[attr-defined]
