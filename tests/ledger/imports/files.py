"""Files of facts as clients send them."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from impact.ledger.imports.load import enqueue_import
from workspaces.models import Job, Workspace

HEAD = ("source", "event_id", "type", "unit_id", "value", "currency", "occurred_at", "relates_to")


def outcome(event: str = "o1", **changes: Any) -> dict[str, Any]:
    row = {"source": "billing", "event_id": event, "type": "spend", "unit_id": "c1", "value": "12.50"}
    return row | {"currency": "EUR", "occurred_at": "2026-01-04T06:00:00Z"} | changes


def csv_of(rows: Sequence[dict[str, Any]], columns: Sequence[str] = HEAD) -> bytes:
    text = io.StringIO()
    # a line break of two characters has both of them quoted where they stand in a cell
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode("utf-8", "surrogateescape")


def parquet_of(columns: dict[str, Any]) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


def imported(workspace: Workspace, drain: Callable[[], None], content: bytes, many: str = "outcomes") -> Job:
    """The job of this file, done."""
    job = enqueue_import(workspace=workspace, many=many, chunks=[content])
    drain()
    job.refresh_from_db()
    return job


def counts(job: Job) -> tuple[int, int, int, int]:
    assert job.state == Job.State.DONE, job.error
    accepted, duplicate, quarantined, rejected = (
        job.result[name] for name in ("accepted", "duplicate", "quarantined", "rejected")
    )
    return accepted, duplicate, quarantined, rejected
