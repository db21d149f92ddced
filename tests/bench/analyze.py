"""From frozen events to moments and estimates, beside SQL written by hand: ``manage.py bench analyze``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb

from tests.bench import stats
from tests.bench.rows import Row, seconds

SIZES = (100_000, 1_000_000, 10_000_000)
ROUNDS = 3
DAY = 86_400_000_000
AS_OF = datetime(2026, 6, 1, tzinfo=UTC)
OPENED = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000
HORIZON_DAYS = 30
ROWS_A_CHUNK, ROWS_A_GROUP = 500_000, 20_000
GIBIBYTE = 2**30
# what is asked of the events: any, sum, count and last of three types, and one within a shorter window
METRICS = (
    ("bought", "spend", "any", None), ("spend", "spend", "sum", None), ("visits", "visit", "count", None),
    ("rating", "rating", "last", None), ("early spend", "spend", "sum", 7.0),
)  # fmt: skip
COVARIATES = ("before", "tenure")
ARMS = ("none", "bonus", "credit")


def rows() -> Iterator[Row]:
    # not above, since ``measured`` imports this file before Django is ready
    from tests.bench import freeze

    tables = stats.tables_of_segments()
    fastest = min(seconds(lambda: stats.every_estimate(tables)) for _ in range(7))
    yield Row("every estimate, 3 arms x 5 metrics x 20 segments", 1000 * fastest, "ms", None, "<= 50 ms")
    spent: dict[int, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        for number in SIZES:
            home = Path(folder) / str(number)
            write(home, number)
            took, floor, peak, same = measured(home)
            spent[number] = took
            name = f"measure, {number:,} decisions"
            yield Row(name, took, "s", floor, "<= 1.5" if number > SIZES[0] else "")
            yield Row(f"{name}, memory", peak / GIBIBYTE, "GiB", None, "<= 2 GiB")
            yield Row(f"{name}, different bytes", float(not same), "", None, "<= 0")
    for fewer, more in pairwise(SIZES):
        linear = spent[fewer] * more / fewer
        yield Row(f"growth from {fewer:,} to {more:,}", spent[more], "s", linear, "<= 1.1")
    yield from freeze.rows()
    yield from stats.rows()


def write(home: Path, number: int) -> None:
    """A snapshot's files as freezing writes them, and its manifest: a row and a decision a unit, 1.5 events each.

    Rows come in the order of their units' numbers, and the events of a unit in any chunk.
    """
    home.mkdir()
    chunks = -(-number // ROWS_A_CHUNK)
    connection = duckdb.connect()
    connection.execute(
        f"""
        create table units as select substr(md5(i::varchar), 1, 24) as unit, i, i // {ROWS_A_CHUNK} as chunk,
            hash(i) % 3 as arm, {stats.uniform(1)} as a, {stats.uniform(2)} as b, {stats.uniform(3)} as c
        from range({number}) as units(i)
        """
    )
    tables = {
        "rows": f"""
            unit, unit as row, {OPENED} + (i % 60) * {DAY} as opened_at,
            {OPENED} + (i % 60 + {HORIZON_DAYS}) * {DAY} as matures_at,
            case arm when 0 then 'none' when 1 then 'bonus' else 'credit' end as arm,
            case when c < 0.3 then 'L' when c < 0.8 then 'M' else 'H' end as stratum, '1' as phase, '' as cluster,
            1 / 3 as propensity, 0.0::double as planned_cost, c as score,
            round(-40 * ln(1 - a), 2) as "covariate before", floor(60 * b)::double as "covariate tenure"
            from units where chunk = {{chunk}}""",
        "decisions": f"""
            unit, {OPENED} + (i % 60) * {DAY} as at,
            case arm when 0 then 'none' when 1 then 'bonus' else 'credit' end as action, 'randomized' as mode,
            1 / 3 as propensity, unit as row from units where chunk = {{chunk}}""",
        "outcomes": f"""
            unit, {OPENED} + (i % 60) * {DAY} + (floor(hash(i + k) % 40) * {DAY})::bigint as at,
            case (i + k) % 3 when 0 then 'spend' when 1 then 'visit' else 'rating' end as type,
            round(-25 * ln(1 - a) + k, 2) as value
            from units, range(1, 4) as events(k) where k <= i % 4 and hash(i + 7 * k) % {chunks} = {{chunk}}""",
    }
    files: dict[str, list[dict[str, Any]]] = {"executions": [], "costs": []}
    for name, columns in tables.items():
        for chunk in range(chunks):
            file = f"{chunk:04d}-{name}.parquet"
            files.setdefault(name, []).append({"name": file})
            connection.execute(
                f"copy (select {columns.format(chunk=chunk)} order by all) to '{home}/{file}' "
                f"(format parquet, compression zstd, row_group_size {ROWS_A_GROUP})"
            )
    connection.close()
    feeds = {outcome: OPENED + 365 * DAY for _, outcome, *_ in METRICS}
    manifest = {"feeds": feeds, "files": files, "tables": {"rows": {"rows": number}}}
    (home / "manifest.json").write_text(json.dumps(manifest))


def measured(home: Path, rounds: int = ROUNDS) -> tuple[float, float, int, bool]:
    """Seconds of ours and of the floor, our peak of memory, and whether the same bytes came each time.

    Ours runs in a process of its own, whose memory nothing else has raised.
    """
    code = f"from pathlib import Path; from tests.bench.analyze import tell; tell(Path({str(home)!r}))"
    mine, floors, digests, peaks = [], [], set(), []
    for _ in range(rounds):
        done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
        said = done.stdout.splitlines()[-1].split()
        mine.append(float(said[0]))
        peaks.append(int(said[1]))
        digests.add(said[2])
        floors.append(seconds(lambda: by_hand(home)))
    return min(mine), min(floors), max(peaks), len(digests) == 1


def tell(home: Path) -> None:
    """Measure once and print seconds, peak of memory and a digest of everything."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "impact.config.settings")
    import hashlib

    import django

    django.setup()
    from impact.analysis.measure import measure
    from impact.analysis.models import Snapshot
    from tests.bench.rows import peak_bytes

    snapshot = Snapshot(as_of=AS_OF, manifest=json.loads((home / "manifest.json").read_text()))
    found: list[Any] = []
    took = seconds(lambda: found.append(measure(snapshot, plan(), home)))
    digest = hashlib.sha256(repr(found).encode()).hexdigest()
    # a line of its own, whatever else was written
    sys.stdout.write(f"\n{took} {peak_bytes()} {digest}\n")


