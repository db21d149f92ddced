"""Asking for drift once a day, where days with predictions wait for it. Loads nothing numeric."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Max

from predictions.models import ModelVersion, Prediction, ScoreDay
from workspaces import clock
from workspaces.models import Workspace
from workspaces.services.jobs import enqueue

DRIFT = "drift"


def enqueue_due_drift() -> None:
    """Ask for the drift up to each workspace's last midnight, unless it is measured as far as there are predictions."""
    for workspace in Workspace.objects.all():
        today = clock.now(workspace).astimezone(ZoneInfo(workspace.time_zone)).date()
        newest = ScoreDay.objects.within(workspace).aggregate(newest=Max("on"))["newest"]
        waiting = Prediction.objects.filter(
            # by version, for which there is an index
            version__in=ModelVersion.objects.within(workspace),
            predicted_at__lt=start_of(today, workspace),
        )
        if newest:
            waiting = waiting.filter(predicted_at__gte=start_of(newest + timedelta(days=1), workspace))
        if waiting.exists():
            enqueue(workspace=workspace, kind=DRIFT, key=f"before {today}", arguments={"before": today.isoformat()})


def start_of(day: date, workspace: Workspace) -> datetime:
    """When a day begins where the workspace is."""
    return datetime.combine(day, time(), ZoneInfo(workspace.time_zone))
