"""From one Parquet file to estimates, beside tea-tasting: part of ``manage.py bench analyze``."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import duckdb
import numpy as np
import tea_tasting

from impact.analysis.moments import moments_of_parts
from impact.stats.adjustment import cuped, lin
from impact.stats.effects import TEffect, difference
from impact.stats.lift import lift
from impact.stats.moments import MomentTable
from impact.stats.roi import roi, stratified
from tests.bench.rows import Row, seconds

METRICS = ["retained", "spend", "cost", "visits", "minutes"]
COVARIATE = "before"
ARMS = ["none", "bonus", "credit"]
SIZES = (1_000_000, 10_000_000)


def write(path: Path, rows: int) -> None:
    """Customers with what they did before, in three arms: whole cents, many zeros, small counts."""
    duckdb.connect(config={"threads": 1}).execute(
        f"""
        copy (
            with drawn as (
                select hash(i) % 3 as arm, {uniform(1)} as a, {uniform(2)} as b, {uniform(3)} as c
                from range({rows}) as rows(i)
            )
            select case arm when 0 then 'none' when 1 then 'bonus' else 'credit' end as arm,
                round(-40 * ln(1 - a), 2) as before,
                (b < 0.8 + arm / 100)::int::double as retained,
                case when c < 0.3 then round(-25 * ln(c / 0.3 + 1e-9) + a * 10, 2) else 0 end as spend,
                (case when b < 0.4 then arm * 8.5 else arm * 1.0 end + 0.5)::double as cost,
                floor(-3 * ln(1 - c) + 2 * a) as visits,
                round(30 + 20 * a + 15 * b, 1) as minutes
            from drawn
        ) to '{path}' (format parquet)
        """
    )


def uniform(stream: int) -> str:
    return f"hash(i + {stream}000000000000) / 18446744073709551616"


def ours(connection: duckdb.DuckDBPyConnection, path: Path, workers: int = 2) -> MomentTable:
    parts = row_groups(connection, path, workers) if workers > 1 else [f"read_parquet('{path}')"]
    pairs = [(COVARIATE, metric) for metric in METRICS]
    return moments_of_parts(connection, parts, [COVARIATE, *METRICS], pairs=pairs, workers=workers)


def by_hand(connection: duckdb.DuckDBPyConnection, path: Path) -> list[tuple]:
    """The least that SQL can do, on all threads: sums of squares that cancel, and bytes that differ each time."""
    columns = [COVARIATE, *METRICS]
    sums = [f"sum({c}), sum({c} * {c})" for c in columns] + [f"sum({COVARIATE} * {metric})" for metric in METRICS]
    return connection.execute(f"select arm, count(*), {', '.join(sums)} from '{path}' group by arm").fetchall()


def row_groups(connection: duckdb.DuckDBPyConnection, path: Path, parts: int) -> list[str]:
    """Relations that split the file at its row groups."""
    found = connection.execute(
        f"select distinct row_group_id, row_group_num_rows from parquet_metadata('{path}') order by 1"
    ).fetchall()
    ends = np.cumsum([rows for _, rows in found])
    cuts = [0, *(int(chunk[-1]) for chunk in np.array_split(ends, min(parts, len(ends))))]
    rows = f"select * from read_parquet('{path}', file_row_number = true) where file_row_number"
    return [f"({rows} >= {start} and file_row_number < {end})" for start, end in pairwise(cuts)]


def our_estimates(table: MomentTable) -> dict[tuple[str, str], TEffect]:
    """Adjusted by one slope over the two arms that are compared, as the peer's are."""
    found = {}
    for arm in ARMS[1:]:
        pair = MomentTable(
            table.columns, table.origin, {cell: m for cell, m in table.cells.items() if cell.arm in (arm, "none")}
        )
        for metric in METRICS:
            effect = cuped(pair, {metric: 1.0}, [COVARIATE], arm, "none")
            assert isinstance(effect, TEffect)
            found[arm, metric] = effect
    return found


