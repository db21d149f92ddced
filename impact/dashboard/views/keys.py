"""Pages of API keys."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from impact.dashboard.keys import example
from impact.dashboard.views.answers import actor, site
from workspaces.access import member
from workspaces.errors import Refusal
from workspaces.forms import KeyForm
from workspaces.models import Workspace
from workspaces.saying import in_words
from workspaces.selectors import key_named, keys_of
from workspaces.services.keys import create_key, revoke_key


@member("operator")
def keys(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """The API keys; an administrator may make and revoke them."""
    return _keys(request, workspace, KeyForm(workspace))


@member("admin")
@never_cache
def make_key(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """Make a key and show its secret once, in a call that works."""
    if request.method != "POST":
        return redirect("keys", workspace=workspace.key)
    form = KeyForm(workspace, request.POST)
    if not form.is_valid():
        return _keys(request, workspace, form)
    name, scopes = form.cleaned_data["name"], form.cleaned_data["scopes"]
    key, secret = create_key(
        workspace=workspace, name=name, scopes=scopes, expires_at=form.expires_at(), actor=actor(request)
    )
    made = {"made": key, "secret": secret, "example": example(key, secret, site(request))}
    return _keys(request, workspace, KeyForm(workspace), made)


@member("admin")
def end_key(request: HttpRequest, workspace: Workspace, id: str) -> HttpResponse:
    """Ask whether a key is really to be revoked, and revoke it."""
    key = key_named(workspace, id)
    if request.method != "POST":
        return render(request, "dashboard/end_key.html", {"key": key})
    try:
        revoke_key(key=key, actor=actor(request))
        messages.success(request, _("The key %(name)s opens nothing any more.") % {"name": key.name})
    except Refusal as refusal:
        messages.error(request, in_words(refusal.detail))
    return redirect("keys", workspace=workspace.key)


def _keys(
    request: HttpRequest, workspace: Workspace, form: KeyForm, made: dict[str, Any] | None = None
) -> HttpResponse:
    content = {
        "keys": keys_of(workspace),
        "form": form,
        "may_make": request.membership.may("admin"),  # type: ignore[attr-defined]
    }
    return render(request, "dashboard/keys.html", content | (made or {}), status=422 if form.errors else 200)
