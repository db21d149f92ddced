"""Looks that were planned: the rows that had matured when each was reached."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import duckdb

from impact.agreements.plan import Plan
from impact.analysis.moments import moment_table
from impact.analysis.quoting import identifier
from impact.stats.moments import MomentTable


class Reached(NamedTuple):
    """A look before the last: its share of the planned rows, when it was reached, and the moments of that time."""

    share: float
    at: int
    table: MomentTable


def reached(connection: duckdb.DuckDBPyConnection, plan: Plan, columns: Sequence[str]) -> list[Reached]:
    """Find the looks before the last that were reached: every arm has that share of its rows, mature and known.

    What is read are the rows of that moment, however late the analysis is made: looking in between changes nothing.
    ``columns`` are those of the figure that decides.
    """
    if plan.looks != "group_sequential" or plan.case.rows_per_arm is None:
        return []
    counted = f"FROM measured WHERE mature AND {identifier(columns[0])} IS NOT NULL"
    found: list[Reached] = []
    for share in plan.looks_at[:-1]:
        [(arms, at)] = connection.execute(
            "SELECT count(*), max(matures_at) FROM (SELECT arm, matures_at, "
            f"row_number() OVER (PARTITION BY arm ORDER BY matures_at, row) AS n {counted}) "
            f"WHERE n = {math.ceil(share * plan.case.rows_per_arm)}"
        ).fetchall()
        if arms < len(plan.arms):
            break
        then = f"(SELECT * {counted} AND matures_at <= {at})"
        table = moment_table(connection, then, columns, arm="arm", stratum="stratum", phase="phase")
        found.append(Reached(share, at, table))
    return found
