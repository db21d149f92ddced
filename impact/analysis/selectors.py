"""Reading stored analyses."""

from __future__ import annotations

from datetime import datetime

from django.db.models import OuterRef, Subquery

from experiments.models import Experiment
from impact.analysis.models import Analysis, HoldoutEffect
from workspaces.models import Workspace


def newest_analysis(experiment: Experiment, as_of: datetime | None = None) -> Analysis | None:
    """Return the newest analysis, or the newest as of a time."""
    found = Analysis.objects.within(experiment.workspace).filter(experiment=experiment)
    if as_of is not None:
        found = found.filter(as_of__lte=as_of)
    return found.select_related("snapshot").order_by("-as_of", "-created_at").first()


def newest_holdout_effects(workspace: Workspace) -> dict[str, HoldoutEffect]:
    """The newest that is known of the global holdout, by population."""
    same = HoldoutEffect.objects.within(workspace).filter(population=OuterRef("population"))
    newest = same.order_by("-as_of", "-created_at").values("pk")[:1]
    found = HoldoutEffect.objects.within(workspace).filter(pk=Subquery(newest))
    return {one.population: one for one in found}
