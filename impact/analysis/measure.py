"""From a snapshot to moments: DuckDB turns events into one value per row and metric, then sums them up."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from impact.agreements.plan import MONEY, Plan, Term
from impact.analysis.freeze import DAY, microseconds
from impact.analysis.models import Snapshot
from impact.analysis.moments import cluster_sums, moment_table, segment_tables
from impact.stats.clusters import ClusterSums
from impact.stats.moments import MomentTable


@dataclass(frozen=True, slots=True)
class Family:
    """Columns that are analysed together, on the rows that have them all."""

    columns: tuple[str, ...]
    covariates: tuple[str, ...]
    table: MomentTable
    sums: ClusterSums | None
    segments: dict[str, dict[str, MomentTable]]


@dataclass(frozen=True, slots=True)
class Measured:
    """Everything that a snapshot says."""

    families: dict[str, Family]
    mature: int
    open: int
    censored: dict[str, int]
    censored_by_arm: dict[str, dict[str, int]]
    mature_by_arm: dict[str, int]
    assigned: list[Assigned]
    excluded: dict[str, int]
    modes: dict[str, int]
    estimated_cost: float
    total_cost: float


class Assigned(NamedTuple):
    """How many keys of a stratum were assigned to an arm, and the sum of the probabilities they had."""

    stratum: str
    arm: str
    keys: int
    propensity: float


def measure(snapshot: Snapshot, plan: Plan, home: Path) -> Measured:
    """Read the snapshot's files once and aggregate them."""
    connection = duckdb.connect(config={"threads": 1})
    try:
        connection.execute("SET TimeZone = 'UTC'")
        for name in ("rows", "decisions", "outcomes", "costs"):
            connection.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet({_text(f'{home}/*-{name}.parquet')})")
        _fill_values(connection, snapshot, plan)
        return _measured(connection, plan)
    finally:
        connection.close()


def _fill_values(connection: duckdb.DuckDBPyConnection, snapshot: Snapshot, plan: Plan) -> None:
    """Make the table ``measured``: every row with its numbers, null where they are censored."""
    as_of = microseconds(snapshot.as_of)
    terms = {metric.key: metric.term for metric in plan.metrics}
    if plan.net:
        terms |= {f"value {place}": term for place, term in enumerate(plan.net.value)}
    names = {key: f"t{place}" for place, key in enumerate(terms)}
    sums = ", ".join(f"{_aggregate(term, plan)} AS {names[key]}" for key, term in terms.items())
    widest = max([_window(term, plan) for term in terms.values()], default=1)
    connection.execute(
        f"CREATE TABLE happened AS SELECT r.row, {sums or '0 AS none'} FROM rows r LEFT JOIN outcomes o "
        f"ON o.unit = r.unit AND o.at >= r.opened_at AND o.at < r.opened_at + {widest} GROUP BY r.row"
    )
    connection.execute(
        "CREATE TABLE spent AS SELECT r.row, sum(c.value) AS cost, "
        "sum(c.value) FILTER (WHERE c.estimated) AS estimated FROM rows r LEFT JOIN costs c "
        f"ON c.unit = r.unit AND c.at >= r.opened_at AND c.at < r.opened_at + {_horizon(plan)} GROUP BY r.row"
    )
    numbers = {
        key: _number(term, names[key], plan, snapshot.manifest["feeds"][term.outcome]) for key, term in terms.items()
    }
    columns = [f"{numbers[metric.key]} AS {_name(f'metric {metric.key}')}" for metric in plan.metrics]
    if plan.net:
        value = " + ".join(
            f"({numbers[f'value {place}']}) * {_double(term.times)}" for place, term in enumerate(plan.net.value)
        )
        # where nobody logged what an action cost, what was planned stands in
        columns += [f"{value or '0.0'} AS value", "coalesce(s.cost, r.planned_cost) AS cost"]
        columns += ["CASE WHEN s.cost IS NULL THEN r.planned_cost ELSE coalesce(s.estimated, 0) END AS estimated_cost"]
    connection.execute(
        f"CREATE TABLE measured AS SELECT r.*, r.matures_at <= {as_of} AS mature{''.join(', ' + c for c in columns)} "
        "FROM rows r JOIN happened h USING (row) JOIN spent s USING (row) ORDER BY r.row"
    )


