"""What is looked at before an experiment starts: one function each, all in one list.

``block`` keeps it from starting, ``warn`` is shown to whoever signs. A finding carries numbers, not sentences.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from experiments.models import DecisionPoint, Experiment
from impact.agreements.plan import Plan

LEAST, MOST = 0.01, 0.99


@dataclass(frozen=True, slots=True)
class Foreseen:
    """One finding about a plan."""

    id: str
    severity: str
    passed: bool
    numbers: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Draft:
    """What the checks look at: the plan, the experiment as it is declared, and when it would start."""

    plan: Plan
    experiment: Experiment
    now: datetime

    @property
    def extra_costs(self) -> dict[str, float]:
        """Planned cost of every other arm above the baseline's."""
        base = self.plan.baseline.planned_cost
        return {arm.key: arm.planned_cost - base for arm in self.plan.arms if not arm.is_baseline}


def complete(draft: Draft) -> Foreseen:
    """Every text that three people sign says something, and there is a figure to decide by."""
    case = draft.plan.case
    names = ("hypothesis", "decision", "owner", "if_wins", "if_unclear", "if_loses")
    missing = [name for name in names if not getattr(case, name).strip()]
    if not draft.plan.net and not draft.plan.primary:
        missing.append("primary")
    return Foreseen("complete", "block", not missing, {"missing": missing})


def baseline_and_chances(draft: Draft) -> Foreseen:
    """One arm is the baseline, and every arm is drawn with a probability away from 0 and 1."""
    weights = {arm.key: arm.weight or 0.0 for arm in draft.plan.arms}
    whole = sum(weights.values())
    outside = [key for key, weight in weights.items() if not whole or not LEAST < weight / whole < MOST]
    baselines = sum(arm.is_baseline for arm in draft.plan.arms)
    return Foreseen("baseline_and_chances", "block", baselines == 1 and not outside, {"arms": outside})


def rows_enough(draft: Draft) -> Foreseen | None:
    """The agreed rows can prove the net value that is expected."""
    case = draft.plan.case
    promising = {arm: rows for arm, rows in case.rows_needed.items() if case.expected_net.get(arm, 0.0) > 0}
    if not promising or case.rows_per_arm is None:
        return None
    short = {arm: rows for arm, rows in promising.items() if rows > case.rows_per_arm}
    numbers = {"arms": list(short), "planned": case.rows_per_arm, "needed": max(promising.values())}
    return Foreseen("rows_enough", "warn", not short, numbers)


def profit_from_loss(draft: Draft) -> Foreseen | None:
    """The smallest effect that can be proven is smaller than what the action costs."""
    detectable = draft.plan.case.detectable_effect
    costs = {arm: cost for arm, cost in draft.extra_costs.items() if cost > 0}
    if detectable is None or not costs:
        return None
    blind = [arm for arm, cost in costs.items() if detectable > cost]
    return Foreseen("profit_from_loss", "warn", not blind, {"arms": blind, "detectable": detectable})


def whole_weeks(draft: Draft) -> Foreseen | None:
    """Enrolment covers whole weeks, so that no weekday counts more than another."""
    until = draft.experiment.enrolment_until
    if until is None:
        return None
    since = draft.experiment.started_at or draft.experiment.enrolment_from or draft.now
    days = (until - since).total_seconds() / (24 * 3600)
    # a start within the day of the week that it ends on counts as whole
    rest = days % 7
    return Foreseen("whole_weeks", "warn", days >= 7 and min(rest, 7 - rest) < 1, {"days": days})


def clusters_apart(draft: Draft) -> Foreseen | None:
    """Units of one line, household or crew aren't in different arms at the same time."""
    point = draft.experiment.decision_point
    if point is None or not point.cluster:
        return None
    whole = draft.experiment.randomizes not in (Experiment.Key.UNIT, Experiment.Key.EPISODE)
    one_at_a_time = point.cool_down_of == DecisionPoint.Scope.CLUSTER and (
        draft.experiment.randomizes == Experiment.Key.EPISODE
    )
    return Foreseen("clusters_apart", "warn", whole or one_at_a_time, {"cluster": point.cluster})


def clusters_alike(draft: Draft) -> Foreseen | None:
    """Where clusters are randomized, it was agreed how alike their rows are: only then rows can be foreseen."""
    if not draft.plan.clustered:
        return None
    agreed = draft.plan.case.clusters
    numbers = {"factor": agreed.design_effect} if agreed else {}
    return Foreseen("clusters_alike", "warn", agreed is not None, numbers)


def owned_in_full(draft: Draft) -> Foreseen | None:
    """A year is told with what building and running it costs."""
    deployment = draft.plan.deployment
    if deployment is None:
        return None
    return Foreseen("owned_in_full", "warn", deployment.build.base + deployment.running_per_year.base > 0)


BEFORE_START: tuple[Callable[[Draft], Foreseen | None], ...] = (
    complete,
    baseline_and_chances,
    rows_enough,
    profit_from_loss,
    whole_weeks,
    clusters_apart,
    clusters_alike,
    owned_in_full,
)


def look_before_start(draft: Draft) -> list[Foreseen]:
    return [found for check in BEFORE_START if (found := check(draft)) is not None]
