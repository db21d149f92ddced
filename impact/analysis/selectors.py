"""Reading stored analyses."""

from __future__ import annotations

from datetime import datetime

from experiments.models import Experiment
from impact.analysis.models import Analysis


def newest_analysis(experiment: Experiment, as_of: datetime | None = None) -> Analysis | None:
    """Return the newest analysis, or the newest as of a time."""
    found = Analysis.objects.within(experiment.workspace).filter(experiment=experiment)
    if as_of is not None:
        found = found.filter(as_of__lte=as_of)
    return found.select_related("snapshot").order_by("-as_of", "-created_at").first()
