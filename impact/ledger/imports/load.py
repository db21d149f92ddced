"""Importing a file of facts: taken in whole, stored in chunks that count exactly once, answered with its reasons."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO, Any, NamedTuple

from impact.ledger.imports.file import Chunk, open_file
from impact.ledger.imports.quick import LABELS, Event, events, without
from impact.ledger.imports.store import store
from impact.ledger.kinds import IMPORTED, KINDS
from workspaces import clock
from workspaces.clock import CLOCK_SKEW
from workspaces.errors import Refusal
from workspaces.files import answer_file, harmless, received, sent_file, settle
from workspaces.models import Job, Workspace
from workspaces.services.jobs import Attempt, enqueue, repeat

IMPORT = "import"
LARGEST = 2 * 1024**3
ROWS_A_BATCH = 1000
STATUSES = ("accepted", "duplicate", "quarantined", "rejected")
REASONS = ("row", "status", "code", "detail", "pointer", "source", "event_id")


class Prepared(NamedTuple):
    """A chunk, its events that can be stored at once, and its other rows as documents by their places."""

    chunk: Chunk
    quick: list[Event]
    slow: dict[int, Any]


def enqueue_import(*, workspace: Workspace, many: str, chunks: Iterable[bytes], name: str = "The file") -> Job:
    """Ask for a file of facts to be taken in; the same bytes again are the same job."""
    if many not in IMPORTED:
        raise Refusal("invalid-parameter", f"kind == {many!r}, must be one of {', '.join(IMPORTED)}")
    kind = IMPORTED[many]
    with received(workspace, chunks, LARGEST) as (draft, sha256):
        open_file(draft, KINDS[kind].row, name)
        os.replace(draft, sent_file(workspace, sha256))
    arguments = {"sha256": sha256, "kind": kind, "name": name}
    job = enqueue(workspace=workspace, kind=IMPORT, key=f"{many}, file {sha256}", arguments=arguments)
    if job.state == Job.State.FAILED:
        repeat(job)
    return job


def import_facts(attempt: Attempt, tell: Callable[[float, str], None] | None = None) -> dict[str, Any]:
    """Do such a job. What an earlier attempt committed is neither done nor counted again."""
    job, kind = attempt.job, attempt.job.arguments["kind"]
    file = open_file(sent_file(attempt.workspace, job.arguments["sha256"]), KINDS[kind].row)
    so_far = job.result or {"chunks": 0, "reasons": 0, **dict.fromkeys(STATUSES, 0)}
    part = answer_file(job).with_suffix(".part")
    with resumed(part, so_far["reasons"]) as text:
        reasons = csv.writer(text, lineterminator="\n")
        chunks = islice(file.chunks(), so_far["chunks"], None)
        for prepared in ahead(_prepared(attempt.workspace, kind, one) for one in chunks):
            with attempt.writing():
                counts, told = _take(attempt.workspace, kind, prepared)
                if told:
                    reasons.writerows(told)
                    settle(text)
                so_far = {name: so_far[name] + counts[name] for name in STATUSES} | {
                    "chunks": so_far["chunks"] + 1,
                    "reasons": text.tell(),
                }
                done = f"{sum(so_far[name] for name in STATUSES):,} rows"
                attempt.checkpoint(prepared.chunk.share, done, so_far)
            if tell:
                tell(prepared.chunk.share, done)
    with attempt.writing():
        os.replace(part, answer_file(job))
    return {name: so_far[name] for name in STATUSES} | {"reasons": f"/api/v1/imports/{job.pk}/reasons"}


@contextmanager
def resumed(path: Path, size: int) -> Iterator[IO[str]]:
    """Open the list of reasons for more, without what was written after the last commit."""
    path.touch()
    with path.open("r+", encoding="utf-8", errors="backslashreplace", newline="") as text:
        text.truncate(size)
        text.seek(0, os.SEEK_END)
        if not size:
            text.write(",".join(REASONS) + "\n")
            settle(text)
        yield text


def ahead(work: Iterator[Any]) -> Iterator[Any]:
    """Make the next while the last is stored: one computes here, the other waits for the database."""
    nothing = object()
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, work, nothing)
        while (made := coming.result()) is not nothing:
            coming = pool.submit(next, work, nothing)
            yield made


def _prepared(workspace: Workspace, kind: str, chunk: Chunk) -> Prepared:
    quick = []
    if kind in LABELS:
        quick = events(kind, chunk, workspace.currency, clock.now(workspace) + CLOCK_SKEW)
    taken = {event.place for event in quick}
    slow = {place: chunk.document(place) for place in range(len(chunk.numbers)) if place not in taken}
    keys = {(row["source"], row["event_id"]) for row in slow.values() if _is_known(row)}
    kept = without(quick, keys)
    if len(kept) < len(quick):
        taken = {event.place for event in kept}
        slow = {place: chunk.document(place) for place in range(len(chunk.numbers)) if place not in taken}
    return Prepared(chunk, kept, slow)


def _is_known(row: Any) -> bool:
    return isinstance(row, dict) and isinstance(row.get("source"), str) and isinstance(row.get("event_id"), str)


def _take(workspace: Workspace, kind: str, prepared: Prepared) -> tuple[dict[str, int], list[tuple[Any, ...]]]:
    """Store a chunk; say how many rows ended where, and what is to be said of those that aren't in the ledger."""
    counts = dict.fromkeys(STATUSES, 0)
    stored = store(workspace=workspace, kind=kind, events=prepared.quick, received_at=clock.now(workspace))
    counts["accepted"], counts["duplicate"] = stored.accepted, stored.duplicate
    # conflicts take the slow way too, which keeps them in quarantine
    slow = prepared.slow | {place: prepared.chunk.document(place) for place in stored.conflicts}
    places, told = sorted(slow), []
    for start in range(0, len(places), ROWS_A_BATCH):
        batch = places[start : start + ROWS_A_BATCH]
        for taken in KINDS[kind].log(workspace=workspace, raw=[slow[place] for place in batch]):
            counts[taken.status] += 1
            if taken.code:
                row = slow[batch[taken.index]]
                said = (row.get("source", ""), row.get("event_id", "")) if isinstance(row, dict) else ("", "")
                told.append(
                    (
                        prepared.chunk.numbers[batch[taken.index]], taken.status, taken.code, harmless(taken.detail),
                        taken.pointer, *map(harmless, map(str, said)),
                    )
                )  # fmt: skip
    return counts, told
