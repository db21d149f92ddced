"""The life of an experiment: what may follow on what, and who did it."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction

from experiments.models import DecisionPoint, Experiment, Phase, Status
from experiments.setup import actions_of
from workspaces import clock
from workspaces.canonical import digest
from workspaces.errors import Refusal
from workspaces.services import audit

STEPS: dict[str, tuple[frozenset[str], Status]] = {
    "agree": (frozenset({Status.DRAFT}), Status.AGREED),
    "start": (frozenset({Status.AGREED}), Status.RUNNING),
    "pause": (frozenset({Status.RUNNING}), Status.PAUSED),
    "resume": (frozenset({Status.PAUSED}), Status.RUNNING),
    "close": (frozenset({Status.RUNNING, Status.PAUSED}), Status.CLOSED),
    "conclude": (frozenset({Status.CLOSED}), Status.DECIDED),
    "abort": (frozenset({Status.RUNNING, Status.PAUSED}), Status.ABORTED),
    "archive": (frozenset({Status.DECIDED, Status.ABORTED}), Status.ARCHIVED),
}


@transaction.atomic
def start_experiment(*, experiment: Experiment, plan: Any, plan_sha256: str, actor: str) -> Experiment:
    """Open the first phase from a plan; whoever calls has seen its signatures and gives its digest."""
    if digest(plan) != plan_sha256:
        raise Refusal("no-agreement", f"{experiment.key} can't start: the plan isn't the one that was signed.")
    locked = _locked(experiment)
    _check(locked, "start")
    _check_point(locked)
    locked.plan, locked.plan_sha256 = plan, plan_sha256
    locked.started_at = clock.now(locked.workspace)
    open_phase(experiment=locked)
    return _step(locked, "start", actor)


def open_phase(*, experiment: Experiment) -> Phase:
    """Open a phase of the weights and the share of the traffic as they are now; assigned keys keep their arm."""
    return Phase.objects.create(
        workspace=experiment.workspace,
        experiment=experiment,
        number=experiment.phases.count() + 1,
        weights={arm.key: arm.weight for arm in experiment.arms.all()},
        traffic_ppm=experiment.traffic_ppm,
        opened_at=clock.now(experiment.workspace),
    )


@transaction.atomic
def change_status(*, experiment: Experiment, step: str, actor: str, reason: str = "") -> Experiment:
    """Take one step other than the start."""
    locked = _locked(experiment)
    _check(locked, step)
    locked.pause_reason = reason if step == "pause" else ""
    if step == "close":
        locked.closed_at = clock.now(locked.workspace)
    return _step(locked, step, actor, reason)


def pause_experiment(*, experiment: Experiment, actor: str, reason: str) -> Experiment:
    """Let no new keys in; those assigned keep their arm."""
    return change_status(experiment=experiment, step="pause", actor=actor, reason=reason)


def _locked(experiment: Experiment) -> Experiment:
    return Experiment.objects.select_for_update(of=("self",)).select_related("workspace").get(pk=experiment.pk)


def _check(experiment: Experiment, step: str) -> None:
    before, _ = STEPS[step]
    if experiment.status not in before:
        raise Refusal(
            "wrong-status",
            f"{experiment.key} is {experiment.status}; to {step} it, it must be {' or '.join(sorted(before))}.",
        )


def _check_point(experiment: Experiment) -> None:
    """Refuse a design that its decision point, as it is now, no longer allows."""
    if experiment.decision_point is None:
        return
    versions = DecisionPoint.objects.within(experiment.workspace).current()
    point = versions.get(key=experiment.decision_point.key)
    arms = experiment.arms.select_related("action", "policy")
    given = {key for arm in arms for key in actions_of(arm, experiment.decision_point)}
    missing = sorted(given - set(point.candidates))
    if missing or (experiment.in_clusters and not point.cluster):
        lacks = f"no candidate {', '.join(missing)}" if missing else "no cluster"
        raise Refusal(
            "wrong-status", f"{experiment.key} can't start: {point.key} has {lacks} any more; declare it again."
        )


def _step(experiment: Experiment, step: str, actor: str, reason: str = "") -> Experiment:
    before = experiment.status
    experiment.status = STEPS[step][1]
    try:
        with transaction.atomic():
            experiment.save()
    except IntegrityError as error:
        raise Refusal(
            "layer-taken", f"{experiment.key} can't {step}: another experiment runs in the layer {experiment.layer!r}."
        ) from error
    audit.record(
        workspace=experiment.workspace,
        actor=actor,
        action=f"{step} experiment",
        subject=experiment.key,
        before={"status": before},
        after={"status": experiment.status, "plan": experiment.plan_sha256, "reason": reason},
    )
    return experiment
