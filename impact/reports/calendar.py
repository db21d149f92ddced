"""When a report is due next: wall-clock time in the schedule's zone, through every change of the clocks."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

EVERY = ("day", "week", "month")
CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")


def check_calendar(calendar: Mapping[str, Any]) -> None:
    """Refuse a calendar that names no day."""
    every, day = calendar["every"], calendar.get("day", 1)
    if every not in EVERY:
        raise ValueError(f"every == {every!r}, must be one of {', '.join(EVERY)}")
    if not 1 <= day <= {"day": 1, "week": 7, "month": 31}[every]:
        raise ValueError(f"day == {day}: 1 (Monday) to 7 in a week, 1 to 31 in a month (its last day, if shorter)")
    if not CLOCK.fullmatch(calendar["at"]):
        raise ValueError(f"at == {calendar['at']!r}, must be a time of the day like 07:00")


def next_run(calendar: Mapping[str, Any], time_zone: str, after: datetime) -> datetime:
    """Return the first due time after a time, in UTC.

    A wall-clock time that a change of the clocks skips is due that much later; one that comes twice is due
    the first time.
    """
    zone = ZoneInfo(time_zone)
    at = time.fromisoformat(calendar["at"])
    day = after.astimezone(zone).date()
    while True:
        if _matches(calendar, day):
            due = datetime.combine(day, at, tzinfo=zone).astimezone(UTC)
            if due > after:
                return due
        day += timedelta(days=1)


def last_run(calendar: Mapping[str, Any], time_zone: str, due: datetime, now: datetime) -> datetime:
    """Return the newest due time up to now: runs that were missed are made up for by one."""
    while (following := next_run(calendar, time_zone, due)) <= now:
        due = following
    return due


def _matches(calendar: Mapping[str, Any], day: date) -> bool:
    wanted = calendar.get("day", 1)
    match calendar["every"]:
        case "week":
            return day.isoweekday() == wanted
        case "month":
            return day.day == min(wanted, monthrange(day.year, day.month)[1])
    return True
