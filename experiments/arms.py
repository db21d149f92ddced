"""Arms as they are declared: actions or policies, with their weights, one of them the baseline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from experiments import randomization
from experiments.models import Action, Arm, DecisionPoint, Experiment, Policy, Status
from experiments.policies import BadPolicy
from experiments.policy_checks import check_named
from workspaces.declarations import Declared
from workspaces.errors import Refusal
from workspaces.limits import check_fields
from workspaces.strict import Key

# a block is shuffled anew for every draw
LONGEST_BLOCK = 1000


class ArmDeclared(Declared):
    """An action, or a policy by its key: one of the two."""

    action: Key | None = None
    policy: Key | None = None
    weight: int = 1
    key: Key | None = None

    @property
    def name(self) -> str:
        return self.key or self.action or self.policy or ""


def changed_arms(
    experiment: Experiment | None, arms: Sequence[ArmDeclared], baseline_key: str
) -> dict[str, tuple[Any, Any]]:
    """What differs of the arms, or no more than their weights."""
    if experiment is None:
        return {}
    kept = list(experiment.arms.select_related("action", "policy").order_by("place"))
    baseline = next(arm.key for arm in kept if arm.is_baseline)
    versions = dict(Policy.objects.within(experiment.workspace).current().values_list("key", "version"))
    now = [(arm.key, arm.action.key if arm.action else "", _version(arm.policy)) for arm in kept], baseline
    then = (
        [(arm.name, arm.action or "", f"{arm.policy}@{versions[arm.policy]}" if arm.policy else "") for arm in arms],
        baseline_key,
    )
    if experiment.status != Status.DRAFT:
        # the arms stay with the versions that were signed
        now, then = _without_versions(now), _without_versions(then)
    if now != then:
        return {"arms": (now, then)}
    weights = [arm.weight for arm in kept], [arm.weight for arm in arms]
    return {"weights": weights} if weights[0] != weights[1] else {}


def _version(policy: Policy | None) -> str:
    return f"{policy.key}@{policy.version}" if policy else ""


def _without_versions(said: tuple[list[tuple[str, str, str]], str]) -> tuple[list[tuple[str, str, str]], str]:
    arms, baseline = said
    return [(key, action, policy.partition("@")[0]) for key, action, policy in arms], baseline


def set_arms(experiment: Experiment, arms: Sequence[ArmDeclared], baseline: str) -> None:
    """Make the arms as declared, of the actions and policies as they are now."""
    workspace = experiment.workspace
    actions = {action.key: action for action in Action.objects.within(workspace).current()}
    policies = {policy.key: policy for policy in Policy.objects.within(workspace).current()}
    Arm.objects.bulk_create(
        Arm(
            workspace=workspace,
            experiment=experiment,
            key=arm.name,
            place=place,
            action=actions[arm.action] if arm.action else None,
            policy=policies[arm.policy] if arm.policy else None,
            weight=arm.weight,
            is_baseline=arm.name == baseline,
        )
        for place, arm in enumerate(arms)
    )


def check_arms(arms: Sequence[ArmDeclared], baseline: str, point: DecisionPoint, *, in_blocks: bool) -> None:
    """Refuse arms that couldn't be drawn or compared."""
    keys = [arm.name for arm in arms]
    weights = [arm.weight for arm in arms]
    of_point = Policy.objects.within(point.workspace).current().filter(decision_point=point.key)
    policies = {policy.key: policy for policy in of_point}
    for place, arm in enumerate(arms):
        check_fields(Arm, {"weight": arm.weight}, within=f"/arms/{place}")
        if (arm.action is None) == (arm.policy is None):
            raise invalid("an arm is an action or a policy; write one of the two", f"/arms/{place}")
        if arm.action and arm.action not in point.candidates:
            raise invalid(f"{arm.action!r} is no candidate action of {point.key}", f"/arms/{place}")
        if arm.policy:
            _check_policy(policies.get(arm.policy), arm.policy, point, f"/arms/{place}/policy")
        if arm.weight < 1:
            raise invalid(f"weight == {arm.weight}, must be 1 or more", f"/arms/{place}/weight")
    if len(keys) < 2 or len(set(keys)) < len(keys):
        raise invalid(f"arms == {keys}, must be two or more different ones", "/arms")
    if baseline not in keys:
        raise invalid(f"baseline == {baseline!r}, must be one of {keys}", "/baseline")
    if 0 in randomization.parts_per_million(weights):
        raise invalid(f"weights == {weights}: the smallest is never drawn, it must be a millionth or more", "/arms")
    if in_blocks and sum(weights) > LONGEST_BLOCK:
        raise invalid(
            f"weights == {weights} make blocks of {sum(weights):,} places, at most {LONGEST_BLOCK:,} are possible; "
            "use smaller weights, or method: hash",
            "/arms",
        )


def _check_policy(policy: Policy | None, key: str, point: DecisionPoint, pointer: str) -> None:
    """Refuse a policy of elsewhere, or of candidates that aren't any more."""
    if policy is None:
        raise invalid(f"{key!r} is no policy of {point.key}; declare it there first", pointer)
    try:
        check_named(policy.content, point.candidates)
    except BadPolicy as error:
        raise invalid(f"{key}: {error}", pointer) from error


def invalid(problem: str, pointer: str) -> Refusal:
    return Refusal("invalid-declaration", problem, pointer)
