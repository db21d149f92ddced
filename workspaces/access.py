"""Who may see a page: signed in, a member of the workspace in the address, with at least a role."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, QueryDict
from django.http.response import HttpResponseBase

from workspaces.errors import Missing
from workspaces.services.people import membership_of

View = Callable[..., HttpResponseBase]


def member(role: str) -> Callable[[View], View]:
    """Let members with this role or more in; others find nothing, or are told that they may not."""

    def decorate(view: View) -> View:
        @wraps(view)
        @login_required
        def guarded(request: HttpRequest, workspace: str, **rest: Any) -> HttpResponseBase:
            try:
                membership = membership_of(person=request.user, workspace_key=workspace)  # type: ignore[arg-type]
            except Missing as error:
                raise Http404 from error
            request.membership = membership  # type: ignore[attr-defined]
            if not membership.may(role):
                raise PermissionDenied(role)
            try:
                return view(request, membership.workspace, **rest)
            except Missing as error:
                raise Http404 from error

        guarded.role = role  # type: ignore[attr-defined]
        return guarded

    return decorate


def asked(values: QueryDict, *names: str) -> dict[str, str]:
    """Return what an address or a form says under these names, without the NULs that no database can look for."""
    return {name: values.get(name, "").replace("\x00", "") for name in names}
