"""A workspace's decision points as decisions need them: read once, kept until the configuration changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from experiments import eligibility, policies, randomization
from experiments.capacity import Capacity
from experiments.mixtures import before_the_draw
from experiments.models import Action, Arm, DecisionPoint, Experiment, Holdout, Phase, Policy, Status
from experiments.rows import DecisionRow
from workspaces.models import Workspace

DECIDING = (Status.RUNNING, Status.PAUSED, Status.CLOSED, Status.ABORTED)


@dataclass(frozen=True)
class Running:
    """An experiment with its arms, in the order of their places."""

    experiment: Experiment
    arms: tuple[Arm, ...]
    phase: str
    weights_of: Mapping[str, list[int]]
    # every action that some arm could give
    reach: tuple[str, ...]

    @property
    def weights(self) -> list[int]:
        """Weights that keys are drawn by now."""
        return self.weights_of[self.phase]

    def key(self, row: DecisionRow, at: datetime, episode: int) -> tuple[str, int]:
        """What is drawn for a row, and the number of the episode or period that it is of."""
        kind = Experiment.Key
        match self.experiment.randomizes:
            case kind.EPISODE:
                return f"{row.unit_id}#{episode}", episode
            case kind.CLUSTER:
                return row.cluster_id or "", 0
            case kind.CLUSTER_PERIOD:
                number = self.experiment.period(at)
                return f"{row.cluster_id}#{number}", number
        return row.unit_id, 0

    @cached_property
    def shares(self) -> list[int]:
        return randomization.parts_per_million(self.weights)

    @cached_property
    def propensities(self) -> dict[str, list[float]]:
        """Probability of each arm's draw, by phase."""
        return {
            phase: randomization.propensities(weights, self.experiment.in_blocks)
            for phase, weights in self.weights_of.items()
        }

    @cached_property
    def by_action(self) -> dict[str, dict[str, float]] | None:
        """Probability of each action by the arms' draw, by phase; none where an arm's policy has to be asked."""
        if any(arm.action is None for arm in self.arms):
            return None
        return {
            phase: before_the_draw(
                self.reach,
                [(one, {arm.action.key: 1.0}) for arm, one in zip(self.arms, drawn, strict=True) if arm.action],
            )
            for phase, drawn in self.propensities.items()
        }

    def arm(self, pk: UUID) -> Arm:
        return next(arm for arm in self.arms if arm.pk == pk)

    def enrols(self, at: datetime, *, drawn: bool = False) -> bool:
        """Whether new keys may enter now; units whose cluster is drawn may while others wait for a paused one."""
        until = self.experiment.enrolment_until
        open_to = (Status.RUNNING, Status.PAUSED) if drawn else (Status.RUNNING,)
        return self.experiment.status in open_to and (until is None or at < until)

    def stratum(self, row: DecisionRow) -> str:
        """Labels of the row's place in the design."""
        return joined(_label(part, row) for part in self.experiment.strata)

    def segments(self, row: DecisionRow) -> dict[str, str]:
        """Labels of the row by what they are of: score bands, the segment sent."""
        labels = {_name(part): _label(part, row) for part in self.experiment.strata if part != "cluster"}
        return labels | ({"segment": row.segment} if row.segment else {})


@dataclass(frozen=True, slots=True)
class Point:
    """A decision point with everything that bears on it."""

    point: DecisionPoint
    actions: Mapping[str, Action]
    conditions: tuple[eligibility.Condition, ...]
    policies: tuple[Policy, ...]
    holdouts: tuple[Holdout, ...]
    # those that may give a unit its arm, in the order in which they are asked
    experiments: tuple[Running, ...]
    capacities: Mapping[str, Capacity]

    @property
    def champion(self) -> Policy | None:
        current = (policy for policy in self.policies if policy.is_current)
        return next((policy for policy in current if policy.role == Policy.Role.CHAMPION), None)

    @property
    def shares_counters(self) -> bool:
        """Whether decisions about different units wait for each other."""
        return bool(self.capacities) or any(running.experiment.in_blocks for running in self.experiments)

    @property
    def cool_down(self) -> timedelta:
        return timedelta(days=self.point.cool_down_days)

    def held_out(self, unit_id: str, at: datetime) -> bool:
        return any(
            holdout.valid_from <= at
            and (holdout.valid_until is None or at < holdout.valid_until)
            and randomization.within(holdout.salt, unit_id, holdout.share_ppm)
            for holdout in self.holdouts
        )

    def scope(self, row: DecisionRow) -> str:
        """Whose cool-down it is."""
        of_cluster = self.point.cool_down_of == DecisionPoint.Scope.CLUSTER
        return (row.cluster_id if of_cluster else row.unit_id) or row.unit_id


