"""The navigation: its parts, the pages of each, and which of them one is on."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.utils.translation import gettext_lazy as _

from workspaces.models import Membership


class Entry(NamedTuple):
    """A page's address by its name, its text, the names of the pages beneath it, and the role that sees it."""

    url: str
    text: Any
    beneath: tuple[str, ...] = ()
    role: str = "viewer"


# a part without entries isn't shown; a part leads to its first entry
PARTS: tuple[tuple[Any, tuple[Entry, ...]], ...] = (
    (
        _("Predictions"),
        (Entry("models", _("Models"), ("model",)),),
    ),
    (
        _("Experiments"),
        (
            Entry(
                "experiments",
                _("Experiments"),
                ("experiment", "agreement", "compliance", "assignments", "design", "load_experiment"),
            ),
            Entry("decision_points", _("Decision points"), ("decision_point",)),
            Entry("actions", _("Actions")),
            Entry("policies", _("Policies"), ("policy",)),
        ),
    ),
    (
        _("Impact"),
        (
            Entry("home", _("Overview")),
            Entry("reports", _("Reports"), ("report",)),
            Entry("metrics", _("Metrics"), ("metric", "declare_metric")),
            Entry("claims", _("Claims"), ("withdraw_claim",)),
            Entry("data", _("Data"), ("import_file",)),
            Entry("quarantine", _("Quarantine"), ("quarantined",)),
            Entry("jobs", _("Jobs")),
        ),
    ),
    (
        _("Settings"),
        (
            Entry("members", _("Members"), ("invite", "edit_member", "end_member")),
            Entry("assumptions", _("Assumptions"), ("assumption", "declare_assumption")),
            Entry("rates", _("Rates"), ("add_rate",)),
            Entry("keys", _("API keys"), ("make_key", "end_key"), "operator"),
            Entry("audit", _("Audit")),
            Entry("health", _("Health")),
            Entry("documentation", _("Documentation"), ("document",)),
        ),
    ),
)


def navigation(name: str, membership: Membership | None = None) -> list[dict[str, Any]]:
    """The parts with their entries, seen from the page of this name by this member."""
    return [
        {
            "text": text,
            "url": entries[0].url,
            "here": any(name in (entry.url, *entry.beneath) for entry in entries),
            "entries": [
                {"url": one.url, "text": one.text, "here": name in (one.url, *one.beneath)}
                for one in entries
                if membership is None or membership.may(one.role)
            ],
        }
        for text, entries in PARTS
        if entries
    ]