def peers(path: Path) -> dict[str, Callable[[], dict[str, object]]]:
    """tea-tasting on DuckDB's own relation, and through Ibis where that can be imported."""
    experiment = tea_tasting.Experiment({m: tea_tasting.Mean(m, COVARIATE) for m in METRICS}, variant="arm")

    def analyse(data: object) -> dict[str, object]:
        return experiment.analyze(data, control="none", all_variants=True)  # type: ignore[arg-type,return-value]

    def by_relation() -> dict[str, object]:
        return analyse(duckdb.connect().read_parquet(str(path)))

    found = {"tea-tasting, DuckDB relation": by_relation}
    try:
        import ibis
        import ibis.formats.pyarrow  # which needs a package of its own
    except ImportError:
        return found
    connection = ibis.duckdb.connect()
    found["tea-tasting, Ibis"] = lambda: analyse(connection.read_parquet(str(path)))
    return found


def largest_gap(estimates: dict[tuple[str, str], TEffect], theirs: dict[str, object]) -> float:
    """Largest difference in effect, standard error (both in standard errors) and p."""
    gaps = []
    for (arm, metric), effect in estimates.items():
        other = theirs["none", arm][metric]  # type: ignore[index]
        se = (other.effect_size_ci_upper - other.effect_size) / effect.quantile(0.95)
        gaps += [abs(effect.estimate - other.effect_size) / se, abs(effect.se / se - 1)]
        gaps.append(abs(effect.p_value() - other.pvalue))
    return float(max(gaps))


def tables_of_segments(segments: int = 20, rows: int = 3_000) -> list[MomentTable]:
    rng = np.random.default_rng(0)
    names = (*METRICS, "value", COVARIATE)
    return [
        MomentTable.from_arrays({name: rng.gamma(2, 10, rows) for name in names}, rng.choice(ARMS, rows))
        for _ in range(segments)
    ]


def every_estimate(tables: list[MomentTable]) -> None:
    """All that moments suffice for: difference, lift and adjusted figure of each metric, and the ROI."""
    for table in tables:
        for arm in ARMS[1:]:
            for metric in METRICS:
                effect = difference(table, {metric: 1.0}, arm, "none")
                adjusted = lin(table, {metric: 1.0}, [COVARIATE], arm, "none")
                assert isinstance(effect, TEffect) and isinstance(adjusted, TEffect)
                for one in (effect, adjusted):
                    one.interval(0.95), one.p_value(), one.chance_above()
                lift(table, {metric: 1.0}, arm, "none", effect, 0.95)
            roi(stratified(table, arm, "none"), 0.95)


def rows(sizes: Sequence[int] = SIZES) -> Iterator[Row]:
    for number in sizes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "rows.parquet"
            write(path, number)
            yield from compare(path, number)


def compare(path: Path, number: int, rounds: int = 7) -> Iterator[Row]:
    """The fastest of some rounds, taken in turns so that whatever else the machine does is shared."""
    theirs, connection = peers(path), duckdb.connect()
    runs: dict[str, Callable[[], object]] = {
        "one thread": lambda: our_estimates(ours(connection, path, 1)),
        "two parts at a time": lambda: our_estimates(ours(connection, path, 2)),
        "sums by hand": lambda: by_hand(connection, path),
        **theirs,
    }
    fastest = dict.fromkeys(runs, float("inf"))
    for _ in range(rounds):
        fastest = {name: min(fastest[name], seconds(run)) for name, run in runs.items()}
    least = min(fastest["one thread"], fastest["two parts at a time"])
    mine = our_estimates(ours(connection, path))
    yield Row(f"one wide file of {number:,}, sums by hand", least, "s", fastest["sums by hand"], "<= 1.5")
    for name, run in theirs.items():
        yield Row(f"one wide file of {number:,}, {name}", 1 / least, "files/s", 1 / fastest[name], ">= 3")
        yield Row(f"one wide file of {number:,}, gap to it", largest_gap(mine, run()), "SE", None, "<= 1e-9")
