"""Drawing every arm and action again from what is stored, as an auditor would."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from experiments import randomization
from experiments.models import Assignment, Decision, Experiment, Policy
from workspaces.models import Workspace


def redraw(workspace: Workspace) -> Iterator[str]:
    """Yield a line for each stored draw that can't be made again."""
    live = Experiment.objects.within(workspace).filter(origin=Experiment.Origin.LIVE)
    for experiment in live.prefetch_related("arms", "phases"):
        yield from _redraw_arms(experiment)
    yield from _redraw_actions(workspace)


def _redraw_arms(experiment: Experiment) -> Iterator[str]:
    arms = list(experiment.arms.all())
    weights = {str(phase.number): [phase.weights[arm.key] for arm in arms] for phase in experiment.phases.all()}
    traffic = {str(phase.number): phase.traffic_ppm for phase in experiment.phases.all()}
    shares = {phase: randomization.parts_per_million(one) for phase, one in weights.items()}
    found = Assignment.objects.within(experiment.workspace).filter(experiment=experiment)
    for key, arm, stratum, phase, propensity, draw in found.values_list(
        "randomization_key", "arm", "stratum", "phase", "propensity", "draw"
    ).iterator():
        if experiment.method == Experiment.Method.BLOCKS:
            place = randomization.permuted(experiment.salt, stratum, draw or 0, weights[phase], phase).arm
            point, chance = draw, weights[phase][place] / sum(weights[phase])
        else:
            place, point = randomization.draw(experiment.salt, key, shares[phase])
            chance = shares[phase][place] / randomization.MILLION
        entered = randomization.within(experiment.traffic_salt, key, traffic[phase])
        if (arms[place].pk, chance, point, entered) != (arm, propensity, draw, True):
            yield f"{experiment.key}: {key} has another arm or propensity than its draw gives"


def _redraw_actions(workspace: Workspace) -> Iterator[str]:
    """Draw again what policies drew; the salt is one of those that were registered."""
    salts = {f"{policy.key}@{policy.version}": policy.salt for policy in Policy.objects.within(workspace)}
    drawn = Decision.objects.within(workspace).filter(draw__isnull=False).select_related("action", "decision_point")
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
    drawn = randomization.draw(salt, f"{decision.source}\x1f{decision.event_id}", shares)
    return (keys[drawn.arm], drawn.point) == (action.key, decision.draw)
