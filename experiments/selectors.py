"""Reading experiments and their decisions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from experiments.answers import stored_answers
from experiments.capacity import CAPACITY
from experiments.models import Decision, Experiment, Mode
from experiments.rows import DecisionAnswer
from workspaces.errors import Missing
from workspaces.models import Workspace
from workspaces.paging import page


def experiment_named(workspace: Workspace, key: str) -> Experiment:
    experiments = Experiment.objects.within(workspace).select_related("workspace")
    experiment = experiments.filter(key=key).first()
    if experiment is None:
        raise Missing("experiment", key)
    return experiment


def experiments_of(workspace: Workspace, query: Mapping[str, str]) -> tuple[list[Experiment], str | None]:
    return page(Experiment.objects.within(workspace).prefetch_related("arms", "phases"), query)


def decision_log(experiment: Experiment, query: Mapping[str, str]) -> tuple[list[DecisionAnswer], str | None]:
    """Return decisions of the experiment's keys, oldest first."""
    decisions = Decision.objects.within(experiment.workspace).filter(assignment__experiment=experiment)
    found, following = page(decisions.only("id"), query)
    answers = stored_answers((decision.pk for decision in found), replayed=False)
    return [answers[decision.pk] for decision in found], following


def units_decided(
    workspace: Workspace, point: str, since: datetime, until: datetime
) -> list[tuple[float, tuple[str, ...]]]:
    """Return score and eligible actions of what was drawn or chosen at a decision point from one time to another."""
    decisions = Decision.objects.within(workspace).filter(
        decision_point__key=point,
        decided_at__gte=since,
        decided_at__lt=until,
        mode__in=[Mode.RANDOMIZED, Mode.POLICY, Mode.FORCED_CAPACITY],
    )
    return [
        (score, tuple(key for key, said in candidates.items() if "probability" in said or said["refused"] == CAPACITY))
        for score, candidates in decisions.values_list("score", "candidates").iterator()
        if score is not None
    ]
