"""In which calendar month rows opened and matured, and costs were incurred, as the workspace's clocks had it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb

from impact.agreements.periods import MONTHS as MONTHS_A_YEAR
from impact.agreements.plan import Plan
from impact.analysis.frozen import frozen
from impact.analysis.instants import microseconds
from impact.analysis.stretches import horizon

COUNTED = "(SELECT * FROM measured WHERE mature AND value IS NOT NULL)"
# where nobody logged what an action cost, the planned cost was due when it was decided
EVENTS = (
    f"SELECT arm, matures_at AS dated, 1 AS matured, 0 AS opened, 0.0 AS cost FROM {COUNTED} UNION ALL "
    f"SELECT arm, opened_at, 0, 1, 0.0 FROM {COUNTED} UNION ALL "
    "SELECT arm, dated, 0, 0, value FROM paid UNION ALL "
    f"SELECT arm, opened_at, 0, 0, planned_cost FROM {COUNTED} WHERE row NOT IN (SELECT row FROM paid)"
)


def by_month(
    connection: duckdb.DuckDBPyConnection, plan: Plan, manifest: Mapping[str, Any], home: Path
) -> list[dict[str, Any]]:
    """Rows that count and cost of every arm and month; none where nothing has a date or a price."""
    if plan.net is None or plan.origin == "loaded":
        return []
    [(first, last)] = connection.execute(f"SELECT min(opened_at), max(matures_at) FROM {COUNTED}").fetchall()
    if first is None:
        return []
    connection.execute("CREATE TABLE months (month VARCHAR, since BIGINT)")
    zone = manifest.get("time_zone", "UTC")
    connection.executemany("INSERT INTO months VALUES (?, ?)", _months(first, last, zone))
    rows, costs = (frozen(manifest, name, plan, home) for name in ("rows", "costs"))
    paid = (
        f"SELECT r.row, r.arm, c.at AS dated, c.value FROM {COUNTED} r JOIN {rows} u ON u.row = r.row "
        f"JOIN {costs} c ON c.unit = u.unit AND c.at >= r.opened_at AND c.at < r.opened_at + {horizon(plan)}"
    )
    # a sum of decimals is the same in whatever order the files are read
    found = connection.execute(
        f"WITH paid AS MATERIALIZED ({paid}), events AS ({EVENTS}) "
        "SELECT month, arm, sum(matured)::BIGINT, sum(opened)::BIGINT, sum(cost::DECIMAL(38, 9))::DOUBLE "
        "FROM events ASOF JOIN months ON dated >= since GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    names = ("month", "arm", "matured", "opened", "cost")
    return [dict(zip(names, row, strict=True)) for row in found]


def _months(first: int, last: int, time_zone: str) -> list[tuple[str, int]]:
    """Every month from one time to another, with the microsecond in which it begins."""
    zone = ZoneInfo(time_zone)
    at = datetime.fromtimestamp(first // 1_000_000, UTC).astimezone(zone)
    month = at.year * MONTHS_A_YEAR + at.month - 1
    found: list[tuple[str, int]] = []
    while True:
        begins = datetime(month // MONTHS_A_YEAR, month % MONTHS_A_YEAR + 1, 1, tzinfo=zone)
        if microseconds(begins) > last:
            return found
        found.append((f"{begins:%Y-%m}", microseconds(begins)))
        month += 1
