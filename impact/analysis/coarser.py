"""What is randomized inside larger clusters, seen by those clusters: a labelled sensitivity, never the headline."""

from __future__ import annotations

from typing import Any

import duckdb

from impact.agreements.plan import Plan
from impact.analysis.moments import cluster_sums
from impact.analysis.quoting import identifier, literal
from impact.stats.clusters import ClusterSums, cr2
from impact.stats.effects import NotEstimable
from impact.stats.moments import Contrast

# segment and its value, or two empty texts for all rows -> sums of every cluster
Coarser = dict[tuple[str, str], ClusterSums]


def coarser_sums(connection: duckdb.DuckDBPyConnection, plan: Plan) -> Coarser:
    """Sum value and cost by cluster, where clusters hold more than one row that counts.

    Strata lie inside clusters as often as not, so phases alone are kept apart: within one every stratum is drawn
    with the same chances.
    """
    counted = "SELECT * FROM measured WHERE mature AND value IS NOT NULL AND cluster <> ''"
    [(rows, clusters)] = connection.execute(f"SELECT count(*), count(DISTINCT cluster) FROM ({counted})").fetchall()
    if plan.clustered or not 2 <= clusters < rows:
        return {}
    found = {("", ""): _sums(connection, counted)}
    for segment in plan.segments:
        column = identifier(f"segment {segment}")
        values = connection.execute(f"SELECT DISTINCT {column} FROM ({counted}) ORDER BY ALL").fetchall()
        for (value,) in values:
            found[segment, value] = _sums(connection, f"{counted} AND {column} = {literal(value)}")
    return found


def by_clusters(
    plan: Plan, coarser: Coarser, part: tuple[str, str], contrast: Contrast, arm: str, baseline: str
) -> Any:
    """Block of one comparison by clusters, or nothing where there are none."""
    if part not in coarser:
        return None
    sums = coarser[part]
    found = cr2(sums, contrast, arm, baseline)
    if isinstance(found, NotEstimable):
        return {"status": "not_estimable", "reason": found.reason}
    return {
        "status": "estimated",
        "method": found.method,
        "clusters": min(sums.clusters(arm), sums.clusters(baseline)),
        "effect": found.estimate,
        "se": found.se,
        "df": found.df,
        "ci": list(found.interval(1 - plan.alpha)),
        "p_value": found.p_value(),
    }


def _sums(connection: duckdb.DuckDBPyConnection, rows: str) -> ClusterSums:
    return cluster_sums(connection, f"({rows})", ["value", "cost"], "cluster", arm="arm", stratum="phase")
