"""Stretches of units, each with all its events, whichever files those are in, in one order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from impact.agreements.plan import Plan, Term
from impact.analysis.instants import DAY

# a row's number is its part's, shifted so far, and its place in the part
SHIFT = 32
PLACE = (1 << SHIFT) - 1


def between(part: int, parts: int) -> str:
    """Say which units a part has, by the first digits of their pseudonyms."""
    ends = [-(-place * (1 << 32) // parts) for place in (part, part + 1)]
    last = "" if part + 1 == parts else f" AND unit < '{ends[1]:08x}'"
    return f"unit >= '{ends[0]:08x}'{last}"


def part_tables(plan: Plan, tables: Mapping[str, str], units: str) -> Iterator[str]:
    """Yield what makes a part's own tables: rows, events in windows, and events before them.

    All are sorted by all their columns, so that sums come out the same from any files. A number groups faster than
    a name: rows are known by their place.
    """
    done = (
        "SELECT row, arg_max(done, place) AS done, arg_max(did, place) AS did, arg_max(otherwise, place) AS otherwise "
        f"FROM {tables['executions']} GROUP BY row"
    )
    yield (
        "CREATE OR REPLACE TEMPORARY TABLE rows AS SELECT r.*, coalesce(d.done, '') AS done, "
        "coalesce(d.did, '') AS did, coalesce(d.otherwise, false) AS otherwise "
        f"FROM (SELECT * FROM {tables['rows']} WHERE {units}) r LEFT JOIN ({done}) d USING (row) ORDER BY r.row"
    )
    outcomes, costs = (f"(SELECT * FROM {tables[name]} WHERE {units})" for name in ("outcomes", "costs"))
    widest = max([window(term, plan) for term in terms_of(plan).values()], default=1)
    yield _events("outcomes", "o.type, o.value", outcomes, "o.at - r.opened_at", widest)
    yield _events("costs", "o.category, o.value, o.estimated", costs, "o.at - r.opened_at", horizon(plan))
    if plan.earlier:
        longest = max(round(one.days * DAY) for one in plan.earlier)
        # from one microsecond before on
        yield _events("earlier", "o.type, o.value", outcomes, "r.opened_at - o.at - 1", longest)


def _events(name: str, columns: str, source: str, apart: str, width: int) -> str:
    return (
        f"CREATE OR REPLACE TEMPORARY TABLE {name} AS SELECT r.rowid AS n, {apart} AS apart, {columns} "
        f"FROM rows r JOIN {source} o ON o.unit = r.unit AND {apart} >= 0 AND {apart} < {width} ORDER BY ALL"
    )


def terms_of(plan: Plan) -> dict[str, Term]:
    """Every term by the name that its number has; a ratio's denominator has one of its own."""
    terms = {f"metric {metric.key}": metric.term for metric in plan.metrics}
    terms |= {f"per {metric.key}": metric.per for metric in plan.metrics if metric.per}
    return terms | {f"value {place}": term for place, term in enumerate(plan.net.value if plan.net else [])}


def window(term: Term, plan: Plan) -> int:
    return horizon(plan) if term.window_days is None else round(term.window_days * DAY)


def horizon(plan: Plan) -> int:
    # a loaded experiment is one instant
    return max(1, round(plan.horizon_days * DAY))
