"""Times as whole microseconds since 1970, which no time zone changes."""

from __future__ import annotations

from datetime import UTC, datetime

DAY = 24 * 3600 * 1_000_000


def microseconds(at: datetime) -> int:
    since = at.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
