"""Drawing the arms of the keys that enter an experiment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from experiments import randomization
from experiments.counters import take_positions
from experiments.models import Assignment, Experiment
from experiments.services.choose import Request
from experiments.setup import Running
from workspaces.models import Workspace


def draw_arms(workspace: Workspace, requests: Iterable[Request]) -> list[Assignment]:
    """Give every entering request's assignment its arm, propensity and draw."""
    by_experiment: dict[Experiment, tuple[Running, list[Assignment]]] = {}
    for request in requests:
        if request.enters and request.running and request.decision.assignment:
            known = by_experiment.setdefault(request.running.experiment, (request.running, []))
            known[1].append(request.decision.assignment)
    for running, assignments in by_experiment.values():
        if running.experiment.in_blocks:
            _by_blocks(workspace, running, assignments)
        else:
            _by_hash(running, assignments)
    return [assignment for _, assignments in by_experiment.values() for assignment in assignments]


def _by_hash(running: Running, assignments: Iterable[Assignment]) -> None:
    shares = running.shares
    for assignment in assignments:
        drawn = randomization.draw(running.experiment.salt, assignment.randomization_key, shares)
        _give(running, assignment, drawn.arm, drawn.point)


def _by_blocks(workspace: Workspace, running: Running, assignments: list[Assignment]) -> None:
    wanted = Counter(assignment.stratum for assignment in assignments)
    following = take_positions(workspace, running.experiment, running.phase, wanted)
    for assignment in assignments:
        position = following[assignment.stratum]
        following[assignment.stratum] += 1
        place = randomization.permuted(
            running.experiment.salt, assignment.stratum, position, running.weights, running.phase
        )
        _give(running, assignment, place.arm, position)


def _give(running: Running, assignment: Assignment, index: int, draw: int) -> None:
    assignment.arm = running.arms[index]
    assignment.propensity = running.propensities[assignment.phase][index]
    assignment.draw = draw
