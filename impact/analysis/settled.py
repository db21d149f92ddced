"""Up to which id rows are settled: whatever commits from now on has a larger one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db import connection, transaction

from workspaces import clock

# more than a request lasts or waits for its turn, and than the clocks of two servers differ
LAG = timedelta(minutes=10)
FIRST = UUID(int=0)

_OLDEST = (
    "SELECT min(began) FROM (SELECT xact_start AS began FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend' "
    "UNION ALL SELECT prepared FROM pg_prepared_xacts WHERE database = current_database()) AS running"
)


def settled() -> UUID:
    """Return an id below which no transaction that runs now or later adds a row.

    Ids are UUIDv7, made at most ``LAG`` before the transaction that stores them begins. So on PostgreSQL the oldest
    transaction that still runs says what is settled; whoever writes is our own role, whose sessions we see. On
    SQLite writers take turns: when ours comes, the one before has finished.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            now = clock.server_now()
            # within one transaction, what was seen first would be seen again
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(_OLDEST)
            [oldest] = cursor.fetchone()
        return least_id(min(now, oldest or now) - LAG)
    with transaction.atomic():
        return least_id(clock.server_now() - LAG)


def least_id(at: datetime) -> UUID:
    """Return the smallest id that a row made at this time can have."""
    return UUID(int=(at.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1) << 80)
