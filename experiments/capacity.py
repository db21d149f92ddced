"""What is left of actions of which there is only so much in a period."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

Period = tuple[str, str]
# why an action can't be had when nothing is left of it
CAPACITY = "capacity"


@dataclass(frozen=True, slots=True)
class Capacity:
    """How often an action can be taken in a day, a week or a month of the workspace's time zone."""

    count: int
    per: str
    zone: ZoneInfo

    def period(self, at: datetime) -> str:
        """Name the period that a time falls into: what it is, and the day it begins."""
        day = at.astimezone(self.zone).date()
        if self.per == "week":
            day -= timedelta(days=day.weekday())
        elif self.per == "month":
            day = day.replace(day=1)
        return f"{self.per} {day.isoformat()}"


@dataclass(slots=True)
class Used:
    """How often actions were taken in their periods, the decisions of this batch included."""

    counts: dict[Period, int] = field(default_factory=dict)

    def short(self, capacities: Iterable[tuple[str, Capacity]], at: datetime) -> set[str]:
        """Return the actions of which nothing is left at a time."""
        return {
            action
            for action, capacity in capacities
            if self.counts.get((action, capacity.period(at)), 0) >= capacity.count
        }

    def take(self, action: str, capacity: Capacity, at: datetime) -> None:
        period = action, capacity.period(at)
        self.counts[period] = self.counts.get(period, 0) + 1
