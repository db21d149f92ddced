"""Limiting calls: each process takes permits by the hundred from one atomic counter, and counts those itself."""

from __future__ import annotations

import threading
import time
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import connection

from workspaces.models import ApiKey, RateWindow

TAKEN_AT_ONCE = 100
MINUTE = 60


class Rate(NamedTuple):
    """Whether the call is allowed, what about remains of the minute, and when the next begins."""

    allowed: bool
    remaining: int
    seconds: int


_lock = threading.Lock()
_permits: dict[UUID, tuple[int, int, int]] = {}


def count_call(key: ApiKey) -> Rate:
    """Count one call of a key against its minute."""
    now = time.time()
    minute, seconds = int(now // MINUTE), MINUTE - int(now % MINUTE)
    limit = settings.RATE_LIMIT
    with _lock:
        known, permits, used = _permits.get(key.pk, (0, 0, 0))
        if known != minute or not permits:
            used = _take(key, minute)
            permits = max(0, min(TAKEN_AT_ONCE, limit - (used - TAKEN_AT_ONCE)))
        allowed = permits > 0
        _permits[key.pk] = (minute, permits - allowed, used)
    return Rate(allowed, max(0, limit - used) + permits - allowed, seconds)


def _take(key: ApiKey, minute: int) -> int:
    """Add to the counter, which the database does atomically, and return where it stands."""
    table = connection.ops.quote_name(RateWindow._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} (key_id, minute, used) VALUES (%s, %s, %s) "
            f"ON CONFLICT (key_id, minute) DO UPDATE SET used = {table}.used + excluded.used RETURNING used",
            [RateWindow._meta.get_field("key").get_db_prep_save(key.pk, connection), minute, TAKEN_AT_ONCE],
        )
        (used,) = cursor.fetchone()
    RateWindow.objects.filter(key=key, minute__lt=minute).delete()
    return int(used)
