"""From one Parquet file to estimates, beside tea-tasting: ``python -m tests.bench.stats [rows ...]``."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
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

METRICS = ["retained", "spend", "cost", "visits", "minutes"]
COVARIATE = "before"
ARMS = ["none", "bonus", "credit"]


def write(path: Path, rows: int) -> None:
    """Customers with what they did before, in three arms: whole cents, many zeros, small counts."""
    duckdb.connect(config={"threads": 1}).execute(
        f"""
        copy (
            with drawn as (
                select hash(i) % 3 as arm, {_uniform(1)} as a, {_uniform(2)} as b, {_uniform(3)} as c
                from range({rows}) as rows(i)
            )
            select case arm when 0 then 'none' when 1 then 'bonus' else 'credit' end as arm,
                round(-40 * ln(1 - a), 2) as before,
                (b < 0.8 + arm / 100)::int::double as retained,
                case when c < 0.3 then round(-25 * ln(c / 0.3 + 1e-9) + a * 10, 2) else 0 end as spend,
                case when b < 0.4 then arm * 8.5 else arm * 1.0 end + 0.5 as cost,
                floor(-3 * ln(1 - c) + 2 * a) as visits,
                round(30 + 20 * a + 15 * b, 1) as minutes
            from drawn
        ) to '{path}' (format parquet)
        """
    )


def _uniform(stream: int) -> str:
    return f"hash(i + {stream}000000000000) / 18446744073709551616"


def ours(path: Path, workers: int = 2) -> MomentTable:
    connection = duckdb.connect(config={"threads": 1})
    parts = row_groups(connection, path, workers)
    pairs = [(COVARIATE, metric) for metric in METRICS]
    return moments_of_parts(connection, parts, [COVARIATE, *METRICS], pairs=pairs, workers=workers)


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

        ibis.duckdb.connect().sql("select 1 as x").to_pyarrow()
    except ImportError:
        return found
    connection = ibis.duckdb.connect()
    found["tea-tasting, Ibis"] = lambda: analyse(connection.read_parquet(str(path)))
    return found


def largest_gap(estimates: dict[tuple[str, str], TEffect], theirs: dict[str, object]) -> float:
    """Largest relative difference in effect, standard error and p."""
    gaps = []
    for (arm, metric), effect in estimates.items():
        other = theirs["none", arm][metric]  # type: ignore[index]
        se = (other.effect_size_ci_upper - other.effect_size) / effect.quantile(0.95)
        for mine, one in ((effect.estimate, other.effect_size), (effect.se, se), (effect.p_value(), other.pvalue)):
            gaps.append(abs(mine - one) / max(abs(one), 1e-12))
    return max(gaps)


def seconds(run: Callable[[], object], repeats: int) -> list[float]:
    found = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        found.append(time.perf_counter() - start)
    return found


def estimates_of_segments(segments: int = 20, seed: int = 0) -> float:
    """Seconds for every estimate that moments suffice for: 3 arms x 5 metrics x 20 segments, two arms against one."""
    rng = np.random.default_rng(seed)
    n = 3_000
    tables = []
    for _ in range(segments):
        columns = {name: rng.gamma(2, 10, n) for name in (*METRICS, COVARIATE)}
        columns["value"] = 3 * columns["retained"]
        tables.append(MomentTable.from_arrays(columns, rng.choice(ARMS, n)))
    start = time.perf_counter()
    for table in tables:
        for arm in ARMS[1:]:
            for metric in METRICS:
                effect = difference(table, {metric: 1.0}, arm, "none")
                assert isinstance(effect, TEffect)
                effect.interval(0.95), effect.p_value(), effect.chance_above()
    return time.perf_counter() - start


def everything_of_segments(segments: int = 20, seed: int = 0) -> dict[str, float]:
    """The same with each of the readings that may stand beside a difference, in seconds."""
    rng = np.random.default_rng(seed)
    n = 3_000
    tables = [
        MomentTable.from_arrays(
            {name: rng.gamma(2, 10, n) for name in (*METRICS, "value", COVARIATE)}, rng.choice(ARMS, n)
        )
        for _ in range(segments)
    ]
    spent = dict.fromkeys(("lift", "lin", "roi"), 0.0)
    for table in tables:
        for arm in ARMS[1:]:
            for metric in METRICS:
                effect = difference(table, {metric: 1.0}, arm, "none")
                assert isinstance(effect, TEffect)
                for name, run in (
                    ("lift", lambda: lift(table, {metric: 1.0}, arm, "none", effect, 0.95)),
                    ("lin", lambda: lin(table, {metric: 1.0}, [COVARIATE], arm, "none")),
                ):
                    spent[name] += seconds(run, 1)[0]
            spent["roi"] += seconds(lambda: roi(stratified(table, arm, "none"), 0.95), 1)[0]
    return spent


def main(sizes: list[int]) -> None:
    print(
        f"estimates, 3 arms x 5 metrics x 20 segments: {1000 * min(estimates_of_segments() for _ in range(3)):.1f} ms"
    )
    print("beside them:", ", ".join(f"{name} {1000 * s:.1f} ms" for name, s in everything_of_segments().items()))
    for rows in sizes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "rows.parquet"
            write(path, rows)
            theirs = peers(path)
            fastest: dict[str, float] = {}
            # in turns, so that whatever else the machine does is shared
            for _ in range(5):
                for name, run in {"ours": lambda: our_estimates(ours(path)), **theirs}.items():
                    fastest[name] = min([fastest.get(name, 1e9), *seconds(run, 1)])
            mine = our_estimates(ours(path))
            for name, run in theirs.items():
                ratio, gap = fastest[name] / fastest["ours"], largest_gap(mine, run())
                print(
                    f"{rows:,} rows: {fastest['ours']:.3f} s; {name} {fastest[name]:.3f} s: {ratio:.1f} times, gap {gap:.1e}"
                )


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or [1_000_000, 10_000_000])
