"""What every page shows: where one is, and what else there is."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.translation import get_language
from django.utils.translation import gettext as _


def shell(request: HttpRequest) -> dict[str, Any]:
    membership = getattr(request, "membership", None)
    name = request.resolver_match.url_name if request.resolver_match else ""
    return {
        "membership": membership,
        "workspace": membership.workspace if membership else None,
        "language": get_language(),
        "places": [
            {"url": "home", "text": _("Impact"), "here": name == "home"},
            {
                "url": "experiments",
                "text": _("Experiments"),
                "here": name in ("experiments", "experiment", "agreement"),
            },
            {"url": "reports", "text": _("Reports"), "here": name in ("reports", "report")},
            {"url": "jobs", "text": _("Jobs"), "here": name == "jobs"},
            {"url": "members", "text": _("Members"), "here": name in ("members", "invite")},
        ],
    }
