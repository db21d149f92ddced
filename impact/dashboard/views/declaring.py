"""Declaring a metric or an assumption on a page: tried or compared first, then kept as a new version."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from impact.agreements.drafting import save_draft
from impact.agreements.previewing import preview
from impact.dashboard.assumptions import assumption_named, changed
from impact.dashboard.decision_points import decision_point_named
from impact.dashboard.declaring import AssumptionForm, MetricForm, assumption_initial, form_can_say, metric_initial
from impact.dashboard.metrics import metric_named, preview_page, tried_at
from impact.dashboard.views.answers import actor, language
from workspaces.access import asked, member
from workspaces.errors import Missing, Refusal
from workspaces.models import Workspace
from workspaces.saying import in_words

# a refusal's place in the declaration -> the field that says it
FIELDS = {"of": "outcome", "per": "per_outcome", "covariates": "earlier_outcome", "cap": "cap", "base": "base"}


@member("analyst")
def declare_metric(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """Try a metric on the last decisions of a point, or declare it."""
    known = asked(request.GET, "from")["from"]
    metric = metric_named(workspace, known) if known else None
    if metric and not form_can_say(metric):
        raise Missing("metric that this page can say", known)
    initial = metric_initial(metric) | {"point": tried_at(workspace, known)} if metric else None
    form = MetricForm(workspace, request.POST if request.method == "POST" else None, initial=initial)
    content: dict[str, Any] = {"form": form, "known": known}
    if form.is_bound and form.is_valid():
        said = form.cleaned_data
        if "look" not in request.POST and _declared(request, workspace, form, "metrics", form.document()):
            return redirect("metric", workspace=workspace.key, key=said["key"])
        if said["point"] and not form.errors:
            found = preview(workspace, decision_point_named(workspace, said["point"]), form.terms())
            content["preview"] = preview_page(found, said["kind"], said["unit"], language())
    return render(request, "dashboard/declare_metric.html", content, status=422 if form.errors else 200)


@member("analyst")
def declare_assumption(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """Show what a new version would change and for whom, or declare it."""
    known = asked(request.GET, "from")["from"]
    initial = assumption_initial(assumption_named(workspace, known)) if known else None
    form = AssumptionForm(request.POST if request.method == "POST" else None, initial=initial)
    content: dict[str, Any] = {"form": form, "known": known}
    if form.is_bound and form.is_valid():
        change = changed(workspace, form.cleaned_data, _labels(form), language())
        document = form.document(change["current"])
        if "look" not in request.POST and _declared(request, workspace, form, "assumptions", document):
            return redirect("assumption", workspace=workspace.key, key=document["key"])
        content["change"] = change
    return render(request, "dashboard/declare_assumption.html", content, status=422 if form.errors else 200)


def _labels(form: Form) -> dict[str, str]:
    return {name: str(field.label) for name, field in form.fields.items()}


def _declared(request: HttpRequest, workspace: Workspace, form: Form, name: str, document: dict[str, Any]) -> bool:
    """Declare it as a file would; a refusal is put where it belongs."""
    try:
        [change] = save_draft(workspace=workspace, document={name: [document]}, actor=actor(request), anew=False)
    except Refusal as refusal:
        at = next((one for one in reversed(refusal.pointer.split("/")) if one in (*form.fields, *FIELDS)), "")
        form.add_error(FIELDS.get(at, at) or None, in_words(refusal.detail))
        return False
    said = _("Nothing differs from the version there is.") if change.did == "unchanged" else _("Declared.")
    messages.success(request, said)
    return True
