"""A stored decision, said as its caller was or will be told."""

from __future__ import annotations

from experiments.models import Decision
from experiments.rows import ChosenAction, DecisionAnswer


def answer(decision: Decision, *, replayed: bool) -> DecisionAnswer:
    """Say a decision; where an experiment was loaded from a file, the arm stands for the action."""
    assignment, action = decision.assignment, decision.action
    chosen = ChosenAction(action.key, action.parameters) if action else None
    return DecisionAnswer(
        decision_id=str(decision.pk),
        unit_id=decision.unit_id,
        action=chosen or ChosenAction(assignment.arm.key if assignment else "", {}),
        mode=decision.mode,
        experiment=assignment.experiment.key if assignment else None,
        arm=assignment.arm.key if assignment else None,
        propensity=decision.propensity,
        probabilities={key: what["probability"] for key, what in decision.candidates.items() if "probability" in what},
        ineligible={key: what["refused"] for key, what in decision.candidates.items() if "refused" in what},
        decided_at=decision.decided_at.isoformat(),
        matures_at=decision.matures_at.isoformat(),
        replayed=replayed,
    )
