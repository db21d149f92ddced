"""Settled facts leave the database once: chunks of an experiment's rows, each between two ids, in one file each."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import pyarrow as pa
import pyarrow.compute as pc

from experiments.models import Experiment
from impact.agreements.plan import Plan
from impact.analysis.extract import TEXT, TIME, extract
from impact.analysis.files import File, directory, write
from impact.analysis.instants import microseconds
from impact.analysis.models import Chunk
from impact.analysis.redrawn import REDRAWN
from impact.analysis.settled import FIRST
from impact.analysis.shapes import Shaper
from impact.analysis.tables import Source, first_decisions, sources
from workspaces.facts import insert_new

ROWS_A_CHUNK = 500_000


class Piece(NamedTuple):
    """Rows with ids after one and up to another, in a file; ``newest`` is when the last of them was known."""

    after: UUID
    until: UUID
    file: File | None
    newest: int
    sample: list[list[str]]


class Exporter:
    """Brings one table of an experiment into files."""

    def __init__(self, experiment: Experiment, plan: Plan, name: str) -> None:
        self.experiment, self.name = experiment, name
        self.source: Source = sources(experiment, plan)[name]
        self.shaper = Shaper(experiment, plan)
        self.home = directory(experiment.workspace.key)

    def files(self, settled: UUID, as_of: datetime) -> Iterator[Piece]:
        """Yield every piece of what was known by a time: what is settled once for all, and the rest read again."""
        after = FIRST
        for chunk in self._chunks(settled):
            after = chunk.until
            if chunk.newest > microseconds(as_of):
                yield from self._export(chunk.after, chunk.until, as_of)
            elif chunk.rows:
                yield self._piece(chunk)
        yield from self._export(after, None, as_of)

    def _chunks(self, settled: UUID) -> list[Chunk]:
        """The chunks of all that is settled; those that are missing are written now."""
        of = Chunk.objects.within(self.experiment.workspace).filter(experiment=self.experiment, table=self.name)
        known = list(of.order_by("after"))
        after = known[-1].until if known else FIRST
        if after >= settled:
            return known
        new = [self._chunk(piece) for piece in self._export(after, settled, None)]
        if new:
            insert_new(new)
        elif known and not known[-1].rows:
            # nothing came, so that the next one begins later
            of.filter(pk=known[-1].pk).update(until=settled)
        else:
            insert_new([self._chunk(Piece(after, settled, None, 0, []))])
        # whoever else froze meanwhile may have been first
        return list(of.order_by("after"))

    def _export(self, after: UUID, until: UUID | None, as_of: datetime | None) -> Iterator[Piece]:
        rows = self.source.rows.filter(pk__gt=after)
        if until:
            rows = rows.filter(pk__lte=until)
        if as_of:
            rows = rows.filter(**{f"{time}__lte": as_of for time in self.source.times})
        own = {"pk": ("pk", TEXT)} | {f"known {time}": (time, TIME) for time in self.source.times}
        while True:
            raw = extract(rows.filter(pk__gt=after).order_by("pk")[:ROWS_A_CHUNK], own | dict(self.source.fields))
            if not raw.num_rows:
                return
            full = raw.num_rows == ROWS_A_CHUNK
            last = UUID(raw["pk"][-1].as_py()) if full or until is None else until
            firsts = self._firsts(raw) if self.name == "rows" and self.experiment.is_live else None
            file = write(self.home, f"{self.experiment.key}-{self.name}", self.shaper.shape(self.name, raw, firsts))
            newest = max(pc.max(pc.cast(raw[f"known {time}"], pa.int64())).as_py() for time in self.source.times)
            yield Piece(after, last, file, newest, self._sample(raw))
            if not full:
                return
            after = last

    def _firsts(self, raw: pa.Table) -> pa.Table:
        """What was decided first about each of these rows, one each."""
        source, ids = first_decisions(self.experiment), raw["pk"]
        rows = source.rows.filter(assignment_id__gte=ids[0].as_py(), assignment_id__lte=ids[-1].as_py())
        return extract(rows.order_by("pk"), source.fields)

    def _sample(self, raw: pa.Table) -> list[list[str]]:
        """Keys whose draws are made again, the first by pseudonym; where a key is one row, by the row's id."""
        if self.name != "rows" or not self.experiment.is_live:
            return []
        shown = self.shaper.names.column(raw["key"]).to_pylist()
        found = raw["key" if self.experiment.in_clusters else "pk"].to_pylist()
        return [list(one) for one in heapq.nsmallest(REDRAWN, set(zip(shown, found, strict=True)))]

    def _chunk(self, piece: Piece) -> Chunk:
        file: Any = piece.file or File("", 0, "", 0)
        return Chunk(
            workspace=self.experiment.workspace,
            experiment=self.experiment,
            table=self.name,
            after=piece.after,
            until=piece.until,
            name=file.name,
            rows=file.rows,
            sha256=file.sha256,
            content=f"{file.content:024x}",
            newest=piece.newest,
            sample=piece.sample,
        )

    def _piece(self, chunk: Chunk) -> Piece:
        """A chunk's piece; a file that was lost is written again."""
        if not (self.home / chunk.name).exists():
            for piece in self._export(chunk.after, chunk.until, None):
                if piece.file and piece.file.name == chunk.name:
                    return piece
        file = File(chunk.name, chunk.rows, chunk.sha256, int(chunk.content, 16))
        return Piece(chunk.after, chunk.until, file, chunk.newest, chunk.sample)
