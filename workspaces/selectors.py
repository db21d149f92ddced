"""Reading members and jobs."""

from __future__ import annotations

from typing import Any

from workspaces.models import Job, Membership, Workspace


def members_of(workspace: Workspace) -> Any:
    return Membership.objects.within(workspace).select_related("person").order_by("person__name")


def newest_jobs(workspace: Workspace, limit: int = 50) -> list[Job]:
    return list(Job.objects.within(workspace).order_by("-created_at")[:limit])
