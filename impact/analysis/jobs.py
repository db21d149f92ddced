"""Analyses as jobs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from experiments.models import Experiment
from impact.analysis.held_out import measure_holdout
from impact.analysis.models import HoldoutEffect
from impact.analysis.services import analyze
from impact.analysis.version import CODE_VERSION
from workspaces import clock
from workspaces.canonical import digest
from workspaces.facts import insert_new
from workspaces.services.jobs import Attempt


def analyze_job(attempt: Attempt) -> dict[str, Any]:
    """Do one analysis."""
    arguments = attempt.job.arguments
    experiment = (
        Experiment.objects.within(attempt.workspace).select_related("workspace").get(key=arguments["experiment"])
    )
    analysis = analyze(
        experiment=experiment,
        as_of=datetime.fromisoformat(arguments["as_of"]),
        progress=attempt.progress,
        writing=attempt.writing,
    )
    return {"analysis": str(analysis.pk), "level": analysis.document["verdict"]["level"]}


def holdout_job(attempt: Attempt) -> dict[str, Any]:
    """Measure what the global holdout says of a population, once a time."""
    asked = attempt.job.arguments
    since, as_of = datetime.fromisoformat(asked["since"]), datetime.fromisoformat(asked["as_of"])
    content = measure_holdout(attempt.workspace, asked["population"], since, as_of)
    effect = HoldoutEffect(
        workspace=attempt.workspace,
        population=asked["population"],
        since=since,
        as_of=as_of,
        code_version=CODE_VERSION,
        content=content,
        sha256=digest(content),
        created_at=clock.server_now(),
    )
    with attempt.writing():
        insert_new([effect])
    return {"status": content["status"], "reason": content.get("reason")}
