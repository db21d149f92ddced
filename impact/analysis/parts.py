"""Parts of the rows that another rule could treat differently: values of segments, and bins of the score."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import duckdb

from impact.agreements.cashflow import stop_threshold
from impact.agreements.plan import Plan
from impact.analysis.moments import segment_tables
from impact.analysis.quoting import double, identifier
from impact.stats.moments import MomentTable

COLUMNS = ("value", "cost")
# two arms for so many values are as many tables as are worked out
MOST_VALUES = 8
MOST_CUTS = 24


class Parts(NamedTuple):
    """Value and cost of every part: segment -> value -> table, and bin -> table of the score.

    ``cuts`` are ascending scores; bin k holds what scores from cut k to below the next.
    """

    segments: dict[str, dict[str, MomentTable]]
    cuts: list[float]
    bins: dict[int, MomentTable]


NO_PARTS = Parts({}, [], {})


def parted(connection: duckdb.DuckDBPyConnection, plan: Plan, relation: str, policies: Sequence[str]) -> Parts:
    """Aggregate the parts; nothing of the score where a row has none.

    ``relation`` has the strata split by what the policies chose, and ``policies`` names those columns.
    """
    segments = {}
    for segment in plan.segments:
        column = f"segment {segment}"
        if 1 < _count(connection, f"count(DISTINCT {identifier(column)})", relation) <= MOST_VALUES:
            segments[segment] = _tables(connection, relation, column)
    cuts = _cuts(connection, plan, relation, policies)
    if len(cuts) < 2:
        return Parts(segments, [], {})
    reached = " + ".join(f"(score >= {double(cut)})::INTEGER" for cut in cuts)
    binned = f"(SELECT *, {reached} - 1 AS bin FROM {relation})"
    return Parts(segments, cuts, {int(place): table for place, table in _tables(connection, binned, "bin").items()})


def _cuts(connection: duckdb.DuckDBPyConnection, plan: Plan, relation: str, policies: Sequence[str]) -> list[float]:
    """Every score where they are few, else quantiles and where policies begin with an action; the planned threshold."""
    if _count(connection, "count(*) FILTER (score IS NULL OR isnan(score))", relation):
        return []
    if _count(connection, "count(DISTINCT score)", relation) <= MOST_CUTS:
        found = connection.execute(f"SELECT DISTINCT score FROM {relation}").fetchall()
        cuts = {score for (score,) in found}
    else:
        shares = ", ".join(f"{place / MOST_CUTS!r}" for place in range(MOST_CUTS))
        [(quantiles,)] = connection.execute(f"SELECT quantile_disc(score, [{shares}]) FROM {relation}").fetchall()
        cuts = set(quantiles)
        for policy in policies:
            begun = connection.execute(f"SELECT min(score) FROM {relation} GROUP BY {identifier(policy)}").fetchall()
            cuts |= {score for (score,) in begun}
    if plan.stop_or_wait:
        case = plan.stop_or_wait
        planned = stop_threshold(case.now, case.window, case.loss)
        cuts |= {planned} if min(cuts) < planned < max(cuts) else set()
    return sorted(cuts)


def _tables(connection: duckdb.DuckDBPyConnection, relation: str, column: str) -> dict[str, MomentTable]:
    keys = {"arm": "arm", "stratum": "stratum", "phase": "phase"}
    return segment_tables(connection, relation, COLUMNS, column, pairs=[COLUMNS], **keys)


def _count(connection: duckdb.DuckDBPyConnection, what: str, relation: str) -> int:
    [(found,)] = connection.execute(f"SELECT {what} FROM {relation}").fetchall()
    return int(found)
