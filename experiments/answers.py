"""A stored decision, said as its caller was or will be told."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from experiments.models import Decision
from experiments.rows import ChosenAction, DecisionAnswer

# what an answer is made of, without the rest of what it belongs to
READ = (
    "id", "unit_id", "action__key", "action__parameters", "assignment__experiment__key", "assignment__arm__key",
    "mode", "propensity", "candidates", "decided_at", "matures_at",
)  # fmt: skip


def stored_answers(ids: Iterable[UUID], *, replayed: bool) -> dict[UUID, DecisionAnswer]:
    """Say decisions that were made before, by their ids."""
    found = Decision.objects.filter(pk__in=list(ids)).values_list(*READ)
    return {row[0]: said(replayed, *row) for row in found}


def said(
    replayed: bool,
    pk: UUID,
    unit_id: str,
    action: str | None,
    parameters: dict[str, Any] | None,
    experiment: str | None,
    arm: str | None,
    mode: str,
    propensity: float,
    candidates: dict[str, dict[str, Any]],
    decided_at: datetime,
    matures_at: datetime,
) -> DecisionAnswer:
    """Put an answer together; where an experiment was loaded from a file, the arm stands for the action."""
    return DecisionAnswer(
        decision_id=str(pk),
        unit_id=unit_id,
        action=ChosenAction(action or arm or "", parameters or {}),
        mode=mode,
        experiment=experiment,
        arm=arm,
        propensity=propensity,
        probabilities={key: what["probability"] for key, what in candidates.items() if "probability" in what},
        ineligible={key: what["refused"] for key, what in candidates.items() if "refused" in what},
        decided_at=decided_at.isoformat(),
        matures_at=matures_at.isoformat(),
        replayed=replayed,
    )