def _measured(connection: duckdb.DuckDBPyConnection, plan: Plan) -> Measured:
    covariates = _fill_covariates(connection, plan)
    families = {metric.key: _family(connection, plan, (f"metric {metric.key}",), covariates) for metric in plan.metrics}
    if plan.net:
        families[MONEY] = _family(connection, plan, ("value", "cost"), covariates)
    mature_by_arm = dict(connection.execute("SELECT arm, count(*) FROM measured WHERE mature GROUP BY arm").fetchall())
    censored_by_arm = {
        key: dict(
            connection.execute(
                f"SELECT arm, count(*) FROM measured WHERE mature AND {_name(family.columns[0])} IS NULL GROUP BY arm"
            ).fetchall()
        )
        for key, family in families.items()
    }
    modes = dict(connection.execute("SELECT mode, count(*) FROM decisions GROUP BY mode ORDER BY mode").fetchall())
    costs = (0.0, 0.0)
    if plan.net:
        costs = (
            connection.execute(
                "SELECT coalesce(sum(cost), 0), coalesce(sum(estimated_cost), 0) FROM measured WHERE mature"
            ).fetchone()
            or costs
        )
    [(still_open,)] = connection.execute("SELECT count(*) FROM measured WHERE NOT mature").fetchall()
    return Measured(
        families=families,
        mature=sum(mature_by_arm.values()),
        open=still_open,
        censored={key: sum(arms.values()) for key, arms in censored_by_arm.items()},
        censored_by_arm=censored_by_arm,
        mature_by_arm=mature_by_arm,
        assigned=_assigned(connection, plan),
        excluded={mode: modes.get(mode, 0) for mode in ("forced_safety", "forced_capacity", "manual", "fallback")},
        modes=modes,
        total_cost=costs[0],
        estimated_cost=costs[1],
    )


def _assigned(connection: duckdb.DuckDBPyConnection, plan: Plan) -> list[Assigned]:
    """Every key that was randomized, mature or not."""
    source = "(SELECT DISTINCT cluster, stratum, arm, propensity FROM rows)" if plan.clustered else "rows"
    found = connection.execute(
        f"SELECT stratum, arm, count(*), sum(propensity) FROM {source} GROUP BY stratum, arm ORDER BY stratum, arm"
    ).fetchall()
    return [Assigned(*row) for row in found]


def _family(
    connection: duckdb.DuckDBPyConnection, plan: Plan, columns: tuple[str, ...], covariates: tuple[str, ...]
) -> Family:
    relation = f"(SELECT * FROM measured WHERE mature AND {_name(columns[0])} IS NOT NULL)"
    wanted = [*columns, *covariates]
    keys: dict[str, Any] = {"arm": "arm", "stratum": "stratum", "phase": "phase"}
    return Family(
        columns,
        covariates,
        moment_table(connection, relation, wanted, **keys),
        cluster_sums(connection, relation, wanted, "cluster", arm="arm", stratum="stratum") if plan.clustered else None,
        {
            segment: segment_tables(connection, relation, list(columns), f"segment {segment}", **keys)
            for segment in plan.segments
        },
    )


def _fill_covariates(connection: duckdb.DuckDBPyConnection, plan: Plan) -> tuple[str, ...]:
    """Fill covariates that are missing with their mean, and add an indicator of having been missing."""
    names = []
    for covariate in plan.covariates:
        column = _name(f"covariate {covariate}")
        [(missing, mean)] = connection.execute(
            f"SELECT count(*) FILTER ({column} IS NULL), avg({column}) FROM measured WHERE mature"
        ).fetchall()
        if mean is None:
            continue
        names.append(f"covariate {covariate}")
        if missing:
            indicator = f"missing {covariate}"
            connection.execute(f"ALTER TABLE measured ADD COLUMN {_name(indicator)} DOUBLE")
            connection.execute(
                f"UPDATE measured SET {_name(indicator)} = CASE WHEN {column} IS NULL THEN 1 ELSE 0 END, "
                f"{column} = coalesce({column}, {_double(mean)})"
            )
            names.append(indicator)
    return tuple(names)


def _aggregate(term: Term, plan: Plan) -> str:
    inside = f"FILTER (WHERE o.type = {_text(term.outcome)} AND o.at < r.opened_at + {_window(term, plan)})"
    match term.aggregate:
        case "any":
            return f"bool_or(o.value <> 0) {inside}"
        case "sum":
            return f"sum(o.value) {inside}"
        case "count":
            return f"nullif(count(o.value) {inside}, 0)"
        case "last":
            return f"arg_max(o.value, o.at) {inside}"


def _number(term: Term, name: str, plan: Plan, complete_until: int | None) -> str:
    """The term's number where its window is known to be complete, else null."""
    if complete_until is None:
        return "NULL::DOUBLE"
    default = "NULL" if term.default is None else _double(term.default)
    closed = f"r.opened_at + {_window(term, plan)} <= {complete_until}"
    return f"CASE WHEN {closed} THEN coalesce(h.{name}::DOUBLE, {default}) END"


def _window(term: Term, plan: Plan) -> int:
    return _horizon(plan) if term.window_days is None else round(term.window_days * DAY)


def _horizon(plan: Plan) -> int:
    # a loaded experiment is one instant
    return max(1, round(plan.horizon_days * DAY))


def _name(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _double(number: float) -> str:
    return f"'{float(number)!r}'::DOUBLE"