_cache: dict[UUID, tuple[int, dict[str, Point]]] = {}


def points(workspace: Workspace) -> Mapping[str, Point]:
    """Return the decision points by key, as of the workspace's newest configuration."""
    length, known = _cache.get(workspace.pk, (-1, {}))
    if length != workspace.audit_length:
        known = {point.key: _read(workspace, point) for point in _current(workspace)}
        _cache[workspace.pk] = (workspace.audit_length, known)
    return known


def _current(workspace: Workspace) -> Any:
    return DecisionPoint.objects.within(workspace).current().select_related("model")


def _read(workspace: Workspace, point: DecisionPoint) -> Point:
    actions = Action.objects.within(workspace).current().filter(key__in=point.candidates)
    conditions = tuple(
        eligibility.Condition(
            eligibility.parse_rule(one["rule"], point.model.features),
            one["reason"],
            frozenset(one.get("actions", [])),
        )
        for one in point.eligibility
    )
    experiments = tuple(_running(one, point) for one in _deciding(workspace, point))
    return Point(
        point=point,
        actions={action.key: action for action in actions},
        conditions=conditions,
        policies=_policies(workspace, point, experiments),
        holdouts=tuple(Holdout.objects.within(workspace).filter(unit_type=point.model.unit_type).order_by("key")),
        experiments=experiments,
        capacities={
            action.key: Capacity(**action.capacity, zone=ZoneInfo(workspace.time_zone))
            for action in actions
            if action.capacity
        },
    )


def _deciding(workspace: Workspace, point: DecisionPoint) -> list[Experiment]:
    """One of each layer: that which runs, else the newest whose assigned keys keep their arms; the oldest run first."""
    found = Experiment.objects.within(workspace).filter(decision_point__key=point.key, status__in=DECIDING)
    by_layer: dict[str, Experiment] = {}
    for one in sorted(found.order_by("-started_at", "key"), key=_rests):
        by_layer.setdefault(one.layer, one)
    started = sorted(by_layer.values(), key=lambda one: (one.started_at, one.key))
    return sorted(started, key=_rests)


def _rests(experiment: Experiment) -> bool:
    return experiment.status not in (Status.RUNNING, Status.PAUSED)


def _policies(workspace: Workspace, point: DecisionPoint, experiments: Iterable[Running]) -> tuple[Policy, ...]:
    """The current versions, and those that arms stay with."""
    current = Policy.objects.within(workspace).current().filter(decision_point=point.key).order_by("key")
    known = {policy.pk: policy for policy in current}
    known |= {arm.policy.pk: arm.policy for running in experiments for arm in running.arms if arm.policy}
    return tuple(known.values())


def _running(experiment: Experiment, point: DecisionPoint) -> Running:
    arms = tuple(experiment.arms.select_related("action", "policy").order_by("place"))
    phases = Phase.objects.filter(experiment=experiment).order_by("number")
    weights = {str(phase.number): [phase.weights[arm.key] for arm in arms] for phase in phases}
    given = {key for arm in arms for key in actions_of(arm, point)}
    reach = tuple(key for key in point.candidates if key in given)
    return Running(experiment, arms, list(weights)[-1], weights, reach)


def actions_of(arm: Arm, point: DecisionPoint) -> list[str]:
    """Every action that an arm could give at a decision point."""
    if arm.policy is not None:
        return policies.reach(arm.policy.kind, arm.policy.content, point.candidates, point.baseline)
    return [arm.action.key] if arm.action else []


def joined(labels: Iterable[str]) -> str:
    """Join labels by ``|``, so that other labels never join to the same text."""
    return "|".join(label.replace("\\", "\\\\").replace("|", "\\|") for label in labels)


def _label(part: Any, row: DecisionRow) -> str:
    if part == "cluster":
        return row.cluster_id or ""
    if part == "segment":
        return row.segment or ""
    if "feature" in part:
        return str(row.prediction.features.get(part["feature"]))
    return band(part["score"], row.prediction.score)


def _name(part: Any) -> str:
    if isinstance(part, str):
        return part
    return "score_band" if "score" in part else str(part["feature"])


def band(bands: Mapping[str, float], score: float) -> str:
    """Label of the highest band that the score reaches."""
    reached = [(bound, label) for label, bound in bands.items() if score >= bound]
    return max(reached)[1] if reached else ""
