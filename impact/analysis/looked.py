"""What the checks need beside the moments: what was done, week by week, by category, far out in the tail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import duckdb

from impact.agreements.plan import Plan
from impact.analysis.moments import moment_table
from impact.analysis.quoting import double
from impact.stats.moments import MomentTable

WEEK = 7 * 24 * 3600 * 1_000_000
# the share of the largest values that is looked at, and capped
TOP = 0.001


class Reported(NamedTuple):
    """Rows of an arm of which it was reported what was done: in all, otherwise than drawn, and overridden."""

    arm: str
    rows: int
    otherwise: int
    overridden: int


class Scored(NamedTuple):
    """Scores of an arm's rows, overridden or not."""

    arm: str
    overridden: bool
    rows: int
    mean: float
    variance: float


class Week(NamedTuple):
    """Net value of an arm's rows that came in a week, counted from the first."""

    arm: str
    week: int
    rows: int
    mean: float
    variance: float


class Tail(NamedTuple):
    """Where the largest values begin, the share of all value beyond, and moments with values capped there."""

    cap: float
    share: float
    table: MomentTable


class Looked(NamedTuple):
    """``spent`` is category -> arm -> rows that have a cost of it; ``redrawn`` how many draws were made again."""

    redrawn: Mapping[str, int] = {}
    reported: Sequence[Reported] = ()
    scored: Sequence[Scored] = ()
    weeks: Sequence[Week] = ()
    spent: Mapping[str, Mapping[str, int]] = {}
    tail: Tail | None = None


def look(connection: duckdb.DuckDBPyConnection, plan: Plan, manifest: Mapping[str, Any]) -> Looked:
    """Read it from the rows that were measured, and from what was looked at when they were frozen."""
    money = plan.net is not None and not plan.clustered
    counted = "FROM measured WHERE mature AND value IS NOT NULL"
    return Looked(
        manifest.get("redrawn", {}),
        [Reported(*row) for row in connection.execute(_REPORTED).fetchall()],
        [Scored(*row) for row in connection.execute(_SCORED).fetchall()],
        [Week(*row) for row in connection.execute(_weeks(counted)).fetchall()] if money else [],
        _spent(connection) if plan.net else {},
        _tail(connection, counted) if money else None,
    )


_REPORTED = (
    "SELECT arm, count(*), count(*) FILTER (otherwise), count(*) FILTER (done = 'overridden') "
    "FROM measured WHERE done <> '' GROUP BY arm ORDER BY arm"
)
_SCORED = (
    "SELECT arm, done = 'overridden' AS overridden, count(*), avg(score), coalesce(var_samp(score), 0) "
    "FROM measured WHERE done <> '' AND score IS NOT NULL GROUP BY ALL ORDER BY ALL"
)


def _weeks(counted: str) -> str:
    return (
        f"SELECT arm, (opened_at - (SELECT min(opened_at) FROM measured)) // {WEEK} AS week, count(*), "
        "avg(value - cost), coalesce(var_samp(value - cost), 0) "
        f"{counted} GROUP BY ALL ORDER BY ALL"
    )


def _spent(connection: duckdb.DuckDBPyConnection) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for category, arm, rows in connection.execute(
        "SELECT category, arm, sum(rows)::BIGINT FROM spent GROUP BY ALL ORDER BY ALL"
    ).fetchall():
        found.setdefault(category, {})[arm] = rows
    return found


def _tail(connection: duckdb.DuckDBPyConnection, counted: str) -> Tail | None:
    [(cap, whole)] = connection.execute(f"SELECT quantile_cont(value, {1 - TOP}), sum(abs(value)) {counted}").fetchall()
    if cap is None or not whole:
        return None
    [(above,)] = connection.execute(f"SELECT coalesce(sum(value), 0) {counted} AND value > {double(cap)}").fetchall()
    relation = f"(SELECT *, least(value, {double(cap)}) AS capped {counted})"
    keys: dict[str, Any] = {"arm": "arm", "stratum": "stratum", "phase": "phase"}
    table = moment_table(connection, relation, ["capped", "cost"], **keys)
    return Tail(cap + 0.0, abs(above) / whole, table)
