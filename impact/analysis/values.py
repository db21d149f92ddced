"""From events to numbers: every row of a snapshot with its metrics, value and cost, each part on one thread."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb

from impact.agreements.plan import Plan, Term
from impact.analysis.freeze import DAY, microseconds
from impact.analysis.models import Snapshot
from impact.analysis.quoting import double, identifier, literal

PARTS_AT_ONCE = 2


def fill_values(connection: duckdb.DuckDBPyConnection, snapshot: Snapshot, plan: Plan, home: Path) -> None:
    """Make the table ``measured``: every row with its numbers, null where they are censored.

    The events of a unit lie in the part of its rows; so many parts are read at a time, and the result depends on
    none of it.
    """
    parts = sorted(path.name.removesuffix("-rows.parquet") for path in home.glob("*-rows.parquet"))

    def fill(table: str, caps: Mapping[str, float]) -> None:
        def fill_part(part: str) -> None:
            files = {name: literal(f"{home}/{part}-{name}.parquet") for name in ("rows", "outcomes", "costs")}
            connection.cursor().execute(f"CREATE TABLE {table}{part} AS {_valued(snapshot, plan, files, caps)}")

        with ThreadPoolExecutor(PARTS_AT_ONCE) as pool:
            list(pool.map(fill_part, parts))
        first, *others = parts
        connection.execute(f"ALTER TABLE {table}{first} RENAME TO {table}")
        for part in others:
            connection.execute(f"INSERT INTO {table} SELECT * FROM {table}{part}")
            connection.execute(f"DROP TABLE {table}{part}")

    caps: dict[str, float] = {}
    if any(term.cap for term in _terms(plan).values()):
        fill("uncapped", caps)
        caps = _caps(connection, plan)
        connection.execute("DROP TABLE uncapped")
    fill("measured", caps)


def _terms(plan: Plan) -> dict[str, Term]:
    """Every term by the name that its number has; a ratio's denominator has one of its own."""
    terms = {f"metric {metric.key}": metric.term for metric in plan.metrics}
    terms |= {f"per {metric.key}": metric.per for metric in plan.metrics if metric.per}
    return terms | {f"value {place}": term for place, term in enumerate(plan.net.value if plan.net else [])}


def _caps(connection: duckdb.DuckDBPyConnection, plan: Plan) -> dict[str, float]:
    """Quantile of all mature rows' numbers, whatever their arm, for every term that is capped."""
    found = {}
    for name, term in _terms(plan).items():
        if term.cap:
            [(cap,)] = connection.execute(
                f"SELECT quantile_cont({identifier(name)}, {double(term.cap)}) FROM uncapped WHERE mature"
            ).fetchall()
            if cap is not None:
                found[name] = cap + 0.0
    return found


def _valued(snapshot: Snapshot, plan: Plan, files: dict[str, str], caps: Mapping[str, float]) -> str:
    """The query of a part's rows with their numbers, in the order in which they are frozen."""
    # a number groups faster than a name
    rows = f"(SELECT * RENAME (file_row_number AS n) FROM read_parquet({files['rows']}, file_row_number = true))"
    terms = _terms(plan)
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
    widest = max([_window(term, plan) for term in terms.values()], default=1)
    with_events = (
        f"WITH happened AS (SELECT r.n{sums} FROM {rows} r LEFT JOIN read_parquet({files['outcomes']}) o "
        f"ON o.unit = r.unit AND o.at >= r.opened_at AND o.at < r.opened_at + {widest} GROUP BY r.n)"
    )
    joined = f"{rows} r JOIN happened h USING (n)"
    if plan.net:
        columns += _money(plan, numbers)
        with_events += (
            f", spent AS (SELECT r.n, sum(c.value) AS cost, sum(c.value) FILTER (WHERE c.estimated) AS estimated "
            f"FROM {rows} r LEFT JOIN read_parquet({files['costs']}) c "
            f"ON c.unit = r.unit AND c.at >= r.opened_at AND c.at < r.opened_at + {_horizon(plan)} GROUP BY r.n)"
        )
        joined += " JOIN spent s USING (n)"
    if plan.earlier:
        columns += [
            f"coalesce(e.e{place}::DOUBLE, 0) AS {identifier(f'covariate {one.key}')}"
            for place, one in enumerate(plan.earlier)
        ]
        with_events += f", earlier AS ({_earlier(plan, rows, files['outcomes'])})"
        joined += " JOIN earlier e USING (n)"
    return f"{with_events} SELECT r.* EXCLUDE (n), {', '.join(columns)} FROM {joined} ORDER BY r.n"


def _earlier(plan: Plan, rows: str, outcomes: str) -> str:
    """The query of what had happened to every row's unit before the row's window opened."""
    how = {"any": "bool_or(o.value <> 0)", "sum": "sum(o.value)", "count": "count(o.value)"}
    found = "".join(
        f", {how[one.aggregate]} FILTER (WHERE o.type = {literal(one.outcome)} "
        f"AND o.at >= r.opened_at - {round(one.days * DAY)}) AS e{place}"
        for place, one in enumerate(plan.earlier)
    )
    joined = f"{rows} r LEFT JOIN read_parquet({outcomes}) o ON o.unit = r.unit AND o.at < r.opened_at"
    return f"SELECT r.n{found} FROM {joined} GROUP BY r.n"


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
    inside = f"FILTER (WHERE o.type = {literal(term.outcome)} AND o.at < r.opened_at + {_window(term, plan)})"
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
            return f"arg_max(o.value, o.at) {inside}"


def _number(term: Term, name: str, plan: Plan, complete_until: int | None, cap: float | None) -> str:
    """The term's number where its window is known to be complete, else null."""
    if complete_until is None:
        return "NULL::DOUBLE"
    default = "NULL" if term.default is None else double(term.default)
    closed = f"r.opened_at + {_window(term, plan)} <= {complete_until}"
    number = f"coalesce(h.{name}::DOUBLE, {default})"
    if cap is not None:
        number = f"CASE WHEN {number} > {double(cap)} THEN {double(cap)} ELSE {number} END"
    return f"CASE WHEN {closed} THEN {number} END"


def _together(name: str, numbers: Mapping[str, str]) -> str:
    """A number, and of a ratio's numerator only where there is a denominator."""
    below = numbers.get(name.replace("metric ", "per ", 1)) if name.startswith("metric ") else None
    return f"CASE WHEN ({below}) IS NOT NULL THEN {numbers[name]} END" if below else numbers[name]


def _window(term: Term, plan: Plan) -> int:
    return _horizon(plan) if term.window_days is None else round(term.window_days * DAY)


def _horizon(plan: Plan) -> int:
    # a loaded experiment is one instant
    return max(1, round(plan.horizon_days * DAY))
