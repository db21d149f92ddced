"""From a snapshot to moments: DuckDB turns events into one value per row and metric, then sums them up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import numpy as np
from numpy.typing import NDArray

from impact.agreements.plan import MONEY, Plan
from impact.analysis.coarser import Coarser, coarser_sums
from impact.analysis.dated import by_month
from impact.analysis.frozen import frozen
from impact.analysis.looked import Looked, look
from impact.analysis.models import Snapshot
from impact.analysis.moments import cluster_sums, moment_table, segment_tables
from impact.analysis.odds import cell_of_cluster
from impact.analysis.parts import NO_PARTS, Parts, parted
from impact.analysis.planned_looks import Reached, reached
from impact.analysis.quoting import double, identifier
from impact.analysis.take_up import Taken, taken_up
from impact.analysis.values import fill_values
from impact.stats.choice import FEW_ROWS, MANY_KEYS
from impact.stats.clusters import ClusterSums
from impact.stats.moments import Contrast, MomentTable
from impact.stats.needs import Needs, of_mean, union

NET: Contrast = {"value": 1.0, "cost": -1.0}
Skews = dict[str, dict[str, float]]


class Rows(NamedTuple):
    """The rows themselves, kept where an arm has few: arm and cell of each, and its columns."""

    arm: NDArray[np.str_]
    cell: NDArray[np.str_]
    columns: dict[str, NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Family:
    """Columns that are analysed together, on the rows that have them all.

    ``table`` may hold columns of other families too; ``skews`` are by column (``net`` for value minus cost) and
    arm, unless the rows are kept.
    """

    columns: tuple[str, ...]
    covariates: tuple[str, ...]
    table: MomentTable
    sums: ClusterSums | None
    segments: dict[str, dict[str, MomentTable]]
    rows: Rows | None = None
    skews: Skews = field(default_factory=dict)


class Chosen(NamedTuple):
    """What every policy would have done in each row that counts, its value and cost, and how its arm was drawn.

    The strata of ``table`` are those of the draws, split by the choices; ``policies`` says which arm each policy
    chooses in which of them. Where clusters were drawn, ``sums`` are theirs and ``cluster`` says each row's.
    """

    table: MomentTable
    policies: dict[str, dict[str, str]]
    arm: NDArray[np.str_]
    stratum: NDArray[np.str_]
    net: NDArray[np.float64]
    propensity: NDArray[np.float64]
    covariates: NDArray[np.float64]
    sums: ClusterSums | None = None
    cluster: NDArray[np.str_] | None = None
    parts: Parts = NO_PARTS


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
    chosen: Chosen | None = None
    coarser: Coarser = field(default_factory=dict)
    events: dict[str, int] = field(default_factory=dict)
    looked: Looked = field(default_factory=Looked)
    taken: Taken = field(default_factory=dict)
    looks: Sequence[Reached] = ()
    months: list[dict[str, Any]] = field(default_factory=list)


class Assigned(NamedTuple):
    """How many keys of a stratum were assigned to an arm in a phase, and the sum of the probabilities they had."""

    stratum: str
    phase: str
    arm: str
    keys: int
    propensity: float


def measure(snapshot: Snapshot, plan: Plan, home: Path) -> Measured:
    """Read the snapshot's files once and aggregate them."""
    connection = duckdb.connect(config={"threads": 1})
    try:
        connection.execute("SET TimeZone = 'UTC'")
        # what a command prints stays its own
        connection.execute("SET enable_progress_bar = false")
        dates = fill_values(connection, snapshot, plan, home)
        decisions = frozen(snapshot.manifest, "decisions", plan, home)
        connection.execute(f"CREATE VIEW decisions AS SELECT * FROM {decisions}")
        looked, taken = look(connection, plan, snapshot.manifest), taken_up(connection, plan)
        months = by_month(connection) if dates else []
        return replace(_measured(connection, plan), looked=looked, taken=taken, months=months)
    finally:
        connection.close()


