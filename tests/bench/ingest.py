"""Events in batches and by file, beside the least that the database can do: ``manage.py bench ingest``."""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
from django.db import connection, transaction

from impact.ledger.imports.load import enqueue_import, import_facts
from impact.ledger.models import Outcome
from impact.ledger.services import log_outcomes
from tests.bench.rows import Row, measured_inside, seconds
from tests.e2e.house import House
from workspaces.facts import insertion
from workspaces.identifiers import new_id
from workspaces.models import Workspace
from workspaces.services import jobs
from workspaces.services.people import create_workspace
from workspaces.strict import parse_json, sound

BATCH = 1000
ROUNDS = 20
ROWS = 1_000_000
START = datetime(2025, 1, 1, tzinfo=UTC)
COLUMNS = (
    "id", "workspace_id", "source", "event_id", "digest", "received_at", "unit_id", "occurred_at", "relates_to",
    "type", "value", "currency",
)  # fmt: skip
INSIDE = """
from tests.bench.ingest import measure
from tests.bench.rows import printed
print(printed(measure({number})))
"""


def rows(number: int = ROWS) -> list[Row]:
    """Measure in a database of its own, which is removed afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        house = House(Path(folder), "bench")
        try:
            house.manage("migrate", "-v0")
            return measured_inside(house, INSIDE.format(number=number))
        finally:
            house.close()


def measure(number: int) -> Iterator[Row]:
    workspace = create_workspace(key="bench", name="Bench", currency="EUR", actor="bench")
    yield of_batches(workspace)
    yield from of_files(workspace, number)


def event(number: int) -> dict[str, Any]:
    return {
        "source": "billing",
        "event_id": f"event-{number}",
        "type": "spend",
        "unit_id": f"customer-{number * 7919 % 300_000}",
        "value": f"{number % 10_000 / 100:.2f}",
        "currency": "EUR",
        "occurred_at": (START + timedelta(seconds=number)).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def of_batches(workspace: Workspace) -> Row:
    """Batches of which half were sent before, in turns with the floor's."""
    ours = (batch(start) for start in count(0, BATCH // 2))
    floors = (batch(start) for start in count(100_000_000, BATCH // 2))
    spent = {"ours": 0.0, "floor": 0.0}
    for number in range(ROUNDS + 1):
        took = {
            "ours": seconds(lambda: log_outcomes(workspace=workspace, raw=sound(parse_json(next(ours))["outcomes"]))),
            "floor": seconds(lambda: insert_plainly(workspace, next(floors))),
        }
        if number:  # the first round warms up
            spent = {name: spent[name] + took[name] for name in spent}
    sent = ROUNDS * BATCH
    return Row("outcomes, batch of 1,000", sent / spent["ours"], "rows/s", sent / spent["floor"], ">= 0.70")


def batch(start: int) -> bytes:
    return json.dumps({"outcomes": [event(number) for number in range(start, start + BATCH)]}).encode()


def insert_plainly(workspace: Workspace, body: bytes) -> None:
    """Parse and insert: no check, no digest, no answer."""
    now = datetime.now(UTC)
    rows = [
        Outcome(
            workspace=workspace, source=row["source"], event_id=row["event_id"], digest="", received_at=now,
            unit_id=row["unit_id"], occurred_at=datetime.fromisoformat(row["occurred_at"]), type=row["type"],
            value=float(row["value"]), currency=row["currency"],
        )
        for row in msgspec.json.decode(body)["outcomes"]
    ]  # fmt: skip
    sql, parameters = insertion(rows, "ON CONFLICT DO NOTHING")
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)


def of_files(workspace: Workspace, number: int) -> Iterator[Row]:
    """The same events as CSV, as Parquet, and as the text that COPY takes, each into an empty table."""
    events = [event(place) for place in range(number)]
    names = list(events[0])
    columns = {name: [one[name] for one in events] for name in names}
    lines = "".join(",".join(one.values()) + "\n" for one in events)
    contents = {"CSV": f"{','.join(names)}\n{lines}".encode(), "Parquet": parquet(columns)}
    del columns, lines
    floor = copy(workspace, events) if connection.vendor == "postgresql" else None
    del events
    for name, content in contents.items():
        if connection.vendor == "postgresql":
            empty()
        else:
            Outcome.objects.within(workspace).delete()
        job = enqueue_import(workspace=workspace, many="outcomes", chunks=[content])
        attempt = jobs.claim(job)
        assert attempt is not None
        took = seconds(lambda: jobs.run(attempt, import_facts))  # noqa: B023
        job.refresh_from_db()
        assert job.result["accepted"] == number, job.error or job.result
        least = (number / floor, ">= 0.50") if floor else (None, "")
        yield Row(f"import of {number:,} outcomes, {name}", number / took, "rows/s", *least)


def parquet(columns: dict[str, list[str]]) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(
        pa.table(
            columns
            | {
                "value": pa.array([float(value) for value in columns["value"]]),
                "occurred_at": pa.array(
                    [datetime.fromisoformat(at) for at in columns["occurred_at"]], pa.timestamp("us", "UTC")
                ),
            }
        ),
        buffer,
    )
    return buffer.getvalue()


def copy(workspace: Workspace, events: list[dict[str, Any]]) -> float:
    """COPY of the same rows into the same table with its indexes; the text is made beforehand."""
    now = datetime.now(UTC).isoformat()
    text = io.StringIO()
    for one in events:
        fields = (
            str(new_id()), str(workspace.pk), one["source"], one["event_id"], "0" * 64, now, one["unit_id"],
            one["occurred_at"], "", one["type"], one["value"], one["currency"],
        )  # fmt: skip
        text.write("\t".join(fields) + "\n")
    text.seek(0)
    empty()

    def run() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.copy_expert(f"COPY {Outcome._meta.db_table} ({', '.join(COLUMNS)}) FROM STDIN", text)

    return seconds(run)


def empty() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {Outcome._meta.db_table}")
