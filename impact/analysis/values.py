"""From events to numbers: every row of a snapshot with its metrics, value and cost, each part on one thread."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb

from impact.agreements.plan import Plan, Term
from impact.analysis.dated import dated, fill_months
from impact.analysis.frozen import frozen
from impact.analysis.instants import DAY, microseconds
from impact.analysis.models import Snapshot
from impact.analysis.quoting import double, identifier, literal
from impact.analysis.stretches import SHIFT, between, part_tables, terms_of, window

ROWS_A_PART = 250_000
PARTS_AT_ONCE = 2


def fill_values(connection: duckdb.DuckDBPyConnection, snapshot: Snapshot, plan: Plan, home: Path) -> bool:
    """Make the table ``measured``: every row with its numbers, null where they are censored.

    So many parts are read at a time, and the result depends neither on that nor on the files that they come from.
    ``events`` tells how many events lie in windows, ``spent`` how many rows of an arm have a cost of a category, and
    ``dated``, if there are dates and prices, which is returned, what came in which month.
    """
    caps: dict[str, float] = {}
    if any(term.cap for term in terms_of(plan).values()):
        _fill(connection, snapshot, plan, home, caps)
        caps = _caps(connection, plan)
        for name in ("measured", "events", "spent", "dated", "months"):
            connection.execute(f"DROP TABLE IF EXISTS {name}")
    return _fill(connection, snapshot, plan, home, caps)


def _fill(
    connection: duckdb.DuckDBPyConnection, snapshot: Snapshot, plan: Plan, home: Path, caps: Mapping[str, float]
) -> bool:
    parts = max(1, -(-snapshot.manifest["tables"]["rows"]["rows"] // ROWS_A_PART))
    tables = {name: frozen(snapshot.manifest, name, plan, home) for name in ("rows", "executions", "outcomes", "costs")}
    dates = fill_months(connection, plan, snapshot.manifest, home)

    def fill(part: int) -> list[str]:
        made = {"measured": _valued(snapshot, plan, caps, part), "events": _EVENTS, "spent": _SPENT}
        if dates:
            made["dated"] = dated(f"measured{part}")
        with connection.cursor() as cursor:
            for statement in part_tables(plan, tables, between(part, parts)):
                cursor.execute(statement)
            for name, query in made.items():
                cursor.execute(f"CREATE TABLE {name}{part} AS {query}")
        return list(made)

    with ThreadPoolExecutor(PARTS_AT_ONCE) as pool:
        for part, made in enumerate(pool.map(fill, range(parts))):
            for name in made:
                if part:
                    connection.execute(f"INSERT INTO {name} SELECT * FROM {name}{part}; DROP TABLE {name}{part}")
                else:
                    connection.execute(f"ALTER TABLE {name}{part} RENAME TO {name}")
    return dates


_EVENTS = "SELECT (SELECT count(*) FROM outcomes) AS outcomes, (SELECT count(*) FROM costs) AS costs"
_SPENT = "SELECT category, arm, count(DISTINCT n) AS rows FROM costs c JOIN rows r ON r.rowid = c.n GROUP BY ALL"


def _caps(connection: duckdb.DuckDBPyConnection, plan: Plan) -> dict[str, float]:
    """Quantile of all mature rows' numbers, whatever their arm, for every term that is capped."""
    found = {}
    for name, term in terms_of(plan).items():
        if term.cap:
            [(cap,)] = connection.execute(
                f"SELECT quantile_cont({identifier(name)}, {double(term.cap)}) FROM measured WHERE mature"
            ).fetchall()
            if cap is not None:
                found[name] = cap + 0.0
    return found


