"""Drawing the arms of the keys that enter an experiment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from experiments import randomization
from experiments.assigned import Assigned
from experiments.counters import take_positions
from experiments.models import ClusterArm
from experiments.services.choose import Request
from experiments.setup import Running
from workspaces.models import Workspace

Key = Assigned | ClusterArm


def draw_arms(workspace: Workspace, requests: Iterable[Request]) -> list[ClusterArm]:
    """Give every entering request's assignment its arm, propensity and draw; return the clusters drawn."""
    entering = [request for request in requests if request.enters]
    by_experiment: dict[str, tuple[Running, dict[int, Key]]] = {}
    for request in entering:
        assert request.assignment is not None
        running, drawn = request.assignment.running, request.cluster or request.assignment
        if drawn.draw is None:  # else an earlier unit's cluster
            by_experiment.setdefault(running.experiment.key, (running, {}))[1][id(drawn)] = drawn
    for running, keys in by_experiment.values():
        if running.experiment.in_blocks:
            _by_blocks(workspace, running, list(keys.values()))
        else:
            _by_hash(running, keys.values())
    for request in entering:
        if request.cluster and request.assignment:
            _give_alike(request.cluster, request.assignment)
    return [one for _, keys in by_experiment.values() for one in keys.values() if isinstance(one, ClusterArm)]


def _by_hash(running: Running, keys: Iterable[Key]) -> None:
    shares = running.shares
    for key in keys:
        _give(running, key, *randomization.draw(running.experiment.salt, key.randomization_key, shares))


def _by_blocks(workspace: Workspace, running: Running, keys: Sequence[Key]) -> None:
    wanted = Counter(key.stratum for key in keys)
    following = take_positions(workspace, running.experiment, running.phase, wanted)
    for key in keys:
        position = following[key.stratum]
        following[key.stratum] += 1
        place = randomization.permuted(running.experiment.salt, key.stratum, position, running.weights, running.phase)
        _give(running, key, place.arm, position)


def _give(running: Running, key: Key, index: int, draw: int) -> None:
    key.arm = running.arms[index]
    key.propensity = running.propensities[key.phase][index]
    key.draw = draw


def _give_alike(cluster: ClusterArm, assignment: Assigned) -> None:
    """The unit has what its cluster drew: then, in that phase and stratum."""
    assignment.arm, assignment.propensity, assignment.draw = cluster.arm, cluster.propensity, cluster.draw
    assignment.stratum, assignment.phase = cluster.stratum, cluster.phase
