"""The pages of the design editor: choose where to begin, type with what it can prove in view, save a draft."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from impact.agreements.drafting import save_draft
from impact.dashboard.design.document import document_of, field_of
from impact.dashboard.design.form import DesignForm
from impact.dashboard.design.initial import initial_of
from impact.dashboard.design.page import page_of
from impact.dashboard.design.start import Start, measures, points, sources, start_of
from workspaces import clock
from workspaces.access import asked, member
from workspaces.errors import Missing, Refusal
from workspaces.models import Workspace
from workspaces.saying import in_words

BEGINS = ("experiment", "clone", "point", "measure")


@member("analyst")
def design(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """Show the editor, look again at what was typed, or save it as a draft."""
    try:
        start = start_of(workspace, asked(request.GET, *BEGINS))
    except Missing:
        raise
    except Refusal as refusal:
        messages.error(request, in_words(refusal.detail))
        return redirect("design", workspace=workspace.key)
    if start is None:
        content = {"points": points(workspace), "measures": measures(workspace), "sources": sources(workspace)}
        return render(request, "dashboard/design_begin.html", content)
    if request.method != "POST":
        initial = initial_of(start, request.user.name, clock.now(workspace))  # type: ignore[union-attr]
        return _page(request, DesignForm(workspace, start, initial=initial))
    form = DesignForm(workspace, start, request.POST)
    if "look" in request.POST:
        return _page(request, form)
    if form.is_valid() and (key := _saved(request, workspace, form)):
        messages.success(request, _("Saved as a draft. Three people sign it here."))
        return redirect("agreement", workspace=workspace.key, key=key)
    return _page(request, form, status=422)


@member("analyst")
def preview(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """Answer what is being typed with what it can prove; nothing is stored."""
    start = start_of(workspace, asked(request.GET, *BEGINS)) if request.method == "POST" else None
    if start is None:
        return redirect("design", workspace=workspace.key)
    form = DesignForm(workspace, start, request.POST)
    page = page_of(form, clock.now(workspace), get_language() or "en")
    return render(request, "dashboard/_design_outlook.html", {"page": page, "live": True})


def _page(request: HttpRequest, form: DesignForm, status: int = 200) -> HttpResponse:
    start = form.start
    content: dict[str, Any] = {
        "form": form,
        "start": start,
        "page": page_of(form, clock.now(start.point.workspace), get_language() or "en"),
        "query": request.GET.urlencode(),
    }
    return render(request, "dashboard/design.html", content, status=status)


def _saved(request: HttpRequest, workspace: Workspace, form: DesignForm) -> str:
    """Declare it all; a refusal is put where it belongs, and nothing is stored."""
    document = document_of(form, clock.now(workspace))
    start: Start = form.start
    try:
        save_draft(workspace=workspace, document=document, actor=str(request.user.email), anew=not start.changes)  # type: ignore[union-attr]
    except Refusal as refusal:
        form.add_error(field_of(refusal.pointer, document, form), in_words(refusal.detail))
        return ""
    return str(document["experiments"][0]["key"])