def plan() -> Any:
    from impact.agreements.plan import Plan, PlannedArm, PlannedMetric, Term

    kinds: dict[str, Any] = {"any": "proportion"}
    return Plan(
        experiment="bench", name="Bench", origin="live", unit_type="customer", currency="EUR",
        horizon_days=HORIZON_DAYS,
        arms=[PlannedArm(key=arm, name=arm, is_baseline=arm == "none", weight=1, planned_cost=0.0) for arm in ARMS],
        metrics=[
            PlannedMetric(
                key=key, name=key, kind=kinds.get(aggregate, "mean"), role="secondary", direction="increase", unit="",
                term=Term(outcome=outcome, aggregate=aggregate, window_days=days),  # type: ignore[arg-type]
            )
            for key, outcome, aggregate, days in METRICS
        ],
        covariates=list(COVARIATES),
    )  # fmt: skip


def by_hand(home: Path) -> list[Any]:
    """The least that SQL can do, on all threads: no check, no skewness, sums of squares that cancel."""
    inside = {days: f"o.type = '{{}}' and o.at < r.opened_at + {days * DAY:.0f}" for days in (HORIZON_DAYS, 7)}
    aggregates = {
        "any": "coalesce(bool_or(o.value <> 0) filter (where {}), false)::int::double",
        "sum": "coalesce(sum(o.value) filter (where {}), 0)",
        "count": "count(*) filter (where {})::double",
        "last": "coalesce(arg_max(o.value, o.at) filter (where {}), 0)",
    }
    values = [
        aggregates[aggregate].format(inside[int(days or HORIZON_DAYS)].format(outcome))
        for _, outcome, aggregate, days in METRICS
    ]
    columns = [f"v{place}" for place in range(len(values))]
    covariates = [f'"covariate {name}"' for name in COVARIATES]
    everything = columns + covariates
    sums = [f"sum({one}), sum({one} * {one})" for one in everything]
    sums += [f"sum({one} * {covariate})" for one in columns for covariate in covariates]
    sums += [f"sum({covariates[0]} * {covariates[1]})"]
    joined = ", ".join(f"{value} as {column}" for value, column in zip(values, columns, strict=True))
    held = ", ".join(f"any_value(r.{name}) as {name}" for name in ["arm", "stratum", *covariates])
    return (
        duckdb.connect()
        .execute(
            f"""
        with measured as (
            select r.row, {held}, {joined} from '{home}/*-rows.parquet' r left join '{home}/*-outcomes.parquet' o
            on o.unit = r.unit and o.at >= r.opened_at and o.at < r.opened_at + {HORIZON_DAYS * DAY} group by r.row
        )
        select arm, stratum, count(*), {", ".join(sums)} from measured group by arm, stratum
        """
        )
        .fetchall()
    )
