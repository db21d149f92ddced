"""Reading members, keys, the audit trail and jobs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from workspaces import clock
from workspaces.errors import Missing
from workspaces.models import ApiKey, AuditEntry, Job, Membership, Workspace

ENTRIES_A_PAGE = 50
MOST_DIGITS = 18


def members_of(workspace: Workspace) -> Any:
    return Membership.objects.within(workspace).select_related("person").order_by("person__name")


def member_named(workspace: Workspace, text: str) -> Membership:
    try:
        found: Membership | None = members_of(workspace).select_related("workspace").filter(pk=UUID(text)).first()
    except ValueError:
        found = None
    if found is None:
        raise Missing("member", text)
    return found


def keys_of(workspace: Workspace) -> list[dict[str, Any]]:
    """API keys, newest first, and whether each still opens."""
    now, keys = clock.server_now(), ApiKey.objects.within(workspace).order_by("-pk")
    return [{"key": key, "state": _state(key, now)} for key in keys]


def _state(key: ApiKey, now: datetime) -> str:
    if key.revoked_at:
        return "revoked"
    return "expired" if key.expires_at and key.expires_at <= now else "active"


def key_named(workspace: Workspace, text: str) -> ApiKey:
    try:
        found: ApiKey | None = ApiKey.objects.within(workspace).filter(pk=UUID(text)).first()
    except ValueError:
        found = None
    if found is None:
        raise Missing("API key", text)
    return found


def audited(workspace: Workspace, filters: Mapping[str, str]) -> tuple[list[AuditEntry], int | None]:
    """Up to a page of entries, newest first, and the number that the next page lies before."""
    entries = AuditEntry.objects.within(workspace)
    entries = entries.filter(**{name: filters[name] for name in ("actor", "action") if filters.get(name)})
    before = filters.get("before", "")
    if before.isdecimal() and len(before) <= MOST_DIGITS:
        entries = entries.filter(number__lt=int(before))
    found = list(entries.order_by("-number")[: ENTRIES_A_PAGE + 1])
    return found[:ENTRIES_A_PAGE], found[ENTRIES_A_PAGE - 1].number if len(found) > ENTRIES_A_PAGE else None


def audit_choices(workspace: Workspace) -> dict[str, list[str]]:
    """Who has acted, and what was done."""
    entries = AuditEntry.objects.within(workspace)
    return {
        "actors": list(entries.order_by("actor").values_list("actor", flat=True).distinct()),
        "actions": list(entries.order_by("action").values_list("action", flat=True).distinct()),
    }


def newest_jobs(workspace: Workspace, limit: int = 50) -> list[Job]:
    return list(Job.objects.within(workspace).order_by("-created_at")[:limit])
