"""Asking for analyses: on demand, and once a day while an experiment lives. Loads nothing numeric."""

from __future__ import annotations

from datetime import UTC, datetime

from django.db.models import Exists, OuterRef

from experiments.models import Experiment, Status
from impact.analysis.models import Analysis
from workspaces import clock
from workspaces.errors import Refusal
from workspaces.models import Job, Workspace
from workspaces.services.jobs import enqueue

ANALYZE = "analyze"
HOLDOUT = "holdout-effect"


def enqueue_analysis(*, experiment: Experiment, as_of: datetime, because: str = "") -> Job:
    """Ask for an analysis as of a time; asking twice for the same reason is asking once."""
    if experiment.plan is None:
        raise not_started(experiment)
    return enqueue(
        workspace=experiment.workspace,
        kind=ANALYZE,
        key=f"{experiment.key}, as of {as_of.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC{because and f', {because}'}",
        arguments={"experiment": experiment.key, "as_of": as_of.isoformat()},
    )


def enqueue_holdout(*, workspace: Workspace, population: str, since: datetime, as_of: datetime) -> Job:
    """Ask what the global holdout of a population measures from one time to another."""
    since, as_of = since.astimezone(UTC), as_of.astimezone(UTC)
    return enqueue(
        workspace=workspace,
        kind=HOLDOUT,
        key=f"{population}, {since:%Y-%m-%d} to {as_of:%Y-%m-%d %H:%M} UTC",
        arguments={"population": population, "since": since.isoformat(), "as_of": as_of.isoformat()},
    )


def not_started(experiment: Experiment) -> Refusal:
    return Refusal("not-started", f"{experiment.key} has not started, so there is nothing to analyse.")


def enqueue_due_analyses() -> None:
    """Ask for one analysis a day of every experiment that has started, until one is final."""
    final = Analysis.objects.filter(experiment=OuterRef("pk"), final=True)
    living = Experiment.objects.filter(
        ~Exists(final),
        origin=Experiment.Origin.LIVE,
        status__in=[Status.RUNNING, Status.PAUSED, Status.CLOSED],
    )
    for experiment in living.select_related("workspace"):
        midnight = clock.now(experiment.workspace).replace(hour=0, minute=0, second=0, microsecond=0)
        if experiment.started_at and experiment.started_at < midnight:
            enqueue_analysis(experiment=experiment, as_of=midnight)
