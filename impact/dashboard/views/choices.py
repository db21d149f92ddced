"""Pages of what turns a prediction into an action: models, decision points, actions, policies."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from impact.dashboard import decision_points as points
from impact.dashboard import policies as rules
from impact.dashboard.actions import actions as known_actions
from impact.dashboard.model import days_of, model_page, model_rows, newest, shown_version
from impact.dashboard.views.answers import csv_file, language
from workspaces.access import member
from workspaces.files import harmless
from workspaces.models import Workspace


@member("viewer")
def models(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    return render(request, "dashboard/models.html", {"rows": model_rows(workspace, language())})


@member("viewer")
def model(request: HttpRequest, workspace: Workspace, key: str) -> HttpResponse:
    """One model: its versions, scores by day, drift, and how right it was about units that were left alone."""
    return render(request, "dashboard/model.html", model_page(workspace, key, request.GET.get("version"), language()))


@member("viewer")
def model_days(request: HttpRequest, workspace: Workspace, key: str) -> HttpResponse:
    """The days of a version as CSV: the scores' quantiles and every index."""
    version = shown_version(workspace, key, request.GET.get("version"))
    days = days_of(version)
    names = sorted({name for day in days for name in day.features})
    head = ["day", "predictions", "p5", "p25", "p50", "p75", "p95", "psi", "by_chance"]
    rows = [
        [day.on.isoformat(), day.rows, *day.quantiles, day.psi, day.by_chance]
        + [day.features.get(name, {}).get("psi") for name in names]
        for day in days
    ]
    return csv_file(f"{key}-days", [*head, *(harmless(f"psi {name}") for name in names)], rows)


@member("viewer")
def model_calibration(request: HttpRequest, workspace: Workspace, key: str) -> HttpResponse:
    """The bins of a version's newest calibration as CSV."""
    version = shown_version(workspace, key, request.GET.get("version"))
    calibration = newest(workspace, [version])[version.pk].calibration
    bins = calibration.content.get("bins", []) if calibration else []
    head = ["lowest", "highest", "units", "happened", "predicted", "observed", "low", "high"]
    columns = ("lowest", "highest", "rows", "happened", "predicted", "observed")
    return csv_file(f"{key}-calibration", head, [[*(one[column] for column in columns), *one["ci"]] for one in bins])


@member("viewer")
def actions(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    return render(request, "dashboard/actions.html", {"actions": known_actions(workspace, language())})


@member("viewer")
def decision_points(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    return render(request, "dashboard/decision_points.html", {"points": points.decision_points(workspace)})


@member("viewer")
def decision_point(request: HttpRequest, workspace: Workspace, key: str) -> HttpResponse:
    """How a prediction becomes a choice, with the counts of seven days."""
    page = points.decision_point_page(workspace, key, language())
    return render(request, "dashboard/decision_point.html", {"page": page})


@member("viewer")
def policies(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    return render(request, "dashboard/policies.html", {"policies": rules.policies(workspace)})


@member("viewer")
def policy(request: HttpRequest, workspace: Workspace, key: str) -> HttpResponse:
    """One policy's rule in words, and what it would have done beside what was."""
    return render(request, "dashboard/policy.html", {"page": rules.policy_page(workspace, key, language())})
