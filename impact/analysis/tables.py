"""What a snapshot holds: the columns of each of its tables, and the rows of the database that they come from."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, NamedTuple

import pyarrow as pa
from django.db import models
from django.db.models import F, QuerySet
from django.db.models.functions import Cast

from experiments.models import Assignment, Decision, Execution, Experiment, Mode
from impact.agreements.plan import Plan
from impact.analysis.extract import FLAG, NUMBER, TEXT, TIME, Fields
from impact.ledger.models import Cost, Outcome

MICROSECONDS = pa.int64()
COLUMNS = {
    "decisions": {"unit": TEXT, "at": MICROSECONDS, "action": TEXT, "mode": TEXT, "propensity": NUMBER, "row": TEXT},
    "executions": {"row": TEXT, "place": TEXT, "done": TEXT, "did": TEXT, "otherwise": FLAG},
    "outcomes": {"unit": TEXT, "at": MICROSECONDS, "type": TEXT, "value": NUMBER},
    "costs": {"unit": TEXT, "at": MICROSECONDS, "category": TEXT, "value": NUMBER, "estimated": FLAG},
}
ROWS = {
    "unit": TEXT, "row": TEXT, "opened_at": MICROSECONDS, "matures_at": MICROSECONDS, "arm": TEXT, "stratum": TEXT,
    "phase": TEXT, "cluster": TEXT, "propensity": NUMBER, "planned_cost": NUMBER, "score": NUMBER,
}  # fmt: skip


class Source(NamedTuple):
    """Rows that a table comes from, what is read of them, and the times by which they are known."""

    rows: QuerySet[Any]
    fields: Fields
    times: tuple[str, ...]


def columns(name: str, plan: Plan) -> Mapping[str, pa.DataType]:
    if name != "rows":
        return COLUMNS[name]
    return (
        ROWS
        | {f"covariate {covariate}": NUMBER for covariate in plan.covariates}
        | {f"segment {segment}": TEXT for segment in plan.segments}
        | {f"policy {policy.key}": TEXT for policy in plan.policies}
    )


def sources(experiment: Experiment, plan: Plan) -> dict[str, Source]:
    """Name of the table -> where it comes from; rows of units that never join the experiment are among the events."""
    workspace, since = experiment.workspace, experiment.started_at or experiment.created_at
    before = timedelta(days=max((one.days for one in plan.earlier), default=0.0))
    decided = Decision.objects.within(workspace).filter(decided_at__gte=since)
    if experiment.decision_point_id:
        decided = decided.filter(decision_point__key=experiment.decision_point.key)  # type: ignore[union-attr]
    else:
        decided = decided.filter(assignment__experiment=experiment)
    executed = Execution.objects.within(workspace).filter(
        decision__assignment__experiment=experiment, decision__mode=Mode.RANDOMIZED
    )
    event, known = {"unit": ("unit_id", TEXT), "at": ("occurred_at", TIME)}, ("occurred_at", "received_at")
    return {
        "rows": Source(
            Assignment.objects.within(workspace).filter(experiment=experiment),
            {
                "key": ("randomization_key", TEXT), "unit": ("unit_id", TEXT), "cluster": ("cluster_id", TEXT),
                "arm": ("arm__key", TEXT), "stratum": ("stratum", TEXT), "phase": ("phase", TEXT),
                "propensity": ("propensity", NUMBER), "opened_at": ("first_decision_at", TIME),
                "matures_at": ("matures_at", TIME), "covariates": (_json("covariates"), TEXT),
                "segments": (_json("segments"), TEXT),
            },
            ("first_decision_at",),
        ),
        "decisions": Source(
            decided,
            {
                "unit": ("unit_id", TEXT), "at": ("decided_at", TIME), "action": ("action__key", TEXT),
                "mode": ("mode", TEXT), "propensity": ("propensity", NUMBER),
                "key": ("assignment__randomization_key", TEXT), "experiment": ("assignment__experiment_id", TEXT),
            },
            ("decided_at",),
        ),
        "executions": Source(
            executed,
            {
                "key": ("decision__assignment__randomization_key", TEXT), "unit": ("decision__unit_id", TEXT),
                "at": ("occurred_at", TIME), "source": ("source", TEXT), "event": ("event_id", TEXT),
                "state": ("status", TEXT), "arm": ("decision__assignment__arm__key", TEXT),
                "instead": ("executed_action", TEXT), "drawn": ("decision__action__key", TEXT),
            },
            known,
        ),
        "outcomes": Source(
            Outcome.objects.within(workspace).filter(type__in=outcome_types(plan), occurred_at__gte=since - before),
            event | {"type": ("type", TEXT), "value": ("value", NUMBER)},
            known,
        ),
        "costs": Source(
            Cost.objects.within(workspace).filter(occurred_at__gte=since),
            event | {"category": ("category", TEXT), "value": ("amount", NUMBER), "estimated": ("estimated", FLAG)},
            known,
        ),
    }  # fmt: skip


def first_decisions(experiment: Experiment) -> Source:
    """The decisions that windows opened with, the one that was stored first ahead of others at that time."""
    first = Decision.objects.within(experiment.workspace).filter(
        assignment__experiment=experiment, decided_at=F("assignment__first_decision_at")
    )
    return Source(
        first,
        {
            "assignment": ("assignment_id", TEXT), "score": ("score", NUMBER),
            "would_have": (_json("would_have"), TEXT), "fixed": ("action__fixed_cost", NUMBER),
            "share": ("action__acceptance_share", NUMBER), "contingent": ("action__contingent_cost", NUMBER),
        },
        ("decided_at",),
    )  # fmt: skip


def outcome_types(plan: Plan) -> list[str]:
    terms = [term for metric in plan.metrics for term in (metric.term, metric.per) if term]
    counted = {term.outcome for term in terms + (plan.net.value if plan.net else [])}
    return sorted(counted | {one.outcome for one in plan.earlier})


def _json(name: str) -> Any:
    # as it is stored, since the field itself would take it apart
    return Cast(name, models.TextField())
