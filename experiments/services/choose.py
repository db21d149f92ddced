"""Which way a request goes - forced, held out, into an experiment, by policy - and whether it enters one."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from experiments import randomization
from experiments.assigned import Assigned, Episodes
from experiments.capacity import CAPACITY, Used
from experiments.counters import Scope
from experiments.eligibility import refusals
from experiments.known import Known
from experiments.models import Action, ClusterArm, Mode, Status
from experiments.rows import DecisionRow
from experiments.setup import Point, Running
from predictions.models import ModelVersion
from workspaces.facts import unsaved
from workspaces.identifiers import new_id_text

COOL_DOWN = "cool-down"


@dataclass(slots=True, eq=False)
class Request:
    """One row on its way to a decision."""

    index: int
    row: DecisionRow
    point: Point
    scope: Scope
    version: ModelVersion
    at: datetime
    id: str = field(default_factory=new_id_text)
    mode: str = Mode.POLICY
    episode: int = 0
    refused: dict[str, str] = field(default_factory=dict)
    # the arm that it has, or will have once that is drawn
    assignment: Assigned | None = None
    enters: bool = False
    # what is drawn for all units of its cluster, if it enters by that
    cluster: ClusterArm | None = None
    # what is said of it last, see ``fill``
    action: Action | None = None
    probabilities: dict[str, float] = field(default_factory=dict)
    draw: int | None = None
    matures_at: datetime | None = None
    would_have: dict[str, dict[str, float]] = field(default_factory=dict)

    @property
    def eligible(self) -> list[str]:
        return [key for key in self.point.point.candidates if key not in self.refused]


def choose(request: Request, episodes: Episodes, known: Known, used: Used) -> None:
    """Settle the mode, and find or make the assignment; an earlier row of the batch has its place in both."""
    point, at = request.point.point, request.at
    request.episode = episodes.number
    values: dict[str, Any] = {**request.row.prediction.features, "score": request.row.prediction.score}
    request.refused = refusals(point.candidates, point.baseline, request.point.conditions, values)
    if request.row.forced:
        request.mode = request.row.forced.mode
        request.refused.pop(request.row.forced.action, None)  # it was done, whatever the rules say
        return
    if point.safety and request.row.prediction.score > point.safety["above"]:
        request.mode = Mode.FORCED_SAFETY
        request.refused.pop(point.safety["action"], None)  # safety is above the rules
        return
    if request.point.held_out(request.row.unit_id, at):
        request.mode = Mode.HOLDOUT
        return
    cooling = episodes.opened_at is not None and at < episodes.opened_at + request.point.cool_down
    if cooling:
        request.refused |= {
            key: COOL_DOWN for key in point.candidates if key != point.baseline and key not in request.refused
        }
    short = used.short(request.point.capacities.items(), at) if request.point.capacities else set()
    if request.point.experiments:
        _look_for_arm(request, episodes.number + (0 if cooling else 1), known, short)
    request.refused |= {key: CAPACITY for key in short if key not in request.refused}
    if request.mode == Mode.FORCED_CAPACITY:
        return
    if point.cool_down_days and not cooling and (request.assignment or len(request.eligible) > 1):
        episodes.number, episodes.opened_at = episodes.number + 1, at
        request.episode = episodes.number


def _look_for_arm(request: Request, episode: int, drawn: Known, short: set[str]) -> None:
    """Take the arm that the unit has in one of the experiments here; else it enters the first that takes it."""
    at, unit = request.at, request.row.unit_id
    asked = [(running, *running.key(request.row, at, episode)) for running in request.point.experiments]
    for running, _, occasion in asked:
        assignment = drawn.assignments.get((running.experiment.key, unit, occasion))
        if assignment:
            _take(request, assignment, short)
            return
    for running, key, occasion in asked:
        cluster = drawn.clusters.get((running.experiment.key, key))
        if _may_enter(request, running, key, cluster):
            if _lacks_an_arm(running, short):
                request.mode = Mode.FORCED_CAPACITY  # before the draw, so that the arms stay alike
            else:
                assignment = _new_assignment(request, running, key, occasion)
                _enter(request, assignment, drawn, cluster)
                _take(request, assignment, short)
            return


def _take(request: Request, assignment: Assigned, short: set[str]) -> None:
    running, request.assignment = assignment.running, assignment
    if running.experiment.status == Status.ABORTED:
        request.mode = Mode.FALLBACK
    elif _may_have_every_arm(request, running):
        # else the arm stays, but today nobody gets it, whatever it is
        request.mode = Mode.FORCED_CAPACITY if _lacks_an_arm(running, short) else Mode.RANDOMIZED


def _enter(request: Request, assignment: Assigned, drawn: Known, cluster: ClusterArm | None) -> None:
    """Let the unit have a row; its arm is drawn after all of the batch are looked at."""
    experiment = assignment.running.experiment
    drawn.assignments[experiment.key, request.row.unit_id, assignment.occasion] = assignment
    request.enters = True
    if experiment.in_clusters:
        request.cluster = cluster or _new_cluster(assignment, request.at)
        drawn.clusters[experiment.key, assignment.randomization_key] = request.cluster


def _may_enter(request: Request, running: Running, key: str, cluster: ClusterArm | None) -> bool:
    at = request.at
    if cluster:  # it passed the gate when it was drawn
        return running.enrols(at, drawn=True) and _may_have_every_arm(request, running)
    return (
        running.enrols(at)
        and _may_have_every_arm(request, running)
        and (
            running.experiment.traffic_ppm == randomization.MILLION
            or randomization.within(running.experiment.traffic_salt, key, running.experiment.traffic_ppm)
        )
    )


def _may_have_every_arm(request: Request, running: Running) -> bool:
    return not _lacks_an_arm(running, request.refused)


def _lacks_an_arm(running: Running, actions: Collection[str]) -> bool:
    return bool(actions) and any(key in actions for key in running.reach)


def _new_assignment(request: Request, running: Running, key: str, occasion: int) -> Assigned:
    return Assigned(
        new_id_text(),
        running,
        running.phase,
        randomization_key=key,
        occasion=occasion,
        stratum=running.stratum(request.row),
    )


def _new_cluster(assignment: Assigned, at: datetime) -> ClusterArm:
    """A cluster whose first unit this is: what is drawn with its stratum is for all that come."""
    experiment = assignment.running.experiment
    return unsaved(
        ClusterArm,
        workspace_id=experiment.workspace_id,
        experiment=experiment,
        randomization_key=assignment.randomization_key,
        stratum=assignment.stratum,
        phase=assignment.phase,
        drawn_at=at,
    )
