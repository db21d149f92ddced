"""What was known and done about each row of analysis: its score, its newest execution, its draw made again."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db.models import F

from experiments.draws import differing_draws
from experiments.models import Assignment, Decision, Execution, Experiment, Mode

# so many draws are made again before a figure is shown; ``verify`` makes them all again
REDRAWN = 1_000


class Done(NamedTuple):
    """State of a row's newest execution, the arm whose action it was, and whether it was another than was drawn."""

    state: str
    arm: str
    otherwise: bool


NOTHING = Done("", "", False)
# nothing came of it
UNDONE = (Execution.State.FAILED, Execution.State.EXPIRED)


def first_scores(experiment: Experiment, as_of: datetime) -> dict[UUID, float]:
    """Assignment -> score of the prediction that its first decision was made with."""
    first = Decision.objects.within(experiment.workspace).filter(
        assignment__experiment=experiment,
        decided_at=F("assignment__first_decision_at"),
        decided_at__lte=as_of,
        prediction__isnull=False,
    )
    # of two at the same time, the same one everywhere
    ordered = first.order_by("-source", "-event_id")
    return dict(ordered.values_list("assignment_id", "prediction__score").iterator())


def executed(experiment: Experiment, as_of: datetime) -> dict[UUID, Done]:
    """Assignment -> what was done; what was overridden once stays overridden."""
    arms = {arm.action.key: arm.key for arm in experiment.arms.select_related("action") if arm.action}
    found = Execution.objects.within(experiment.workspace).filter(
        decision__assignment__experiment=experiment,
        decision__mode=Mode.RANDOMIZED,
        received_at__lte=as_of,
        occurred_at__lte=as_of,
    )
    done: dict[UUID, Done] = {}
    for row, arm, state, instead, drawn in (
        found.order_by("occurred_at", "source", "event_id")
        .values_list(
            "decision__assignment_id", "decision__assignment__arm__key", "status", "executed_action",
            "decision__action__key",
        )
        .iterator()
    ):  # fmt: skip
        if state == Execution.State.OVERRIDDEN and instead != drawn:
            done[row] = Done(state, arms.get(instead, ""), True)
        elif state == Execution.State.OVERRIDDEN or done.get(row, NOTHING).state != Execution.State.OVERRIDDEN:
            done[row] = Done(state, arm, state in UNDONE)
    return done


def redrawn(experiment: Experiment, as_of: datetime, pseudonym: Callable[[str], str]) -> Mapping[str, int]:
    """Draw a sample of the arms again, always the same one: how many, and how many came out otherwise."""
    if not experiment.is_live:
        return {"looked": 0, "differing": 0}
    assigned = Assignment.objects.within(experiment.workspace).filter(
        experiment=experiment, first_decision_at__lte=as_of
    )
    drawn = assigned.values_list("randomization_key", flat=True).distinct()
    keys = heapq.nsmallest(REDRAWN, drawn.iterator(), key=pseudonym)
    # rows of one cluster have one draw, and one line
    differing = set(differing_draws(experiment, assigned.filter(randomization_key__in=keys)))
    return {"looked": len(keys), "differing": len(differing)}
