"""What a metric would say of the last rows of a decision point: bounded, so that a page may ask for it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from experiments.models import Decision, DecisionPoint
from impact.agreements.plan import Term
from impact.ledger.models import Feed, Outcome
from workspaces import clock
from workspaces.models import Workspace

ROWS = 500
EVENTS = 20_000
MOST_FREQUENT = 5


class Preview(NamedTuple):
    """Decisions whose window is over, newest first, and their numbers.

    ``unknown`` have none for want of an event, ``incomplete`` would be left out until their feeds are complete.
    ``mean`` is of a ratio the ratio of its sums; ``cut`` tells that there were more events than are looked at.
    """

    rows: int
    unknown: int
    incomplete: int
    cut: bool
    mean: float | None
    zeros: float
    quantiles: list[tuple[float, float]]
    frequent: list[tuple[float, int]]


def preview(workspace: Workspace, point: DecisionPoint, terms: Sequence[Term]) -> Preview:
    """Count the metric of these terms, one or a ratio's two, on the last decisions there."""
    days = terms[0].window_days or point.horizon_days
    window = timedelta(days=days)
    opened = _decided(point, clock.now(workspace) - window)
    if not opened:
        return Preview(0, 0, 0, False, None, 0.0, [], [])
    events, cut = _events(workspace, opened, window, {term.outcome for term in terms})
    complete = _complete_until(workspace, {term.outcome for term in terms})
    rows = [
        [number_of(term, _inside(events[unit, term.outcome], at, at + window)) for term in terms] for unit, at in opened
    ]
    known = [[number for number in row if number is not None] for row in rows]
    known = [row for row in known if len(row) == len(terms)]
    above, *others = [_capped([row[place] for row in known], term) for place, term in enumerate(terms)]
    below = sum(others[0]) if others else float(len(above))
    return Preview(
        rows=len(rows),
        unknown=len(rows) - len(known),
        incomplete=sum(1 for _, at in opened if complete is None or at + window > complete),
        cut=cut,
        mean=sum(above) / below if below else None,
        zeros=above.count(0.0) / len(above) if above else 0.0,
        quantiles=[(share, quantile(sorted(above), share)) for share in (0, 0.25, 0.5, 0.75, 0.95, 1)] if above else [],
        frequent=Counter(above).most_common(MOST_FREQUENT),
    )


def number_of(term: Term, events: Sequence[float]) -> float | None:
    """A row's number from its events in the order in which they occurred, as an analysis counts it."""
    match term.aggregate:
        case "any" | "none":
            happened = any(events)
            if term.aggregate == "any" and not events:
                return term.default
            return float(happened != (term.aggregate == "none"))
        case "sum":
            return float(sum(events)) if events else term.default
        case "count":
            return float(len(events)) if events else term.default
        case "last":
            return float(events[-1]) if events else term.default


def quantile(ascending: Sequence[float], share: float) -> float:
    """Return the linear quantile of numbers in ascending order."""
    place = share * (len(ascending) - 1)
    low = int(place)
    high = min(low + 1, len(ascending) - 1)
    return ascending[low] + (place - low) * (ascending[high] - ascending[low])


def _capped(numbers: Sequence[float], term: Term) -> list[float]:
    if term.cap is None or not numbers:
        return list(numbers)
    cap = quantile(sorted(numbers), term.cap)
    return [min(number, cap) for number in numbers]


def _decided(point: DecisionPoint, until: datetime) -> list[tuple[str, datetime]]:
    """Unit and time of the last decisions, version by version: each has an index by time."""
    versions = DecisionPoint.objects.within(point.workspace).filter(key=point.key).order_by("-version")[:3]
    found: list[tuple[str, datetime]] = []
    for version in versions:
        decisions = Decision.objects.filter(decision_point=version, decided_at__lte=until).order_by("-decided_at")
        found += decisions.values_list("unit_id", "decided_at")[: ROWS - len(found)]
        if len(found) == ROWS:
            break
    return found


def _events(
    workspace: Workspace, opened: Sequence[tuple[str, datetime]], window: timedelta, types: set[str]
) -> tuple[dict[tuple[str, str], list[tuple[datetime, float]]], bool]:
    """Unit and type -> its events in order, of all these rows' windows together."""
    times = [at for _, at in opened]
    outcomes = Outcome.objects.within(workspace).filter(
        unit_id__in={unit for unit, _ in opened}, type__in=types, occurred_at__gte=min(times),
        occurred_at__lt=max(times) + window,
    )  # fmt: skip
    found = list(outcomes.values_list("unit_id", "type", "occurred_at", "value").order_by("occurred_at")[:EVENTS])
    by_unit: dict[tuple[str, str], list[tuple[datetime, float]]] = defaultdict(list)
    for unit, kind, at, value in found:
        by_unit[unit, kind].append((at, value))
    return by_unit, len(found) == EVENTS


def _inside(events: Sequence[tuple[datetime, float]], start: datetime, end: datetime) -> list[float]:
    return [value for at, value in events if start <= at < end]


def _complete_until(workspace: Workspace, types: set[str]) -> datetime | None:
    """Until when every type is complete, as far as the slowest of its sources; none where one was never heard of."""
    feeds = list(Feed.objects.within(workspace).filter(type__in=types))
    if {feed.type for feed in feeds} != types:
        return None
    return min(feed.complete_until for feed in feeds)
