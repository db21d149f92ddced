"""What a decision says, now that its arm is drawn: action, probabilities, propensity."""

from __future__ import annotations

from datetime import timedelta

from experiments import mixtures, policies
from experiments.assigned import Assigned
from experiments.capacity import Used
from experiments.models import Arm, Mode, Policy
from experiments.services.choose import Request

# probability of each eligible action, the one that is taken, and the point of its draw if a policy drew it
Chosen = tuple[dict[str, float], str, int | None]


def fill(request: Request, used: Used) -> None:
    """Say action, probabilities and what policies would have done; the action is then taken."""
    point, assignment = request.point, request.assignment
    if request.mode == Mode.RANDOMIZED:
        assert assignment is not None
        request.probabilities, action, request.draw = _by_arm(request, assignment)
    elif request.mode == Mode.POLICY and assignment is None:
        request.probabilities, action, request.draw = _by_champion(request)
    else:
        action = _settled(request)
        request.probabilities = {key: float(key == action) for key in request.eligible}
    request.action = point.actions[action]
    if action in point.capacities:
        used.take(action, point.capacities[action], request.at)
    horizon = assignment.running.experiment.horizon_days if assignment else point.point.horizon_days
    request.matures_at = request.at + timedelta(days=horizon)
    request.would_have = {
        f"{policy.key}@{policy.version}": _probabilities(policy, request) for policy in point.policies
    }


def _settled(request: Request) -> str:
    """What was forced, else what safety asks for, else the baseline."""
    if request.row.forced:
        return request.row.forced.action
    point = request.point.point
    return str(point.safety["action"] if request.mode == Mode.FORCED_SAFETY else point.baseline)


def _by_arm(request: Request, assignment: Assigned) -> Chosen:
    """What the unit's arm gives it, and with what probability any arm would have: in the phase its key entered in."""
    running, arm = assignment.running, assignment.arm
    assert arm is not None
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
