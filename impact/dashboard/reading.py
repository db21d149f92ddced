"""Pages of the documentation: inside a workspace with its navigation, and for everybody without."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language

from impact.dashboard.documents import DOCUMENTS, SHELVES, html_of, linked, written_in
from workspaces.access import member
from workspaces.models import Workspace


def docs(request: HttpRequest, name: str = "") -> HttpResponse:
    """The list of documents, or one of them."""
    return _shown(request, name, reverse("docs"))


@member("viewer")
def documentation(request: HttpRequest, workspace: Workspace, name: str = "") -> HttpResponse:
    """The same, with the workspace around it."""
    return _shown(request, name, reverse("documentation", args=[workspace.key]))


def _shown(request: HttpRequest, name: str, root: str) -> HttpResponse:
    content: dict[str, Any] = {"root": root}
    if not name:
        return render(request, "docs/documents.html", content | {"shelves": SHELVES})
    if name not in DOCUMENTS:
        raise Http404
    language, document = get_language() or "en", DOCUMENTS[name]
    content |= {
        "document": document,
        "written_in": written_in(document, language),
        "html": linked(html_of(name, language), root),
    }
    return render(request, "docs/document.html", content)
