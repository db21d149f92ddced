"""What every page shows: where one is, and what else there is."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.translation import get_language

from impact.dashboard.navigation import navigation
from workspaces.services.demo import visits


def shell(request: HttpRequest) -> dict[str, Any]:
    membership = getattr(request, "membership", None)
    name = request.resolver_match.url_name if request.resolver_match else ""
    return {
        "membership": membership,
        "workspace": membership.workspace if membership else None,
        "language": get_language(),
        "visits_demo": membership is not None and visits(membership),
        "parts": navigation(name or "", membership),
    }
