"""What happened to each unit, and what a term of the plan makes of it; for rows that no snapshot holds."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from impact.agreements.plan import Term


def by_unit(events: Iterable[tuple[str, datetime, float]]) -> dict[str, list[tuple[datetime, float]]]:
    found: dict[str, list[tuple[datetime, float]]] = defaultdict(list)
    for unit, at, value in events:
        found[unit].append((at, value))
    for of_unit in found.values():
        of_unit.sort(key=lambda event: event[0])
    return found


def between(events: list[tuple[datetime, float]], since: datetime, until: datetime) -> list[float]:
    """Values from ``since`` on, before ``until``."""
    first = bisect_left(events, since, key=lambda event: event[0])
    last = bisect_left(events, until, key=lambda event: event[0])
    return [value for _, value in events[first:last]]


def number_of(term: Term, values: list[float]) -> float | None:
    """The term's number, as the analysis has it: its default where nothing came."""
    if term.aggregate == "none":
        return float(not any(values))
    if not values:
        return term.default
    match term.aggregate:
        case "any":
            return float(any(values))
        case "sum":
            return float(sum(values))
        case "count":
            return float(len(values))
        case "last":
            return values[-1]
