"""What may be declared about experiments: a design that can be drawn, kept and analysed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from experiments import randomization
from experiments.arms import ArmDeclared, changed_arms, check_arms, invalid, set_arms
from experiments.models import Action, DecisionPoint, Experiment, Status
from experiments.salts import check_own, new_salt
from experiments.services.lifecycle import open_phase
from workspaces import clock
from workspaces.declarations import Change, Declared, differences, noted
from workspaces.errors import Missing, Refusal
from workspaces.limits import check_fields
from workspaces.models import Workspace
from workspaces.strict import Days, Id, Key, Text, Time

# while keys enter or may enter again, these may change for those to come
OPEN = (Status.RUNNING, Status.PAUSED)
RAMPED = {"weights", "traffic_ppm"}
PLACES = {
    "traffic_ppm": "/traffic",
    "enrolment_until": "/enrolment/until",
    "traffic_salt": "/salt",
}


class StratumDeclared(Declared):
    """Score bands by their lower bounds, or a feature: one of the two."""

    score: dict[str, float] | None = None
    feature: Text | None = None

    @property
    def kept(self) -> dict[str, Any]:
        return {"feature": self.feature} if self.feature else {"score": self.score}


class EnrolmentDeclared(Declared):
    until: Time | None = None


class ExperimentDeclared(Declared):
    """A comparison of actions or policies. ``salt`` is drawn by chance unless a simulation fixes it."""

    key: Key
    name: Text
    decision_point: Key
    arms: list[ArmDeclared]
    baseline: Key
    randomize: Literal["unit", "episode", "cluster", "cluster-period"] = "unit"
    period_days: Days | None = None
    method: Literal["hash", "blocks"] = "hash"
    strata: list[Literal["cluster", "segment"] | StratumDeclared] = []
    covariates: list[Key] = []
    traffic: float = 1.0
    layer: Key | None = None
    horizon_days: Days | None = None
    enrolment: EnrolmentDeclared = msgspec.field(default_factory=EnrolmentDeclared)
    salt: Id | None = None


def declare_experiment(workspace: Workspace, declared: ExperimentDeclared, actor: str) -> Change:
    point = DecisionPoint.objects.within(workspace).current().filter(key=declared.decision_point).first()
    if point is None:
        raise Missing("decision point", declared.decision_point, "/decision_point")
    _check_design(declared, point)
    content: dict[str, Any] = {
        "name": declared.name,
        "layer": declared.layer or declared.decision_point,
        "randomizes": declared.randomize,
        "period_days": declared.period_days,
        "method": declared.method,
        "strata": [part if isinstance(part, str) else part.kept for part in declared.strata],
        "covariates": declared.covariates,
        "traffic_ppm": parts_per_million(declared.traffic, 1.0, "/traffic"),
        "enrolment_until": declared.enrolment.until,
        "horizon_days": declared.horizon_days or point.horizon_days,
    }
    check_fields(Experiment, content, PLACES)
    # whoever takes a step of its life waits
    current = Experiment.objects.within(workspace).filter(key=declared.key).select_for_update().first()
    changes = differences(current, content) | changed_arms(current, declared.arms, declared.baseline)
    if current and current.status == Status.DRAFT:
        changes |= _renewed_actions(current)
    if current and current.decision_point and current.decision_point.key != point.key:
        changes["decision_point"] = (current.decision_point.key, point.key)
    if current and changes and current.status != Status.DRAFT:
        _open_phase(current, content["traffic_ppm"], declared, changes)
    elif current is None:
        salt = declared.salt or new_salt()
        salts = {"salt": salt, "traffic_salt": f"{salt}/traffic"}
        check_fields(Experiment, salts, PLACES)
        check_own(workspace, *salts.values())
        content |= salts | {"created_at": clock.server_now()}
        current_row = Experiment.objects.create(workspace=workspace, key=declared.key, decision_point=point, **content)
        set_arms(current_row, declared.arms, declared.baseline)
    elif changes:
        for name, value in content.items():
            setattr(current, name, value)
        current.decision_point = point
        current.save()
        current.arms.all().delete()
        set_arms(current, declared.arms, declared.baseline)
    return noted("experiment", workspace, declared.key, current, changes, actor)


def _renewed_actions(experiment: Experiment) -> dict[str, tuple[Any, Any]]:
    """Versions of actions that have a newer one: a draft takes that."""
    newer = Action.objects.within(experiment.workspace).current()
    held = {arm.action.key: arm.action.version for arm in experiment.arms.select_related("action") if arm.action}
    now = {action.key: action.version for action in newer.filter(key__in=held)}
    return {"actions": (held, now)} if held != now else {}


def _open_phase(
    experiment: Experiment, traffic_ppm: int, declared: ExperimentDeclared, changes: Mapping[str, Any]
) -> None:
    """Let later keys be drawn by other weights, or from another share of the traffic; refuse any other change."""
    if experiment.status not in OPEN or not changes.keys() <= RAMPED:
        fixed = changes if experiment.status not in OPEN else changes.keys() - RAMPED
        raise Refusal(
            "in-use",
            f"experiment {declared.key} is {experiment.status}, so {', '.join(sorted(fixed))} can't change; "
            "declare a new experiment",
        )
    experiment.traffic_ppm = traffic_ppm
    experiment.save(update_fields=["traffic_ppm"])
    for place, arm in enumerate(declared.arms):
        experiment.arms.filter(place=place).update(weight=arm.weight)
    open_phase(experiment=experiment)


def parts_per_million(share: float, most: float, pointer: str) -> int:
    """Return a share as the integer that it is drawn by, or refuse one that nobody or more than ``most`` falls into."""
    parts = round(share * randomization.MILLION)
    if not 0 < parts <= most * randomization.MILLION:
        least = f"{1 / randomization.MILLION:.6f}"
        raise Refusal("invalid-declaration", f"{pointer[1:]} == {share}, must be in [{least}, {most}]", pointer)
    return parts


def _check_design(declared: ExperimentDeclared, point: DecisionPoint) -> None:
    """Refuse what couldn't be drawn or analysed."""
    check_arms(declared.arms, declared.baseline, point, in_blocks=declared.method == "blocks")
    _check_features(declared, point)
    _check_clusters(declared, point)
    horizon = declared.horizon_days or point.horizon_days
    named = {"episode": "episodes", "cluster-period": "periods"}.get(declared.randomize)
    if named and point.cool_down_days < horizon:
        raise invalid(
            f"{named} need a cool-down of at least the horizon: {point.cool_down_days} < {horizon} days, "
            "else an event would fall into two windows",
            "/randomize",
        )
    if declared.period_days is not None and declared.period_days < horizon:
        raise invalid(
            f"period_days == {declared.period_days}, must be at least the horizon, {horizon}, "
            "else an event would fall into two windows",
            "/period_days",
        )


