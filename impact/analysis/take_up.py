"""What an action did to the value of those who took it up because it was drawn; beside the headline, never net."""

from __future__ import annotations

from typing import Any

import duckdb

from impact.agreements.plan import Plan
from impact.analysis.moments import moment_table
from impact.analysis.quoting import literal
from impact.stats.compliance import cace
from impact.stats.effects import NotEstimable, difference
from impact.stats.moments import MomentTable

# arm -> moments of value and of having taken its action up
Taken = dict[str, MomentTable]


def taken_up(connection: duckdb.DuckDBPyConnection, plan: Plan) -> Taken:
    """Sum up who took each arm's action up, where its executions are reported.

    An action is taken up where it was accepted; where nobody ever answers to it, where it was delivered.
    """
    if plan.net is None or plan.clustered:
        return {}
    counted = "FROM measured WHERE mature AND value IS NOT NULL"
    reported = dict(
        connection.execute(
            "SELECT did, bool_or(done IN ('accepted', 'declined')) FROM (SELECT did, done "
            f"{counted} AND did <> '') GROUP BY did ORDER BY did"
        ).fetchall()
    )
    keys: dict[str, Any] = {"arm": "arm", "stratum": "stratum", "phase": "phase"}
    found: Taken = {}
    for arm in (one.key for one in plan.arms if one.key in reported and not one.is_baseline and not one.is_policy):
        states = "'accepted', 'overridden'" if reported[arm] else "'delivered', 'overridden'"
        taken = f"(did = {literal(arm)} AND done IN ({states}))::DOUBLE AS taken"
        found[arm] = moment_table(connection, f"(SELECT *, {taken} {counted})", ["value", "taken"], **keys)
    return found


def among_takers(plan: Plan, taken: Taken, arm: str, baseline: str) -> dict[str, Any] | None:
    """Block of one comparison: the effect on value per row that took the action up, or why there is none."""
    if arm not in taken:
        return None
    found = cace(lambda contrast: difference(taken[arm], contrast, arm, baseline), 1 - plan.alpha)
    if isinstance(found, NotEstimable):
        return {"status": "not_estimable", "reason": found.reason, "effect": None, "set": None, "take_up": None}
    return {
        "status": "estimated",
        "reason": None,
        "effect": found.estimate,
        "set": {"kind": found.set.kind, "bounds": list(found.set.bounds)},
        "take_up": found.take_up,
    }
