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
from impact.analysis.stretches import PLACE


def fill_months(connection: duckdb.DuckDBPyConnection, plan: Plan, manifest: Mapping[str, Any], home: Path) -> bool:
    """Make the table ``months`` of all that rows reach over; nothing where nothing has a date or a price."""
    if plan.net is None or plan.origin == "loaded":
        return False
    rows = frozen(manifest, "rows", plan, home)
    [(first, last)] = connection.execute(f"SELECT min(opened_at), max(matures_at) FROM {rows}").fetchall()
    if first is None:
        return False
    connection.execute("CREATE TABLE months (month VARCHAR, since BIGINT)")
    connection.executemany("INSERT INTO months VALUES (?, ?)", _months(first, last, manifest.get("time_zone", "UTC")))
    return True


def dated(measured: str) -> str:
    """The query of a part's rows that count and cost by arm and month, from its own table and its costs.

    Where nobody logged what an action cost, the planned cost was due when it was decided. A sum of decimals is the
    same in whatever order it is made.
    """
    return (
        f"WITH counted AS (SELECT * FROM {measured} WHERE mature AND value IS NOT NULL), "
        "paid AS MATERIALIZED (SELECT r.row, r.arm, r.opened_at + c.apart AS dated, c.value "
        f"FROM counted r JOIN costs c ON c.n = r.row & {PLACE}), "
        "events AS (SELECT arm, matures_at AS dated, 1 AS matured, 0 AS opened, 0.0 AS cost FROM counted UNION ALL "
        "SELECT arm, opened_at, 0, 1, 0.0 FROM counted UNION ALL SELECT arm, dated, 0, 0, value FROM paid UNION ALL "
        "SELECT arm, opened_at, 0, 0, planned_cost FROM counted ANTI JOIN paid USING (row)) "
        "SELECT month, arm, sum(matured)::BIGINT AS matured, sum(opened)::BIGINT AS opened, "
        "sum(cost::DECIMAL(38, 9)) AS cost FROM events ASOF JOIN months ON dated >= since GROUP BY ALL"
    )


def by_month(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """Rows that count and cost of every arm and month, all parts together."""
    found = connection.execute(
        "SELECT month, arm, sum(matured)::BIGINT, sum(opened)::BIGINT, sum(cost)::DOUBLE "
        "FROM dated GROUP BY ALL ORDER BY ALL"
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
