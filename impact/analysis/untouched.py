"""Units that were left alone by chance: what the model said of them, and what then happened."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import F

from experiments.models import Action, Decision, Experiment, Mode
from experiments.setup import actions_of
from impact.agreements.plan import Plan, PlannedMetric, Term
from impact.analysis.calibration import of_numbers, of_probabilities
from impact.analysis.happened import between, by_unit, number_of
from impact.analysis.instants import microseconds
from impact.analysis.models import Snapshot
from impact.ledger.models import Outcome
from predictions.models import ModelVersion, Task


class LeftAlone(NamedTuple):
    """One unit at the moment it was decided, by chance, to do nothing about it."""

    unit: str
    group: str
    score: float
    version: UUID
    at: datetime
    held_out: bool


@dataclass(slots=True)
class Seen:
    """Scores of one version, and what came of the units."""

    scores: list[float] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    held_out: int = 0
    acted_on: int = 0
    unknown: int = 0


def calibrations(experiment: Experiment, plan: Plan, snapshot: Snapshot) -> dict[UUID, dict[str, Any]]:
    """Return for each version of the experiment's model how right it was about units that were left alone.

    Those are the keys of arms that do nothing whatever the score, and held-out units that were eligible for every arm;
    each from its first decision on, over the model's horizon. Nobody who was acted on in that time is among them.
    """
    if experiment.decision_point is None:
        return {}
    model = experiment.decision_point.model
    versions = list(ModelVersion.objects.within(experiment.workspace).filter(model=model).values_list("pk", flat=True))
    metric = target_metric(plan, binary=model.task == Task.PROBABILITY)
    if not _some_left_alone(experiment):
        return _refused(versions, "baseline-acts")
    if metric is None:
        return _refused(versions, "no-driver" if target_metric(plan, binary=False) is None else "not-binary")
    horizon = timedelta(days=model.horizon_days)
    seen = _seen(experiment, metric.term, snapshot, horizon)
    about = {"metric": metric.key, "name": metric.name, "horizon_days": model.horizon_days}
    return {version: _measured(found, model.task) | about for version, found in seen.items()}


def target_metric(plan: Plan, *, binary: bool) -> PlannedMetric | None:
    """Return the metric that says whether the prediction came true: the first driver, or the primary metric."""
    metrics = sorted(
        (one for one in plan.metrics if one.role in ("driver", "primary") and not one.per), key=lambda one: one.role
    )
    return next((one for one in metrics if not binary or one.term.aggregate == "any"), None)


def _refused(versions: Iterable[UUID], reason: str) -> dict[UUID, dict[str, Any]]:
    return {version: {"status": "refused", "reason": reason, "rows": 0} for version in versions}


def _some_left_alone(experiment: Experiment) -> bool:
    point = experiment.decision_point
    return bool(_idle_arms(experiment)) or (
        Decision.objects.within(experiment.workspace)
        .filter(decision_point__key=point and point.key, mode=Mode.HOLDOUT, action__no_action=True)
        .exists()
    )


def _idle_arms(experiment: Experiment) -> list[UUID]:
    """Arms that never do anything."""
    assert experiment.decision_point is not None
    idle = Action.objects.within(experiment.workspace).current().filter(no_action=True).values_list("key", flat=True)
    arms = experiment.arms.select_related("action", "policy")
    return [arm.pk for arm in arms if set(actions_of(arm, experiment.decision_point)) <= set(idle)]


def _measured(seen: Seen, task: str) -> dict[str, Any]:
    if task == Task.PROBABILITY:
        found = of_probabilities(seen.scores, seen.values, seen.groups)
    else:
        found = of_numbers(seen.scores, seen.values)
    return found | {"held_out": seen.held_out, "acted_on": seen.acted_on, "unknown": seen.unknown}


def _seen(experiment: Experiment, term: Term, snapshot: Snapshot, horizon: timedelta) -> dict[UUID, Seen]:
    as_of = snapshot.as_of
    complete = snapshot.manifest["feeds"].get(term.outcome)
    rows = [*_by_arm(experiment, as_of - horizon), *_held_out(experiment, as_of - horizon)]
    acted_on = by_unit(_acted_on(experiment, as_of))
    came = by_unit(_outcomes(experiment, term, as_of, {row.unit for row in rows}))
    seen: dict[UUID, Seen] = defaultdict(Seen)
    for row in rows:
        found, until = seen[row.version], row.at + horizon
        if between(acted_on[row.unit], row.at, until):
            found.acted_on += 1
            continue
        value = None
        if complete is not None and microseconds(until) <= complete:
            value = number_of(term, between(came[row.unit], row.at, until))
        if value is None:
            found.unknown += 1
            continue
        found.scores.append(row.score)
        found.values.append(value)
        found.groups.append(row.group)
        found.held_out += row.held_out
    return seen


def _by_arm(experiment: Experiment, until: datetime) -> list[LeftAlone]:
    """First decisions of the keys whose arm never does anything."""
    decided = Decision.objects.within(experiment.workspace).filter(
        assignment__experiment=experiment,
        assignment__arm__in=_idle_arms(experiment),
        mode=Mode.RANDOMIZED,
        decided_at=F("assignment__first_decision_at"),
        decided_at__lte=until,
        prediction__isnull=False,
    )
    found = decided.order_by("decided_at", "pk").values_list(
        "assignment_id", "unit_id", "cluster_id", "prediction__score", "prediction__version_id", "decided_at"
    )
    first: dict[UUID, LeftAlone] = {}
    for assignment, unit, cluster, score, version, at in found.iterator():
        first.setdefault(assignment, LeftAlone(unit, cluster or unit, score, version, at, False))
    return list(first.values())


def _held_out(experiment: Experiment, until: datetime) -> list[LeftAlone]:
    """First decisions about held-out units that could have got every arm, so that they are like those of the arms."""
    point = experiment.decision_point
    assert point is not None
    actions = {key for arm in experiment.arms.select_related("action", "policy") for key in actions_of(arm, point)}
    decided = Decision.objects.within(experiment.workspace).filter(
        decision_point__key=point.key,
        mode=Mode.HOLDOUT,
        action__no_action=True,
        decided_at__range=(experiment.started_at or experiment.created_at, until),
        prediction__isnull=False,
    )
    found = decided.order_by("decided_at", "pk").values_list(
        "candidates", "unit_id", "cluster_id", "prediction__score", "prediction__version_id", "decided_at"
    )
    first: dict[str, LeftAlone] = {}
    for candidates, unit, cluster, score, version, at in found.iterator():
        if not any("refused" in candidates.get(key, {"refused": ""}) for key in actions):
            first.setdefault(unit, LeftAlone(unit, cluster or unit, score, version, at, True))
    return list(first.values())


def _acted_on(experiment: Experiment, as_of: datetime) -> Iterable[tuple[str, datetime, float]]:
    """When something was done about a unit at this decision point, whoever chose it."""
    point = experiment.decision_point
    decided = Decision.objects.within(experiment.workspace).filter(
        decision_point__key=point and point.key,
        action__no_action=False,
        decided_at__range=(experiment.started_at or experiment.created_at, as_of),
    )
    return decided.values_list("unit_id", "decided_at", "propensity").iterator()


def _outcomes(
    experiment: Experiment, term: Term, as_of: datetime, units: set[str]
) -> Iterable[tuple[str, datetime, float]]:
    since = experiment.started_at or experiment.created_at
    happened = Outcome.objects.within(experiment.workspace).filter(
        type=term.outcome, received_at__lte=as_of, occurred_at__range=(since, as_of)
    )
    found = happened.order_by("occurred_at", "pk").values_list("unit_id", "occurred_at", "value")
    return (one for one in found.iterator() if one[0] in units)