def _measured(connection: duckdb.DuckDBPyConnection, plan: Plan) -> Measured:
    covariates = _fill_covariates(connection, plan)
    columns: dict[str, tuple[str, ...]] = {
        metric.key: (f"metric {metric.key}", *([f"per {metric.key}"] if metric.per else [])) for metric in plan.metrics
    }
    if plan.net:
        parts = (column for column in plan.assumed.values() if column != "value")
        columns[MONEY] = ("value", "cost", *parts)
    families = _families(connection, plan, columns, covariates)
    mature_by_arm = dict(connection.execute("SELECT arm, count(*) FROM measured WHERE mature GROUP BY arm").fetchall())
    censored_by_arm = {
        key: dict(
            connection.execute(
                "SELECT arm, count(*) FROM measured "
                f"WHERE mature AND {identifier(family.columns[0])} IS NULL GROUP BY arm"
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
        events=_events(connection),
        total_cost=costs[0],
        estimated_cost=costs[1],
        chosen=_chosen(connection, plan, columns[MONEY], covariates) if plan.net else None,
        coarser=coarser_sums(connection, plan) if plan.net else {},
        looks=reached(connection, plan, families[decisive].columns) if (decisive := _decisive(plan)) else (),
    )


def _decisive(plan: Plan) -> str:
    """Family of the figure that decides."""
    return MONEY if plan.net else plan.primary.key if plan.primary else ""


def _events(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """How many of the rows' decisions were frozen, and how many events lie in windows."""
    [(decisions,)] = connection.execute("SELECT count(*) FROM decisions WHERE row <> ''").fetchall()
    [(outcomes, costs)] = connection.execute("SELECT sum(outcomes)::BIGINT, sum(costs)::BIGINT FROM events").fetchall()
    return {"decisions": decisions, "outcomes": outcomes, "costs": costs}


def _chosen(
    connection: duckdb.DuckDBPyConnection, plan: Plan, columns: tuple[str, ...], covariates: tuple[str, ...]
) -> Chosen | None:
    """Split the strata by what the policies would have done; a policy that isn't known in every row is left out."""
    counted = "FROM measured WHERE mature AND value IS NOT NULL"
    empty = ", ".join(f"count(*) FILTER ({identifier(f'policy {one.key}')} = '')" for one in plan.policies)
    gaps = connection.execute(f"SELECT count(*), {empty or '0'} {counted}").fetchall()[0]
    known = [one.key for one, gap in zip(plan.policies, gaps[1:], strict=False) if not gap]
    if not gaps[0]:
        return None
    cell = cell_of_cluster(connection, plan) if plan.clustered else "stratum"
    split = " || chr(31) || ".join([cell, *(identifier(f"policy {key}") for key in known)])
    relation = f"(SELECT * REPLACE ({split} AS stratum) {counted})"
    pairs = _needed([columns], ()).pairs
    table = moment_table(connection, relation, list(columns), pairs=pairs, arm="arm", stratum="stratum", phase="phase")
    parts = NO_PARTS if plan.clustered else parted(connection, plan, relation, [f"policy {key}" for key in known])
    numbers = "".join(f", {identifier(one)}::DOUBLE AS x{place}" for place, one in enumerate(covariates))
    listed = f"SELECT arm, stratum, cluster, value - cost AS net, propensity{numbers} FROM {relation} ORDER BY row"
    rows = connection.execute(listed if known else f"{listed} LIMIT 0").fetchnumpy()
    sums = None
    if plan.clustered:
        sums = cluster_sums(connection, relation, list(columns), "cluster", arm="arm", stratum="stratum")
    strata = sorted({cell.stratum for cell in table.cells})
    # a stratum's own name may hold anything, so the choices are counted from its end
    choices = {stratum: stratum.rsplit(chr(31), len(known))[1:] for stratum in strata}
    return Chosen(
        table,
        {key: {stratum: choices[stratum][place] for stratum in strata} for place, key in enumerate(known)},
        np.array(rows["arm"], dtype=str),
        np.array(rows["stratum"], dtype=str),
        np.array(rows["net"], dtype=np.float64),
        np.array(rows["propensity"], dtype=np.float64),
        np.array([rows[f"x{place}"] for place in range(len(covariates))], dtype=np.float64).T,
        sums,
        np.array(rows["cluster"], dtype=str) if plan.clustered else None,
        parts,
    )


def _assigned(connection: duckdb.DuckDBPyConnection, plan: Plan) -> list[Assigned]:
    """Every key that was randomized, mature or not."""
    source = (
        "(SELECT DISTINCT cluster, stratum, phase, arm, propensity FROM measured)" if plan.clustered else "measured"
    )
    found = connection.execute(
        f"SELECT stratum, phase, arm, count(*), sum(propensity) FROM {source} GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    return [Assigned(*row) for row in found]


def _families(
    connection: duckdb.DuckDBPyConnection,
    plan: Plan,
    columns: Mapping[str, tuple[str, ...]],
    covariates: tuple[str, ...],
) -> dict[str, Family]:
    """One aggregation for all families that every mature row belongs to, and one for each other."""
    relations = {
        key: f"(SELECT * FROM measured WHERE mature AND {identifier(of[0])} IS NOT NULL)" for key, of in columns.items()
    }
    counts = ", ".join(f"count(*) FILTER ({identifier(of[0])} IS NULL)" for of in columns.values())
    gaps = connection.execute(f"SELECT {counts or '0'} FROM measured WHERE mature").fetchall()[0]
    whole = [key for key, gap in zip(columns, gaps, strict=False) if not gap]
    together = "(SELECT * FROM measured WHERE mature)"
    served = [[columns[key] for key in whole]] if whole else []
    shared = [_aggregated(connection, plan, together, some, covariates) for some in served]
    # clusters and few rows are judged otherwise
    asymmetries = [
        _skews(connection, together, tuple(column for of in some for column in of))
        for some, (table, _) in zip(served, shared, strict=True)
        if not plan.clustered and not _few(table)
    ]
    families = {}
    cell = cell_of_cluster(connection, plan) if plan.clustered else ""
    for key, of in columns.items():
        table, segments = shared[0] if key in whole else _aggregated(connection, plan, relations[key], [of], covariates)
        few = not plan.clustered and _few(table)
        skews: Skews = {}
        if not few and not plan.clustered:
            skews = asymmetries[0] if key in whole else _skews(connection, relations[key], of)
        sums = None
        if plan.clustered:
            alike = f"(SELECT * REPLACE ({cell} AS stratum) FROM {relations[key]})"
            sums = cluster_sums(connection, alike, [*of, *covariates], "cluster", arm="arm", stratum="stratum")
        families[key] = Family(
            of,
            covariates,
            table,
            sums,
            segments,
            _rows(connection, relations[key], of) if few else None,
            skews,
        )
    return families


def _aggregated(
    connection: duckdb.DuckDBPyConnection,
    plan: Plan,
    relation: str,
    families: Iterable[tuple[str, ...]],
    covariates: tuple[str, ...],
) -> tuple[MomentTable, dict[str, dict[str, MomentTable]]]:
    """Moments that serve all these families, and those of every segment."""
    keys: dict[str, Any] = {"arm": "arm", "stratum": "stratum", "phase": "phase"}
    asked = list(families)
    outcomes = [column for of in asked for column in of]
    full, plain = (_needed(asked, known) for known in (covariates, ()))
    return (
        moment_table(connection, relation, [*outcomes, *covariates], pairs=full.pairs, **keys),
        {
            segment: segment_tables(connection, relation, outcomes, f"segment {segment}", pairs=plain.pairs, **keys)
            for segment in plan.segments
        },
    )


def _needed(families: Iterable[tuple[str, ...]], covariates: tuple[str, ...]) -> Needs:
    return union(of_mean(dict.fromkeys(columns, 1.0), covariates) for columns in families)


def _few(table: MomentTable) -> bool:
    sizes = [moments.n for arm in table.arms if (moments := table.of_arm(arm))]
    return bool(sizes) and min(sizes) < FEW_ROWS and sum(sizes) <= MANY_KEYS


def _rows(connection: duckdb.DuckDBPyConnection, relation: str, columns: tuple[str, ...]) -> Rows:
    wanted = ", ".join(f"{identifier(column)}::DOUBLE" for column in columns)
    found = connection.execute(f"SELECT arm, stratum, phase, {wanted} FROM {relation} ORDER BY row").fetchall()
    arm, stratum, phase, *values = zip(*found, strict=True)
    cells = [f"{len(one)} {one} {other}" for one, other in zip(stratum, phase, strict=True)]
    return Rows(
        np.array(arm, dtype=str),
        np.array(cells, dtype=str),
        {column: np.array(value, dtype=np.float64) for column, value in zip(columns, values, strict=True)},
    )


def _skews(connection: duckdb.DuckDBPyConnection, relation: str, columns: tuple[str, ...]) -> Skews:
    """Skewness of every column in each arm, around the means of its cells."""
    wanted = {column: f"{identifier(column)}::DOUBLE" for column in columns}
    if set(NET) <= set(columns):
        wanted["net"] = "value - cost"
    names = [f"x{place}" for place in range(len(wanted))]
    numbers = ", ".join(f"{number} AS {name}" for number, name in zip(wanted.values(), names, strict=True))
    means = ", ".join(f"avg({name}) AS m{name}" for name in names)
    apart = ", ".join(f"{name} - m{name} AS {name}" for name in names)
    powers = ", ".join(f"avg({name} * {name} * {name}), avg({name} * {name})" for name in names)
    found = connection.execute(
        f"WITH r AS MATERIALIZED (SELECT arm, stratum, phase, {numbers} FROM {relation}), "
        f"c AS (SELECT arm, stratum, phase, {means} FROM r GROUP BY ALL) "
        f"SELECT arm, {powers} FROM (SELECT arm, {apart} FROM r JOIN c USING (arm, stratum, phase)) "
        "GROUP BY arm ORDER BY arm"
    ).fetchall()
    skews: Skews = {column: {} for column in wanted}
    for arm, *sums in found:
        for place, column in enumerate(wanted):
            cube, square = sums[2 * place : 2 * place + 2]
            skews[column][arm] = cube / square**1.5 if square > 0 else 0.0
    return skews


def _fill_covariates(connection: duckdb.DuckDBPyConnection, plan: Plan) -> tuple[str, ...]:
    """Fill covariates that are missing with their mean, and add an indicator of having been missing."""
    names = []
    for covariate in (*plan.covariates, *(one.key for one in plan.earlier)):
        column = identifier(f"covariate {covariate}")
        [(missing, mean)] = connection.execute(
            f"SELECT count(*) FILTER ({column} IS NULL), avg({column}) FROM measured WHERE mature"
        ).fetchall()
        if mean is None:
            continue
        names.append(f"covariate {covariate}")
        if missing:
            indicator = f"missing {covariate}"
            connection.execute(f"ALTER TABLE measured ADD COLUMN {identifier(indicator)} DOUBLE")
            connection.execute(
                f"UPDATE measured SET {identifier(indicator)} = CASE WHEN {column} IS NULL THEN 1 ELSE 0 END, "
                f"{column} = coalesce({column}, {double(mean)})"
            )
            names.append(indicator)
    return tuple(names)
