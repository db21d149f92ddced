"""Reading members, keys and jobs."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from workspaces import clock
from workspaces.errors import Missing
from workspaces.models import ApiKey, Job, Membership, Workspace


def members_of(workspace: Workspace) -> Any:
    return Membership.objects.within(workspace).select_related("person").order_by("person__name")


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


def newest_jobs(workspace: Workspace, limit: int = 50) -> list[Job]:
    return list(Job.objects.within(workspace).order_by("-created_at")[:limit])
