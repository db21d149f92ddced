"""Counters that decisions share: episodes of a unit, positions in a stratum's blocks, actions taken in a period."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from experiments.capacity import Period, Used
from experiments.models import BlockCounter, CapacityCounter, EpisodeCounter, Experiment
from workspaces.models import Workspace

Scope = tuple[str, str]


def hold_episodes(workspace: Workspace, scopes: Iterable[Scope]) -> None:
    """Lock the counters of these (decision point, unit or cluster) until the transaction ends.

    All in one order, so that two batches wait for each other instead of locking each other out.
    """
    EpisodeCounter.objects.bulk_create(
        [
            EpisodeCounter(workspace=workspace, decision_point=point, scope_id=scope)
            for point, scope in sorted(set(scopes))
        ],
        update_conflicts=True,
        unique_fields=["workspace", "decision_point", "scope_id"],
        update_fields=["scope_id"],
    )


def take_positions(
    workspace: Workspace, experiment: Experiment, phase: str, wanted: Mapping[str, int]
) -> dict[str, int]:
    """Take that many positions of each stratum's blocks in a phase and return the first one of each."""
    of = {"experiment": experiment, "phase": phase}
    BlockCounter.objects.bulk_create(
        [BlockCounter(workspace=workspace, stratum=stratum, **of) for stratum in sorted(wanted)],
        ignore_conflicts=True,
    )
    mine = BlockCounter.objects.within(workspace).filter(stratum__in=wanted, **of)
    held = list(mine.select_for_update().order_by("stratum"))
    first = {counter.stratum: counter.taken for counter in held}
    for counter in held:
        counter.taken += wanted[counter.stratum]
    BlockCounter.objects.bulk_update(held, ["taken"])
    return first


def hold_used(workspace: Workspace, periods: Iterable[Period]) -> tuple[Used, list[CapacityCounter]]:
    """Lock the counters of these actions and periods until the transaction ends, and say what they hold."""
    wanted = sorted(set(periods))
    CapacityCounter.objects.bulk_create(
        [CapacityCounter(workspace=workspace, action=action, period=period) for action, period in wanted],
        ignore_conflicts=True,
    )
    actions, names = {action for action, _ in wanted}, {period for _, period in wanted}
    mine = CapacityCounter.objects.within(workspace).filter(action__in=actions, period__in=names)
    held = list(mine.select_for_update().order_by("action", "period"))
    return Used({(counter.action, counter.period): counter.taken for counter in held}), held


def keep_used(used: Used, held: Sequence[CapacityCounter]) -> None:
    """Store what was taken of the counters that are held."""
    for counter in held:
        counter.taken = used.counts[counter.action, counter.period]
    CapacityCounter.objects.bulk_update(held, ["taken"])