def _check_clusters(declared: ExperimentDeclared, point: DecisionPoint) -> None:
    """Refuse clusters that nobody sends, periods without a length, and strata that a cluster has none of."""
    in_clusters = declared.randomize in ("cluster", "cluster-period")
    if in_clusters and not point.cluster:
        raise invalid(f"{point.key} has no cluster; say what it is in the decision point", "/randomize")
    if (declared.randomize == "cluster-period") != (declared.period_days is not None):
        raise invalid("period_days goes with randomize: cluster-period, and that needs it", "/period_days")
    for place, part in enumerate(declared.strata if in_clusters else []):
        if isinstance(part, StratumDeclared) and part.score:
            raise invalid("a score is a unit's, not its cluster's; leave the score bands out", f"/strata/{place}")
        if part == "cluster" and declared.randomize == "cluster":
            raise invalid("each cluster would be a stratum of its own; leave it out", f"/strata/{place}")


def _check_features(declared: ExperimentDeclared, point: DecisionPoint) -> None:
    features = point.model.features
    known = ", ".join(sorted(features)) or "none"
    for place, part in enumerate(declared.strata):
        if part == "cluster" and not point.cluster:
            raise invalid(f"{point.key} has no cluster", "/strata")
        if isinstance(part, str):
            continue
        if bool(part.score) == bool(part.feature):
            raise invalid("a stratum is {score: {label: from}} or {feature: name}", f"/strata/{place}")
        if part.feature and part.feature not in features:
            raise invalid(f"{part.feature!r} is no feature of the model; known: {known}", f"/strata/{place}/feature")
    for place, name in enumerate(declared.covariates):
        if features.get(name) != "number":
            raise invalid(f"{name!r} is no number among the model's features: {known}", f"/covariates/{place}")
