"""Cells in which clusters had the same chances: strata, apart for phases that drew with other weights."""

from __future__ import annotations

import math

from duckdb import DuckDBPyConnection

from impact.agreements.plan import Plan

Odds = dict[str, float]


def cell_of_cluster(connection: DuckDBPyConnection, plan: Plan) -> str:
    """Return an expression on ``measured`` that names a row's cell.

    Phases with the same weights stay together, so that a ramp of the traffic costs no cluster its neighbours;
    where nobody knows the weights, as in some loaded experiments, each phase stands alone.
    """
    if plan.origin != "live" and not plan.propensities_known:
        return "(stratum || chr(31) || phase)"
    found = connection.execute(
        "SELECT phase, arm, avg(propensity) FROM measured GROUP BY phase, arm ORDER BY phase, arm"
    ).fetchall()
    phases: dict[str, Odds] = {}
    for phase, arm, propensity in found:
        phases.setdefault(phase, {})[arm] = propensity
    kinds: list[Odds] = []
    places = {phase: _place(odds, kinds) for phase, odds in phases.items()}
    if len(kinds) < 2:
        return "stratum"
    cases = " ".join(f"WHEN '{phase.replace(chr(39), 2 * chr(39))}' THEN '{place}'" for phase, place in places.items())
    return f"(stratum || chr(31) || CASE phase {cases} END)"


def _place(odds: Odds, kinds: list[Odds]) -> int:
    """Which kind these chances are of, a new one if of none before; an arm that nobody got contradicts nothing."""
    for place, kind in enumerate(kinds):
        if all(math.isclose(one, kind.get(arm, one), rel_tol=1e-9) for arm, one in odds.items()):
            kind |= odds
            return place
    kinds.append(dict(odds))
    return len(kinds) - 1