def _valued(snapshot: Snapshot, plan: Plan, caps: Mapping[str, float], part: int) -> str:
    """The query of a part's rows with their numbers, in the order of their pseudonyms, which a number stands for."""
    terms = terms_of(plan)
    names = {key: f"t{place}" for place, key in enumerate(terms)}
    numbers = {
        key: _number(term, names[key], plan, snapshot.manifest["feeds"][term.outcome], caps.get(key))
        for key, term in terms.items()
    }
    columns = [f"r.matures_at <= {microseconds(snapshot.as_of)} AS mature"]
    columns += [
        f"{_together(name, numbers)} AS {identifier(name)}"
        for name, term in terms.items()
        if term.cap or not name.startswith("value ")
    ]
    sums = "".join(f", {_aggregate(term, plan)} AS {names[key]}" for key, term in terms.items())
    with_events = f"WITH happened AS (SELECT n{sums} FROM outcomes o GROUP BY n)"
    joined = "rows r LEFT JOIN happened h ON h.n = r.rowid"
    if plan.net:
        columns += _money(plan, numbers)
        with_events += (
            ", spent AS (SELECT n, sum(value) AS cost, sum(value) FILTER (WHERE estimated) AS estimated "
            "FROM costs GROUP BY n)"
        )
        joined += " LEFT JOIN spent s ON s.n = r.rowid"
    if plan.earlier:
        columns += [
            f"coalesce(e.e{place}::DOUBLE, 0) AS {identifier(f'covariate {one.key}')}"
            for place, one in enumerate(plan.earlier)
        ]
        with_events += f", before AS ({_earlier(plan)})"
        joined += " LEFT JOIN before e ON e.n = r.rowid"
    place = f"r.* EXCLUDE (unit) REPLACE ({part << SHIFT} + r.rowid AS row)"
    return f"{with_events} SELECT {place}, {', '.join(columns)} FROM {joined} ORDER BY r.rowid"


def _earlier(plan: Plan) -> str:
    """The query of what had happened to a row's unit before the row's window opened."""
    how = {"any": "bool_or(o.value <> 0)", "sum": "sum(o.value)", "count": "count(o.value)"}
    found = "".join(
        f", {how[one.aggregate]} FILTER (WHERE o.type = {literal(one.outcome)} "
        f"AND o.apart < {round(one.days * DAY)}) AS e{place}"
        for place, one in enumerate(plan.earlier)
    )
    return f"SELECT o.n{found} FROM earlier o GROUP BY o.n"


def _money(plan: Plan, numbers: dict[str, str]) -> Iterator[str]:
    """Columns of value, of the parts of it that assumptions are in, and of cost."""
    assert plan.net is not None
    worth = [
        (term.assumption, f"({numbers[f'value {place}']}) * {double(term.times)}")
        for place, term in enumerate(plan.net.value)
    ]
    yield f"{' + '.join(one for _, one in worth) or '0.0'} AS value"
    # where nobody logged what an action cost, what was planned stands in
    yield "coalesce(s.cost, r.planned_cost) AS cost"
    for key, column in plan.assumed.items():
        if column != "value":
            yield f"{' + '.join(one for assumption, one in worth if assumption == key)} AS {identifier(column)}"
    yield "CASE WHEN s.cost IS NULL THEN r.planned_cost ELSE coalesce(s.estimated, 0) END AS estimated_cost"


def _aggregate(term: Term, plan: Plan) -> str:
    inside = f"FILTER (WHERE o.type = {literal(term.outcome)} AND o.apart < {window(term, plan)})"
    match term.aggregate:
        case "any":
            return f"bool_or(o.value <> 0) {inside}"
        case "none":
            return f"NOT coalesce(bool_or(o.value <> 0) {inside}, false)"
        case "sum":
            return f"sum(o.value) {inside}"
        case "count":
            return f"nullif(count(o.value) {inside}, 0)"
        case "last":
            return f"arg_max(o.value, o.apart) {inside}"


def _number(term: Term, name: str, plan: Plan, complete_until: int | None, cap: float | None) -> str:
    """The term's number where its window is known to be complete, else null."""
    if complete_until is None:
        return "NULL::DOUBLE"
    without_events = 1.0 if term.aggregate == "none" else term.default
    default = "NULL" if without_events is None else double(without_events)
    closed = f"r.opened_at + {window(term, plan)} <= {complete_until}"
    number = f"coalesce(h.{name}::DOUBLE, {default})"
    if cap is not None:
        number = f"CASE WHEN {number} > {double(cap)} THEN {double(cap)} ELSE {number} END"
    return f"CASE WHEN {closed} THEN {number} END"


def _together(name: str, numbers: Mapping[str, str]) -> str:
    """A number, and of a ratio's numerator only where there is a denominator."""
    below = numbers.get(name.replace("metric ", "per ", 1)) if name.startswith("metric ") else None
    return f"CASE WHEN ({below}) IS NOT NULL THEN {numbers[name]} END" if below else numbers[name]
