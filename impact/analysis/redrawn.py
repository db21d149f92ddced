"""Draws made again before a figure is shown."""

from __future__ import annotations

from collections.abc import Sequence

from experiments.draws import differing_draws
from experiments.models import Assignment, Experiment

# so many draws are made again before a figure is shown; ``verify`` makes them all again
REDRAWN = 1_000


def redrawn(experiment: Experiment, sampled: Sequence[str]) -> dict[str, int]:
    """Draw these arms again, of rows or, in clusters, of keys: how many, and how many came out otherwise."""
    assigned = Assignment.objects.within(experiment.workspace).filter(experiment=experiment)
    by = "randomization_key__in" if experiment.in_clusters else "pk__in"
    # rows of one cluster have one draw, and one line
    differing = set(differing_draws(experiment, assigned.filter(**{by: sampled}))) if sampled else set()
    return {"looked": len(sampled), "differing": len(differing)}
