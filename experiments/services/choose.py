"""Which way a request goes - forced, held out, into an experiment, by policy - and what follows from it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol
from uuid import UUID

from experiments import mixtures, policies, randomization
from experiments.capacity import CAPACITY, Used
from experiments.eligibility import refusals
from experiments.models import Arm, Assignment, ClusterArm, Decision, EpisodeCounter, Mode, Policy, Status
from experiments.rows import DecisionRow
from experiments.setup import Point, Running
from predictions.models import Prediction
from workspaces.facts import unsaved

COOL_DOWN = "cool-down"


class Drawn(Protocol):
    """What was drawn before, or by earlier rows of the batch."""

    # experiment, unit, occasion
    assignments: dict[tuple[UUID, str, int], Assignment]
    # experiment, randomization key
    clusters: dict[tuple[UUID, str], ClusterArm]


# probability of each eligible action, the one that is taken, and the point of its draw if a policy drew it
Chosen = tuple[dict[str, float], str, int | None]


@dataclass(slots=True, eq=False)
class Request:
    """One row on its way to a decision."""

    index: int
    row: DecisionRow
    point: Point
    decision: Decision
    prediction: Prediction
    refused: dict[str, str] = field(default_factory=dict)
    # the experiment that gives it its arm
    running: Running | None = None
    enters: bool = False
    # what is drawn for all units of its cluster, if it enters by that
    cluster: ClusterArm | None = None
    opens: bool = False

    @property
    def scope(self) -> tuple[str, str]:
        return self.point.point.key, self.point.scope(self.row)

    @property
    def eligible(self) -> list[str]:
        return [key for key in self.point.point.candidates if key not in self.refused]


def choose(request: Request, episodes: EpisodeCounter, drawn: Drawn, used: Used) -> None:
    """Settle the mode, and find or make the assignment; an earlier row of the batch has its place in both."""
    decision, point, at = request.decision, request.point.point, request.decision.decided_at
    decision.episode, decision.segment = episodes.number, request.row.segment or ""
    values: dict[str, Any] = {**request.row.prediction.features, "score": request.row.prediction.score}
    request.refused = refusals(point.candidates, point.baseline, request.point.conditions, values)
    if request.row.forced:
        decision.mode = request.row.forced.mode
        request.refused.pop(request.row.forced.action, None)  # it was done, whatever the rules say
        return
    if point.safety and request.row.prediction.score > point.safety["above"]:
        decision.mode = Mode.FORCED_SAFETY
        request.refused.pop(point.safety["action"], None)  # safety is above the rules
        return
    if request.point.held_out(request.row.unit_id, at):
        decision.mode = Mode.HOLDOUT
        return
    cooling = episodes.opened_at is not None and at < episodes.opened_at + request.point.cool_down
    if cooling:
        request.refused |= {
            key: COOL_DOWN for key in point.candidates if key != point.baseline and key not in request.refused
        }
    decision.mode = Mode.POLICY
    short = used.short(request.point.capacities.items(), at) if request.point.capacities else set()
    if request.point.experiments:
        _look_for_arm(request, episodes.number + (0 if cooling else 1), drawn, short)
    request.refused |= {key: CAPACITY for key in short if key not in request.refused}
    if decision.mode == Mode.FORCED_CAPACITY:
        return
    if point.cool_down_days and not cooling and (decision.assignment or len(request.eligible) > 1):
        request.opens = True
        episodes.number, episodes.opened_at = episodes.number + 1, at
        decision.episode = episodes.number


def fill(request: Request, used: Used) -> None:
    """Say action, probabilities and propensity, now that the arm is drawn; the action is then taken."""
    decision, point, assignment = request.decision, request.point, request.decision.assignment
    action = point.point.baseline
    if request.row.forced:
        action = request.row.forced.action
    elif decision.mode == Mode.FORCED_SAFETY:
        action = point.point.safety["action"]
    if decision.mode == Mode.RANDOMIZED:
        assert assignment is not None
        probabilities, action, decision.draw = _by_arm(request, assignment)
    elif decision.mode == Mode.POLICY and assignment is None:
        probabilities, action, decision.draw = _by_champion(request)
    else:
        probabilities = {key: float(key == action) for key in request.eligible}
    decision.action = point.actions[action]
    if action in point.capacities:
        used.take(action, point.capacities[action], decision.decided_at)
    decision.propensity = probabilities[action]
    decision.candidates = {key: {"probability": share} for key, share in probabilities.items()} | {
        key: {"refused": reason} for key, reason in request.refused.items()
    }
    if request.row.forced and request.row.forced.reason:
        decision.candidates[action] |= {"reason": request.row.forced.reason}
    horizon = request.running.experiment.horizon_days if assignment and request.running else point.point.horizon_days
    decision.matures_at = decision.decided_at + timedelta(days=horizon)
    decision.would_have = {
        f"{policy.key}@{policy.version}": _probabilities(policy, request) for policy in point.policies
    }


def _look_for_arm(request: Request, episode: int, drawn: Drawn, short: set[str]) -> None:
    """Take the arm that the unit has in one of the experiments here; else it enters the first that takes it."""
    at, unit = request.decision.decided_at, request.row.unit_id
    asked = [(running, *running.key(request.row, at, episode)) for running in request.point.experiments]
    for running, _, occasion in asked:
        assignment = drawn.assignments.get((running.experiment.pk, unit, occasion))
        if assignment:
            _take(request, running, assignment, short)
            return
    for running, key, occasion in asked:
        cluster = drawn.clusters.get((running.experiment.pk, key))
        if _may_enter(request, running, key, cluster):
            if _lacks_an_arm(running, short):
                request.decision.mode = Mode.FORCED_CAPACITY  # before the draw, so that the arms stay alike
            else:
                assignment = _new_assignment(request, running, key, occasion)
                _enter(request, running, assignment, drawn, cluster)
                _take(request, running, assignment, short)
            return


def _take(request: Request, running: Running, assignment: Assignment, short: set[str]) -> None:
    decision = request.decision
    decision.assignment, request.running = assignment, running
    if running.experiment.status == Status.ABORTED:
        decision.mode = Mode.FALLBACK
    elif _may_have_every_arm(request, running):
        # else the arm stays, but today nobody gets it, whatever it is
        decision.mode = Mode.FORCED_CAPACITY if _lacks_an_arm(running, short) else Mode.RANDOMIZED


def _enter(
    request: Request, running: Running, assignment: Assignment, drawn: Drawn, cluster: ClusterArm | None
) -> None:
    """Let the unit have a row; its arm is drawn after all of the batch are looked at."""
    experiment = running.experiment
    drawn.assignments[experiment.pk, assignment.unit_id, assignment.occasion] = assignment
    request.enters = True
    if experiment.in_clusters:
        request.cluster = cluster or _new_cluster(assignment)
        drawn.clusters[experiment.pk, assignment.randomization_key] = request.cluster


def _may_enter(request: Request, running: Running, key: str, cluster: ClusterArm | None) -> bool:
    at = request.decision.decided_at
    if cluster:  # it passed the gate when it was drawn
        return running.enrols(at, drawn=True) and _may_have_every_arm(request, running)
    return (
        running.enrols(at)
        and _may_have_every_arm(request, running)
        and randomization.within(running.experiment.traffic_salt, key, running.experiment.traffic_ppm)
    )


def _may_have_every_arm(request: Request, running: Running) -> bool:
    return not _lacks_an_arm(running, request.refused)


def _lacks_an_arm(running: Running, actions: Collection[str]) -> bool:
    return bool(actions) and any(key in actions for key in running.reach)


def _new_assignment(request: Request, running: Running, key: str, occasion: int) -> Assignment:
    experiment, row, at = running.experiment, request.row, request.decision.decided_at
    return unsaved(
        Assignment,
        workspace_id=experiment.workspace_id,
        experiment=experiment,
        randomization_key=key,
        unit_id=row.unit_id,
        occasion=occasion,
        cluster_id=row.cluster_id or "",
        stratum=running.stratum(row),
        phase=running.phase,
        covariates={name: row.prediction.features.get(name) for name in experiment.covariates},
        segments=running.segments(row),
        first_decision_at=at,
        matures_at=at + timedelta(days=experiment.horizon_days),
    )


def _new_cluster(assignment: Assignment) -> ClusterArm:
    """A cluster whose first unit this is: what is drawn with its stratum is for all that come."""
    return unsaved(
        ClusterArm,
        workspace_id=assignment.workspace_id,
        experiment=assignment.experiment,
        randomization_key=assignment.randomization_key,
        stratum=assignment.stratum,
        phase=assignment.phase,
        drawn_at=assignment.first_decision_at,
    )


def _by_arm(request: Request, assignment: Assignment) -> Chosen:
    """What the unit's arm gives it, and with what probability any arm would have: in the phase its key entered in."""
    running, arm = request.running, assignment.arm
    assert running is not None
    if running.by_action is not None:
        assert arm.action is not None
        known = running.by_action[assignment.phase]
        return {key: known.get(key, 0.0) for key in request.eligible}, arm.action.key, None
    does = {one.pk: _arm_does(one, request) for one in running.arms}
    chances = zip(running.propensities[assignment.phase], does.values(), strict=True)
    # a policy's salt is its own: the draw of the arm says nothing of the draw of the action
    salt = arm.policy.salt if arm.policy else ""
    action, point = mixtures.draw_action(salt, request.row.source, request.row.event_id, does[arm.pk])
    return mixtures.before_the_draw(request.eligible, chances), action, point


def _arm_does(arm: Arm, request: Request) -> dict[str, float]:
    if arm.policy is not None:
        return mixtures.as_drawn(_probabilities(arm.policy, request))
    assert arm.action is not None
    return {arm.action.key: 1.0}


def _by_champion(request: Request) -> Chosen:
    """Probabilities of the champion's policy, the action drawn from them, and the point of the draw."""
    champion, baseline = request.point.champion, request.point.point.baseline
    if champion is None:
        return {key: float(key == baseline) for key in request.eligible}, baseline, None
    probabilities = mixtures.as_drawn(_probabilities(champion, request))
    action, point = mixtures.draw_action(champion.salt, request.row.source, request.row.event_id, probabilities)
    return probabilities, action, point


def _probabilities(policy: Policy, request: Request) -> dict[str, float]:
    """What a policy would do."""
    prediction, baseline = request.row.prediction, request.point.point.baseline
    return policies.probabilities(
        policy.kind,
        policy.content,
        prediction.score,
        request.eligible,
        baseline,
        prediction.features,
        request.row.segment,
    )
