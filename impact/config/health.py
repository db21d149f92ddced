"""Is the process alive, can it work, and does everything that it works with?"""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from typing import Any

from celery import current_app
from django.conf import settings
from django.db import Error, connection
from django.db.models import Count, Min, Q
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from kombu.exceptions import OperationalError

from impact.config.celery import TICKED
from workspaces import clock
from workspaces.access import member
from workspaces.models import Job, Workspace

VERSION = "0.1.0"
SILENT = timedelta(seconds=60)
LONG = timedelta(minutes=5)
# free space of the data directory, as shares of the whole: what is little, and what is too little
LITTLE, TOO_LITTLE = 0.10, 0.03
GIGABYTE = 1e9
QUEUED, RUNNING, FAILED = Job.State.QUEUED, Job.State.RUNNING, Job.State.FAILED


def live(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"live": True})


def ready(request: HttpRequest) -> JsonResponse:
    try:
        _ask_database()
    except Error:
        return JsonResponse({"ready": False, "database": "unreachable"}, status=503, headers={"Retry-After": "5"})
    return JsonResponse({"ready": True})


@member("viewer")
def health(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """What works, what doesn't, and what to do about it."""
    _ask_database()
    now = clock.server_now()
    content = {
        "engine": connection.display_name,
        "engine_version": ".".join(map(str, connection.get_database_version())),
        "one_machine": connection.vendor == "sqlite",
        "broker": broker(),
        "tick": tick(now),
        "jobs": jobs(workspace, now),
        "disk": disk(),
        "version": VERSION,
    }
    return render(request, "config/health.html", content)


def _ask_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def broker() -> dict[str, Any]:
    """Whether the broker can be reached; its address stays untold, since it may hold a password."""
    kind = settings.BROKER_URL.partition("://")[0]
    try:
        with current_app.connection_for_write(settings.BROKER_URL) as link:
            link.ensure_connection(max_retries=1, interval_start=0, interval_step=0, timeout=2)
    except (OperationalError, OSError):
        return {"state": "warn", "kind": kind}
    return {"state": "pass", "kind": kind}


def tick(now: datetime) -> dict[str, Any]:
    """When the tick came last; while a job is worked at, its lease is a sign of life as good."""
    try:
        ticked = datetime.fromtimestamp((settings.DATA_DIR / TICKED).stat().st_mtime, UTC)
    except FileNotFoundError:
        ticked = None
    works = (ticked and now - ticked <= SILENT) or Job.objects.filter(state=RUNNING, lease_until__gt=now).exists()
    return {"state": "pass" if works else "block", "at": ticked}


def jobs(workspace: Workspace, now: datetime) -> dict[str, Any]:
    """How many jobs wait and failed, and since when the oldest is due."""
    due = Q(state=QUEUED, due_at__lte=now)
    counts: dict[str, Any] = Job.objects.within(workspace).aggregate(
        waiting=Count("pk", filter=due),
        running=Count("pk", filter=Q(state=RUNNING)),
        failed=Count("pk", filter=Q(state=FAILED)),
        oldest=Min("due_at", filter=due),
    )
    late = counts["oldest"] is not None and now - counts["oldest"] > LONG
    return counts | {"late": late, "state": "warn" if late or counts["failed"] else "pass"}


def disk() -> dict[str, Any]:
    """How much space the data directory has left, in gigabytes."""
    space = shutil.disk_usage(settings.DATA_DIR)
    share = space.free / space.total
    return {"state": space_state(share), "free": space.free / GIGABYTE, "total": space.total / GIGABYTE, "share": share}


def space_state(share: float) -> str:
    return "block" if share < TOO_LITTLE else "warn" if share < LITTLE else "pass"
