"""An experiment's stored analyses over time: its course, and what changed between the last two."""

from __future__ import annotations

from typing import Any

from experiments.models import Experiment
from impact.analysis.models import Analysis
from impact.figures.agreed import changed_lines
from impact.figures.course import course
from impact.figures.sentences import completed

# of more analyses so many are drawn, evenly apart: documents are read whole
MOST = 16


def course_of(experiment: Experiment, language: str) -> dict[str, Any]:
    """Return the course and what changed last; both none where there is one analysis or fewer."""
    stored = Analysis.objects.within(experiment.workspace).filter(experiment=experiment)
    # a second analysis of the same cut-off takes the place of the first
    newest = dict(stored.order_by("as_of", "created_at").values_list("as_of", "pk"))
    chosen = spread(list(newest.values()))
    if len(chosen) < 2:
        return {"course": None, "changed": None}
    found = stored.filter(pk__in=chosen).order_by("as_of")
    case, zone = (experiment.plan or {}).get("case"), experiment.workspace.time_zone
    documents = [completed(one.document, language, case) for one in found]
    return {
        "course": course(documents, zone, language),
        "changed": changed_lines(documents[-2], documents[-1], zone, language),
    }


def spread(keys: list[Any], most: int = MOST) -> list[Any]:
    """So many of them, evenly apart, with the first and the last two."""
    if len(keys) <= most:
        return keys
    head, tail = keys[:-2], keys[-2:]
    step = (len(head) - 1) / (most - 3)
    return [head[round(place * step)] for place in range(most - 2)] + tail
