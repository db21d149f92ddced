"""Freezing where little is new, beside an export of the new rows alone: part of ``manage.py bench analyze``."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pyarrow.parquet as pq
from django.db import connection

from experiments.models import Experiment
from impact.agreements.plan import Plan, from_content
from impact.analysis.extract import extract
from impact.analysis.freeze import freeze
from impact.analysis.models import Chunk
from impact.analysis.settled import least_id
from impact.analysis.tables import sources
from tests.bench.rows import Row, measured_inside, seconds
from tests.conftest import START, declared_churn, started
from tests.e2e.house import House
from workspaces import clock
from workspaces.services.people import create_workspace

# ``IMPACT_BENCH_ROWS`` fills less
NUMBER = 10_000_000
NEW = 0.01
INSIDE = """
from tests.bench.freeze import measure
from tests.bench.rows import printed
print(printed(measure({number})))
"""
# ids as UUIDv7 are, six units a second, long settled
SINCE = datetime(2025, 6, 1, tzinfo=UTC)
APART = 150
_ID = (
    f"(lpad(to_hex({SINCE.timestamp() * 1000:.0f} + {{apart}} * i), 12, '0') || "
    "'7' || substr(md5(i || '{salt}'), 1, 3) || '8' "
    "|| substr(md5(i || '{salt}'), 4, 15))::uuid"
)
_FACT = "'bench', '{salt}' || i, repeat('0', 64), {at}"
_AT = "timestamptz '{start}' + (i % 86400) * interval '1 second'"


def rows() -> list[Row]:
    """Measure in a database of its own, which only PostgreSQL fills fast enough."""
    if not os.environ.get("DATABASE_URL", "").startswith("postgres"):
        return []
    number = int(os.environ.get("IMPACT_BENCH_ROWS", NUMBER))
    with tempfile.TemporaryDirectory() as folder:
        house = House(Path(folder), "bench")
        try:
            house.manage("migrate", "-v0")
            return measured_inside(house, INSIDE.format(number=number))
        finally:
            house.close()


def measure(number: int) -> Iterator[Row]:
    """Fill with a row, a decision and 1.5 outcomes a unit, freeze, add a hundredth, and freeze again."""
    workspace = create_workspace(key="bench", name="Bench", currency="EUR", simulated=True, actor="bench")
    clock.advance(workspace, START)
    experiment = started(workspace, declared_churn(workspace))
    plan, as_of = from_content(experiment.plan), START + timedelta(days=400)
    fill(experiment, 0, number)
    whole = seconds(lambda: freeze(experiment=experiment, plan=plan, as_of=as_of))
    yield Row(f"freeze, all of {number:,} decisions", whole, "s")
    # as if it had been frozen when the others hadn't come yet
    after = least_id(SINCE + timedelta(milliseconds=APART * number))
    Chunk.objects.update(until=after)
    fill(experiment, number, number + round(number * NEW))
    with tempfile.TemporaryDirectory() as folder:
        floor = min(seconds(lambda: export(experiment, plan, after, Path(folder))) for _ in range(3))
    took = seconds(lambda: freeze(experiment=experiment, plan=plan, as_of=as_of))
    yield Row(f"freeze, {NEW:.0%} new on {number:,} decisions", took, "s", floor, "<= 2")


def fill(experiment: Experiment, first: int, end: int) -> None:
    """Insert rows as the write paths leave them, without their checks."""
    arm = experiment.arms.select_related("action").first()
    assert arm is not None
    assert arm.action is not None
    at = _AT.format(start=START.isoformat())
    ids = {"w": experiment.workspace_id, "e": experiment.pk, "arm": arm.pk, "action": arm.action.pk}
    given = {name: f"'{pk}'::uuid" for name, pk in ids.items()} | {
        "point": f"'{experiment.decision_point_id}'::uuid", "at": at, "later": f"{at} + interval '90 days'",
        "a": _ID.format(salt="a", apart=APART), "d": _ID.format(salt="d", apart=APART),
        "o": _ID.format(salt="o", apart=APART * 2 // 3),
    }  # fmt: skip
    statements = (
        "INSERT INTO experiments_assignment (id, workspace_id, experiment_id, randomization_key, unit_id, occasion, "
        "cluster_id, arm_id, stratum, phase, propensity, draw, covariates, segments, first_decision_at, matures_at) "
        "SELECT {a}, {w}, {e}, 'unit-' || i, 'unit-' || i, 0, '', {arm}, '', '1', 0.5, 0, '{{}}', '{{}}', {at}, "
        "{later} FROM {series}",
        "INSERT INTO experiments_decision (id, workspace_id, source, event_id, digest, received_at, "
        "decision_point_id, unit_id, cluster_id, episode, score, candidates, action_id, propensity, mode, "
        "assignment_id, would_have, decided_at, matures_at) "
        f"SELECT {{d}}, {{w}}, {_FACT.format(salt='d', at='{at}')}, {{point}}, 'unit-' || i, '', 0, 0.3, '{{{{}}}}', "
        "{action}, 0.5, 'randomized', {a}, '{{}}', {at}, {later} FROM {series}",
        "INSERT INTO ledger_outcome (id, workspace_id, source, event_id, digest, received_at, unit_id, occurred_at, "
        f"relates_to, type, value, currency) SELECT {{o}}, {{w}}, {_FACT.format(salt='o', at='{at}')}, "
        "'unit-' || (i * 2 / 3), {at}, '', 'churned', 1, '' FROM {events}",
    )
    series = f"generate_series({first}::bigint, {end - 1}) AS rows(i)"
    events = f"generate_series({first * 3 // 2}::bigint, {end * 3 // 2 - 1}) AS rows(i)"
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement.format(series=series, events=events, **given))
        cursor.execute("ANALYZE")


def export(experiment: Experiment, plan: Plan, after: UUID, home: Path) -> None:
    """The least there is to do: copy the new rows, and write them as they are."""
    for name, source in sources(experiment, plan).items():
        new = source.rows.filter(pk__gt=after).order_by("pk")
        pq.write_table(extract(new, source.fields), home / f"{name}.parquet", compression="zstd")
