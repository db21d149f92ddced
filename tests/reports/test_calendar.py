"""When a report is due: through changes of the clocks, month ends and leap days, in any zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from impact.reports.calendar import check_calendar, last_run, next_run

BERLIN, TOKYO = "Europe/Berlin", "Asia/Tokyo"
ZONES = (BERLIN, TOKYO, "UTC", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kathmandu")


def every(unit: str, at: str = "07:00", day: int = 1) -> dict[str, Any]:
    return {"every": unit, "at": at, "day": day}


def due(calendar: dict[str, Any], zone: str, after: str) -> str:
    """The next due time in UTC, as text without the zone."""
    return next_run(calendar, zone, datetime.fromisoformat(after).replace(tzinfo=UTC)).isoformat()[:16]


@pytest.mark.parametrize(
    ("calendar", "zone", "after", "next_due"),
    [
        # seven in the morning is another hour of UTC in summer
        (every("day"), BERLIN, "2026-03-28T12:00", "2026-03-29T05:00"),
        (every("day"), BERLIN, "2026-03-27T12:00", "2026-03-28T06:00"),
        (every("day"), BERLIN, "2026-10-24T12:00", "2026-10-25T06:00"),
        # skipped at 2 o'clock: an hour later; twice at 2 o'clock: the first time
        (every("day", "02:30"), BERLIN, "2026-03-28T12:00", "2026-03-29T01:30"),
        (every("day", "02:30"), BERLIN, "2026-10-24T12:00", "2026-10-25T00:30"),
        (every("day", "02:30"), BERLIN, "2026-10-25T00:30", "2026-10-26T01:30"),
        # half an hour of summer time
        (every("day", "02:15"), "Australia/Lord_Howe", "2026-10-03T00:00", "2026-10-03T15:45"),
        # a due time is over once it is reached
        (every("day"), TOKYO, "2026-01-01T21:59", "2026-01-01T22:00"),
        (every("day"), TOKYO, "2026-01-01T22:00", "2026-01-02T22:00"),
        # in Tokyo it is Monday already
        (every("week", day=1), TOKYO, "2026-01-04T20:00", "2026-01-04T22:00"),
        (every("week", day=7), BERLIN, "2026-01-05T00:00", "2026-01-11T06:00"),
        # the last day where the month is shorter
        (every("month", day=31), BERLIN, "2026-01-31T12:00", "2026-02-28T06:00"),
        (every("month", day=31), BERLIN, "2028-02-01T00:00", "2028-02-29T06:00"),
        (every("month", day=30), BERLIN, "2026-02-01T00:00", "2026-02-28T06:00"),
        (every("month", day=31), BERLIN, "2026-04-01T00:00", "2026-04-30T05:00"),
        (every("month", day=1), BERLIN, "2025-12-01T06:00", "2026-01-01T06:00"),
        # a day that a zone left out
        (every("day"), "Pacific/Apia", "2011-12-29T17:00", "2011-12-30T17:00"),
    ],
)
def test_is_due_next(calendar: dict[str, Any], zone: str, after: str, next_due: str) -> None:
    assert due(calendar, zone, after) == next_due


@given(
    st.sampled_from(ZONES),
    st.sampled_from([every("day", "02:30"), every("week", "00:00", 3), every("month", "23:59", 31), every("month")]),
    st.datetimes(datetime(2010, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC)),
)
def test_is_after_and_soon_and_at_that_time_of_the_day(zone: str, calendar: dict[str, Any], after: datetime) -> None:
    found = next_run(calendar, zone, after)
    assert found > after
    longest = {"day": 3, "week": 9, "month": 34}[calendar["every"]]
    assert found - after < timedelta(days=longest)
    local = found.astimezone(ZoneInfo(zone))
    shift = datetime.combine(local, datetime.strptime(calendar["at"], "%H:%M").time()) - local.replace(tzinfo=None)
    assert abs(shift) in (timedelta(0), timedelta(minutes=30), timedelta(hours=1), timedelta(hours=23))


def test_of_missed_runs_the_newest_is_made_up_for() -> None:
    first = datetime(2026, 1, 1, 6, tzinfo=UTC)
    assert last_run(every("month"), BERLIN, first, datetime(2026, 4, 1, 5, tzinfo=UTC)).month == 4
    assert last_run(every("month"), BERLIN, first, datetime(2026, 4, 1, 4, 59, tzinfo=UTC)).month == 3
    assert last_run(every("month"), BERLIN, first, first) == first


@pytest.mark.parametrize(
    ("calendar", "said"),
    [
        (every("year"), "every == 'year'"),
        (every("week", day=8), "day == 8"),
        (every("week", day=0), "day == 0"),
        (every("month", day=32), "day == 32"),
        (every("day", day=2), "day == 2"),
        (every("day", "7:00"), "'7:00'"),
        (every("day", "24:00"), "'24:00'"),
        (every("day", "07:00+09:00"), "like 07:00"),
        (every("day", "noon"), "'noon'"),
        (every("day", ""), "''"),
    ],
)
def test_a_calendar_that_names_no_time_is_refused(calendar: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said.replace("+", r"\+")):
        check_calendar(calendar)


@pytest.mark.parametrize(
    "calendar", [every("day"), every("week", day=7), every("month", "23:59", 31), {"every": "day", "at": "00:00"}]
)
def test_others_are_taken(calendar: dict[str, Any]) -> None:
    check_calendar(calendar)
