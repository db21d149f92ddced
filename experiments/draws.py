"""Drawing every arm and action again from what is stored, as an auditor would."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.db.models import QuerySet

from experiments import mixtures, randomization
from experiments.models import Arm, Assignment, ClusterArm, Decision, Experiment, Mode, Policy
from workspaces.models import Workspace


def redraw(workspace: Workspace) -> Iterator[str]:
    """Yield a line for each stored draw that can't be made again."""
    live = Experiment.objects.within(workspace).filter(origin=Experiment.Origin.LIVE)
    for experiment in live.prefetch_related("arms", "phases"):
        for model in (Assignment, ClusterArm):
            yield from differing_draws(experiment, model.objects.within(workspace).filter(experiment=experiment))
        yield from _give_again(experiment)
    yield from _redraw_actions(workspace)


def differing_draws(experiment: Experiment, assigned: QuerySet[Assignment] | QuerySet[ClusterArm]) -> Iterator[str]:
    """Yield a line for each of these assignments or clusters whose arm or propensity isn't what its draw gives."""
    arms = list(experiment.arms.all())
    weights = {str(phase.number): [phase.weights[arm.key] for arm in arms] for phase in experiment.phases.all()}
    traffic = {str(phase.number): phase.traffic_ppm for phase in experiment.phases.all()}
    shares = {phase: randomization.parts_per_million(one) for phase, one in weights.items()}
    for key, arm, stratum, phase, propensity, draw in assigned.values_list(
        "randomization_key", "arm", "stratum", "phase", "propensity", "draw"
    ).iterator():
        if phase not in weights:
            yield f"{experiment.key}: {key} is of the phase {phase}, which never was"
            continue
        if experiment.in_blocks:
            place = randomization.permuted(experiment.salt, stratum, draw or 0, weights[phase], phase).arm
            point, chance = draw, weights[phase][place] / sum(weights[phase])
        else:
            place, point = randomization.draw(experiment.salt, key, shares[phase])
            chance = shares[phase][place] / randomization.MILLION
        entered = randomization.within(experiment.traffic_salt, key, traffic[phase])
        if (arms[place].pk, chance, point, entered) != (arm, propensity, draw, True):
            yield f"{experiment.key}: {key} has another arm or propensity than its draw gives"


def _give_again(experiment: Experiment) -> Iterator[str]:
    """Find again what every arm gave its keys, and with what probability any arm would have."""
    arms = list(experiment.arms.select_related("action", "policy"))
    weights = {str(phase.number): [phase.weights[arm.key] for arm in arms] for phase in experiment.phases.all()}
    chances = {phase: randomization.propensities(one, experiment.in_blocks) for phase, one in weights.items()}
    salts = {arm.pk: arm.policy.salt for arm in arms if arm.policy}
    given = Decision.objects.within(experiment.workspace).filter(
        assignment__experiment=experiment, mode=Mode.RANDOMIZED
    )
    for pk, source, event, action, propensity, draw, keys, candidates, would_have, arm, phase in given.values_list(
        "pk", "source", "event_id", "action__key", "propensity", "draw", "decision_point__candidates", "candidates",
        "would_have", "assignment__arm", "assignment__phase",
    ).iterator():  # fmt: skip
        if phase not in chances:
            continue  # said of its assignment
        said = {key: candidates[key]["probability"] for key in keys if "probability" in candidates[key]}
        does = {one.pk: _does(one, said, would_have) for one in arms}
        before = mixtures.before_the_draw(list(said), zip(chances[phase], does.values(), strict=True))
        drawn = mixtures.draw_action(salts.get(arm, ""), source, event, does[arm])
        if (drawn, before, said.get(action)) != ((action, draw), said, propensity):
            yield f"decision {pk}: its arm gives another action or propensity"


def _does(arm: Arm, eligible: Iterable[str], would_have: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """What an arm does with the eligible actions, in their order."""
    if arm.policy is None:
        return {arm.action.key: 1.0} if arm.action else {}
    would = would_have[f"{arm.policy.key}@{arm.policy.version}"]
    return mixtures.as_drawn({key: would[key] for key in eligible})


def _redraw_actions(workspace: Workspace) -> Iterator[str]:
    """Draw again what policies drew outside experiments; the salt is one of those that were registered."""
    salts = {f"{policy.key}@{policy.version}": policy.salt for policy in Policy.objects.within(workspace)}
    drawn = Decision.objects.within(workspace).filter(draw__isnull=False).exclude(mode=Mode.RANDOMIZED)
    drawn = drawn.select_related("action", "decision_point")
    for decision in drawn.defer("prediction").iterator(chunk_size=2000):
        tried = {salts[name] for name in decision.would_have if name in salts}
        if not any(_drawn_by(decision, salt) for salt in tried):
            yield f"decision {decision.pk}: its draw gives another action"


def _drawn_by(decision: Decision, salt: str) -> bool:
    said: dict[str, dict[str, Any]] = decision.candidates
    point, action = decision.decision_point, decision.action
    assert point is not None
    assert action is not None
    keys = [key for key in point.candidates if "probability" in said[key]]
    shares = [round(randomization.MILLION * said[key]["probability"]) for key in keys]
    place, point_drawn = randomization.draw(salt, f"{decision.source}\x1f{decision.event_id}", shares)
    return (keys[place], point_drawn) == (action.key, decision.draw)
