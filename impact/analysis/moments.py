"""Rows that DuckDB can read -> the moments and cluster sums that every estimate is made from."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import reduce
from typing import Any, NamedTuple

import numpy as np
from duckdb import DuckDBPyConnection
from numpy.typing import NDArray

from impact.analysis.quoting import double, identifier, literal
from impact.stats.clusters import ClusterSums
from impact.stats.moments import Cell, Moments, MomentTable

# beyond this ratio of squared mean to variance, sums of squares lose digits that matter
OFFSET = 100.0

Array = NDArray[np.float64]
Key = tuple[str, ...]
Pairs = Collection[tuple[str, str]] | None


class _Rows(NamedTuple):
    """What is read: parts of the rows, the numeric columns, the key columns, and which products are summed."""

    connection: DuckDBPyConnection
    parts: Sequence[str]
    columns: tuple[str, ...]
    keys: tuple[str | None, ...]
    pairs: list[tuple[int, int]]
    workers: int = 1


def moment_table(
    connection: DuckDBPyConnection,
    relation: str,
    columns: Sequence[str],
    *,
    arm: str = "arm",
    stratum: str | None = None,
    phase: str | None = None,
    pairs: Pairs = None,
) -> MomentTable:
    """Aggregate rows on one thread, so that the same rows in the same order give the same bytes.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Its ``threads`` are 1 meanwhile.
    relation : str
        What may follow FROM: a table, a view, ``read_parquet('...')``; never text from outside.
    columns : sequence of str
        Numeric columns, without missing values.
    arm, stratum, phase : str
        Columns that the cells are made of.
    pairs : collection of pairs of columns, optional
        The co-moments that are needed (variances always are); the others are nan. All by default.

    Raises
    ------
    ValueError
        A row has no arm, or a value that is missing or not finite.

    Notes
    -----
    One pass. Columns whose means are large against their spread are looked at once more: a constant has
    variance 0 exactly, and other cells are read again around their own means, so that nothing cancels.
    """
    return moments_of_parts(
        connection, [relation], columns, arm=arm, stratum=stratum, phase=phase, pairs=pairs, workers=1
    )


def moments_of_parts(
    connection: DuckDBPyConnection,
    parts: Sequence[str],
    columns: Sequence[str],
    *,
    arm: str = "arm",
    stratum: str | None = None,
    phase: str | None = None,
    pairs: Pairs = None,
    workers: int = 2,
) -> MomentTable:
    """Aggregate parts at the same time, each on one thread, and merge them in their order.

    Parameters
    ----------
    parts : sequence of str
        Relations, which together are all the rows.
    workers : int
        Parts at a time; the result doesn't depend on it.
    """
    keys = (None, arm, stratum, phase)
    rows = _Rows(connection, parts, tuple(columns), keys, _positions(columns, pairs), workers)
    return _tables(rows).get("", MomentTable(tuple(columns), np.zeros(len(columns)), {}))


def segment_tables(
    connection: DuckDBPyConnection,
    relation: str,
    columns: Sequence[str],
    segment: str,
    *,
    arm: str = "arm",
    stratum: str | None = None,
    phase: str | None = None,
    pairs: Pairs = None,
) -> dict[str, MomentTable]:
    """Aggregate every segment in one pass: value of the column ``segment`` -> table of its rows."""
    keys = (segment, arm, stratum, phase)
    return _tables(_Rows(connection, [relation], tuple(columns), keys, _positions(columns, pairs)))


def cluster_sums(
    connection: DuckDBPyConnection,
    relation: str,
    columns: Sequence[str],
    cluster: str,
    *,
    arm: str = "arm",
    stratum: str | None = None,
) -> ClusterSums:
    """Aggregate rows to one entry for each arm, stratum and cluster, on one thread.

    Parameters and errors are those of ``moment_table``; ``cluster`` is the column that says which rows
    belong together.
    """
    rows = _Rows(connection, [relation], tuple(columns), (cluster, arm, stratum), [])
    k = len(columns)
    ends = ", ".join(f"avg({x}), min({x}), max({x})" for x in map(_double, columns))
    mean, low, high = (
        np.array(_read(rows, lambda part: f"select {ends} from {part}")[0][0], dtype=np.float64).reshape(k, 3).T
    )
    # a constant's mean can differ from it by a rounding, which would look like a variance
    origin = np.nan_to_num(np.where(low == high, low, mean))
    found = _grouped(rows, [f"sum(c{i} - {double(o)})" for i, o in enumerate(origin)])[0]
    labels = np.array([row[:3] for row in found], dtype=str).reshape(len(found), 3)
    values = np.array([row[3:] for row in found], dtype=np.float64).reshape(len(found), k + 1)
    return ClusterSums(rows.columns, origin, labels[:, 1], labels[:, 2], labels[:, 0], values[:, 0], values[:, 1:])


def _tables(rows: _Rows) -> dict[str, MomentTable]:
    k = len(rows.columns)
    sums = [f"sum(c{i})" for i in range(k)] + [f"sum(c{i} * c{j})" for i, j in rows.pairs]
    cells = _cells(rows, _grouped(rows, sums))
    if not cells:
        return {}
    total = reduce(Moments.__add__, cells.values())
    origin = np.where(_cancels(total), total.mean, 0.0)
    constants = _constants(rows, {key: _cancels(moments) for key, moments in cells.items()})
    cells = {key: _held(moments, constants[key]) for key, moments in cells.items()}
    shifts = {
        key: moments.mean for key, moments in cells.items() if (_cancels(moments) & np.isnan(constants[key])).any()
    }
    around = _cells(rows, _grouped(rows, sums, shifts)) if shifts else {}
    tables: dict[str, dict[Cell, Moments]] = {}
    for key, moments in cells.items():
        mean = moments.mean - origin
        if key in around:
            moments = _held(around[key], constants[key] - shifts[key])
            mean = shifts[key] - origin + moments.mean
        tables.setdefault(key[0], {})[Cell(*key[1:])] = Moments(moments.n, mean, moments.comoments)
    return {segment: MomentTable(rows.columns, origin, found) for segment, found in tables.items()}


def _constants(rows: _Rows, doubtful: Mapping[Key, NDArray[np.bool_]]) -> dict[Key, Array]:
    """Value of each doubtful column that is constant in a cell, by its ends; nan for the others."""
    found = {key: np.full(len(rows.columns), np.nan) for key in doubtful}
    at = np.flatnonzero(np.any(list(doubtful.values()), axis=0))
    if not at.size:
        return found
    few = rows._replace(columns=tuple(rows.columns[i] for i in at))
    ends: dict[Key, Array] = {}
    for part in _grouped(few, [f"{end}(c{i})" for end in ("min", "-max") for i in range(at.size)]):
        for row in part:
            one = np.array(row[5:], dtype=np.float64)
            ends[row[:4]] = np.minimum(ends.get(row[:4], one), one)
    for key, one in ends.items():
        low, high = one[: at.size], -one[at.size :]
        found[key][at] = np.where(low == high, low, np.nan)
    return found


def _held(moments: Moments, constants: Array) -> Moments:
    """Moments with the constant columns at their values, without what rounding says of their spread."""
    constant = ~np.isnan(constants)
    comoments = moments.comoments.copy()
    comoments[constant] = comoments[:, constant] = 0.0
    return Moments(moments.n, np.where(constant, constants, moments.mean), comoments)


def _cells(rows: _Rows, parts: Sequence[list[Any]]) -> dict[Key, Moments]:
    """Key -> moments relative to what was subtracted, merged over the parts in their order."""
    k, cells = len(rows.columns), dict[Key, Moments]()
    left, right = np.array(rows.pairs, dtype=int).reshape(-1, 2).T
    for row in (row for part in parts for row in part):
        key, n, sums = row[:4], row[4], np.array(row[5:], dtype=np.float64)
        mean = sums[:k] / n
        comoments = np.full((k, k), np.nan)
        comoments[left, right] = comoments[right, left] = sums[k:] - n * mean[left] * mean[right]
        moments = Moments(n, mean, comoments)
        cells[key] = cells[key] + moments if key in cells else moments
    return dict(sorted(cells.items()))


def _cancels(moments: Moments) -> NDArray[np.bool_]:
    return moments.n * moments.mean**2 > OFFSET * moments.comoments.diagonal()


def _grouped(rows: _Rows, sums: Sequence[str], shifts: Mapping[Key, Array] | None = None) -> list[list[Any]]:
    """Keys, number of rows and these sums over c0, c1 ... for each part.

    With shifts, only their keys, and every column around the shift of its key.
    """
    labels = {f"k{i}": key for i, key in enumerate(rows.keys) if key is not None}
    names = [f"c{i}" for i in range(len(rows.columns))]
    numbers = ", ".join(
        f"{identifier(column)}::double as {name}" for column, name in zip(rows.columns, names, strict=True)
    )
    by, around = ", ".join(labels), ""
    # keys as they are group faster, but the shifts are found by their text
    keys = ", ".join(f"{_label(key) if shifts else identifier(key)} as {label}" for label, key in labels.items())
    moved = ", ".join(names)
    if shifts:
        used = [i for i, key in enumerate(rows.keys) if key is not None]
        values = [[*(literal(key[i]) for i in used), *map(double, shift)] for key, shift in shifts.items()]
        moved = ", ".join(f"{name} - s{name} as {name}" for name in names)
        table = ", ".join(f"({', '.join(value)})" for value in values)
        around = f"join (values {table}) as shift({by}, {', '.join('s' + name for name in names)}) using ({by})"
    shown = ", ".join(f"coalesce(k{i}::varchar, '')" if key else "''" for i, key in enumerate(rows.keys))

    counts = ", ".join(f"count({name})" for name in names)

    def query(part: str) -> str:
        source = f"(select {by}, {moved} from (select {keys}, {numbers} from {part}) {around})"
        summed = f"select {by}, count(*), {', '.join(sums)}, {counts} from {source} group by {by}"
        return f"select {shown}, * exclude ({by}) from ({summed}) order by all"

    return [[_checked(rows, row) for row in part] for part in _read(rows, query)]


def _read(rows: _Rows, query: Callable[[str], str]) -> list[list[Any]]:
    """Answers of the query over each part, the parts in their order, each on one thread."""

    def answer(part: str) -> list[Any]:
        # a cursor sees no temporary tables, so one part stays on the connection itself
        connection = rows.connection.cursor() if rows.workers > 1 else rows.connection
        return connection.execute(query(part)).fetchall()

    [[threads]] = rows.connection.execute("select current_setting('threads')").fetchall()
    rows.connection.execute("set threads = 1")
    try:
        with ThreadPoolExecutor(rows.workers) as pool:
            return list(pool.map(answer, rows.parts))
    finally:
        rows.connection.execute(f"set threads = {threads}")


def _checked(rows: _Rows, row: Any) -> Any:
    """Return a row of ``_grouped`` without its counts of values, which have told that nothing is missing."""
    at, k = len(rows.keys), len(rows.columns)
    if not row[1]:
        raise ValueError(f"{row[at]} rows have no {rows.keys[1]}")
    missing = [f"{row[at] - n} in {name!r}" for name, n in zip(rows.columns, row[-k:], strict=True) if n < row[at]]
    if missing:
        raise ValueError(f"values are missing: {', '.join(missing)}, arm {row[1]!r}")
    if not np.isfinite(row[at + 1 : -k]).all():
        raise ValueError(f"a value is not a finite number in one of {', '.join(rows.columns)}, arm {row[1]!r}")
    return row[:-k]


def _positions(columns: Sequence[str], pairs: Pairs) -> list[tuple[int, int]]:
    at = {column: position for position, column in enumerate(columns)}
    if pairs is None:
        return [(i, j) for i in at.values() for j in at.values() if i <= j]
    crossed = {(min(at[left], at[right]), max(at[left], at[right])) for left, right in pairs}
    return sorted(crossed | {(i, i) for i in at.values()})


def _label(column: str | None) -> str:
    return "''" if column is None else f"coalesce({identifier(column)}::varchar, '')"


def _double(column: str) -> str:
    return f"{identifier(column)}::double"
