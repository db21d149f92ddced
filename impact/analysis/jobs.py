"""Analyses as jobs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from experiments.models import Experiment
from impact.analysis.services import analyze
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
