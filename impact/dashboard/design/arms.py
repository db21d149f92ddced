"""What may be an arm of a design: the actions and the policies of its decision point."""

from __future__ import annotations

from dataclasses import dataclass

from experiments.models import Action, Arm, DecisionPoint, Policy
from experiments.policies import reach

# no key holds a colon, so fields of a policy are never those of an action
OF_POLICY = "policy:"


@dataclass(frozen=True, slots=True)
class Candidate:
    """An action or a policy; ``id`` is what its fields are called by, ``gives`` every action that it may give."""

    id: str
    name: str
    declared: dict[str, str]
    gives: tuple[str, ...]
    policy: Policy | None = None

    @property
    def key(self) -> str:
        """What its arm is called."""
        return self.id.removeprefix(OF_POLICY)

    @property
    def varies(self) -> bool:
        """Whether what it does depends on the prediction, or on chance."""
        return self.policy is not None and self.policy.kind != "fixed"


def candidates_of(point: DecisionPoint, actions: list[Action], policies: list[Policy]) -> list[Candidate]:
    """Actions first, as they are declared; then the policies."""
    return [
        *(Candidate(one.key, one.name, {"action": one.key}, (one.key,)) for one in actions),
        *(
            Candidate(
                f"{OF_POLICY}{one.key}",
                one.key,
                {"policy": one.key},
                tuple(reach(one.kind, one.content, point.candidates, point.baseline)),
                one,
            )
            for one in policies
        ),
    ]


def id_of(arm: Arm) -> str:
    """What the fields of an experiment's arm are called by; empty where its key is one of its own."""
    if arm.policy is not None:
        return f"{OF_POLICY}{arm.key}" if arm.policy.key == arm.key else ""
    return arm.key if arm.action and arm.action.key == arm.key else ""
