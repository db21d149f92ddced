"""Seven days of a decision point's decisions, counted by the database: how they came about, why not, what else."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import Count

from experiments.models import Decision, DecisionPoint, Mode
from workspaces import clock
from workspaces.models import Workspace

WEEK = timedelta(days=7)
FREE = (Mode.RANDOMIZED, Mode.POLICY)


class Alike(NamedTuple):
    """Decisions that came about alike."""

    mode: str
    action: str
    experiment: str
    candidates: Mapping[str, Mapping[str, Any]]
    would_have: Mapping[str, Mapping[str, float]]
    number: int

    @property
    def free(self) -> bool:
        """Whether a draw or a policy chose."""
        return self.mode in FREE

    @property
    def has_choice(self) -> bool:
        return self.free and sum("refused" not in said for said in self.candidates.values()) > 1


class Week(NamedTuple):
    """The seven days until now; or, where those are empty, until the newest decision there is."""

    until: datetime
    is_last: bool
    alike: list[Alike]

    def total(self, which: Iterable[Alike] | None = None) -> int:
        return sum(one.number for one in (self.alike if which is None else which))

    def by(self, *names: str, free: bool = False) -> Counter[Any]:
        """Counts by mode, action or experiment, or several of them."""
        counted: Counter[Any] = Counter()
        for one in self.alike:
            if one.free or not free:
                values = tuple(getattr(one, name) for name in names)
                counted[values if len(names) > 1 else values[0]] += one.number
        return counted

    def reasons(self) -> Counter[tuple[str, tuple[str, ...]]]:
        """Free decisions by each reason they were refused for, with the actions that it refused."""
        counted: Counter[tuple[str, tuple[str, ...]]] = Counter()
        for one in self.alike:
            refused = defaultdict(list)
            for action, said in one.candidates.items() if one.free else ():
                if "refused" in said:
                    refused[said["refused"]].append(action)
            counted.update({(reason, tuple(sorted(actions))): one.number for reason, actions in refused.items()})
        return counted

    def would_have(self) -> dict[str, tuple[int, dict[str, float]]]:
        """For each policy version: decisions it was asked about, and how many of each action it would have taken."""
        asked: Counter[str] = Counter()
        taken: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        for one in self.alike:
            for policy, probabilities in one.would_have.items():
                asked[policy] += one.number
                for action, probability in probabilities.items():
                    taken[policy][action] += probability * one.number
        return {policy: (asked[policy], dict(taken[policy])) for policy in asked}


def week_of(workspace: Workspace, key: str) -> Week:
    """Read the week of the decision point with this key, whatever its version was."""
    versions = list(DecisionPoint.objects.within(workspace).filter(key=key).values_list("pk", flat=True))
    decisions = Decision.objects.filter(decision_point__in=versions)
    until = clock.now(workspace)
    is_last = not decisions.filter(decided_at__gt=until - WEEK).exists()
    if is_last:
        until = decisions.order_by("-decided_at").values_list("decided_at", flat=True).first() or until
    alike = (
        decisions.filter(decided_at__gt=until - WEEK, decided_at__lte=until)
        .values_list("mode", "action__key", "assignment__experiment__key", "candidates", "would_have")
        .annotate(count=Count("pk"))
        .order_by()
    )
    return Week(until, is_last, [Alike(mode, action, of or "", *rest) for mode, action, of, *rest in alike])
