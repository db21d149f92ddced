"""A file of facts in chunks, each row with its number: CSV, NDJSON or Parquet, never whole in memory."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import msgspec

from workspaces.errors import Refusal
from workspaces.strict import Row, check, parse_json

# so many that a chunk is stored within a second
ROWS_A_CHUNK = 20_000
PARQUET = b"PAR1"
BOOLEANS = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Chunk:
    """Rows by their numbers; ``share`` of the file is read with them.

    ``columns`` are the cells as they were sent where the file has columns, ``document`` is one row as JSON would
    have said it, or the refusal in its place.
    """

    numbers: Sequence[int]
    document: Callable[[int], Any]
    share: float
    columns: dict[str, Sequence[Any]] = field(default_factory=dict)


class FactFile(Protocol):
    def chunks(self) -> Iterator[Chunk]: ...


def open_file(path: Path, shape: type[Row], name: str = "The file") -> FactFile:
    """Open a file by what it begins with; refuse one whose columns don't fit."""
    with path.open("rb") as file:
        head = file.read(4096)
    if head.startswith(PARQUET):
        # the numeric libraries take long to import, and web processes mostly do without
        from impact.ledger.imports.parquet import ParquetFile

        return ParquetFile(path, shape, name)
    if head.removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"{"):
        return LineFile(path)
    return TextFile(path, shape, name)


def check_columns(columns: Sequence[str], shape: type[Row], name: str) -> None:
    """Refuse columns that the rows don't have, that stand twice, and rows without what they must say."""
    fields = {one.name: one.required for one in msgspec.structs.fields(shape)}
    for column in columns:
        if column not in fields:
            raise Refusal(
                "bad-file",
                f"{name}: the column {column[:100]!r} is not known; rename it to one of {', '.join(fields)}, "
                "or take it out.",
            )
        if columns.count(column) > 1:
            raise Refusal("bad-file", f"{name}: the column {column!r} stands twice; take one out.")
    for column, required in fields.items():
        if required and column not in columns:
            raise Refusal("bad-file", f"{name}: the column {column!r} is missing; add it.")


def checked(document: Any) -> Any:
    """The document, or what keeps it from being taken."""
    try:
        check(document)
    except Refusal as refusal:
        return refusal
    return document


class TextFile:
    """CSV in UTF-8 with a header; rows are numbered as a spreadsheet does, the header being 1."""

    def __init__(self, path: Path, shape: type[Row], name: str) -> None:
        self.path = path
        with path.open("rb") as file:
            head = file.readline()
        self.delimiter = max((",", ";", "\t"), key=lambda mark: head.count(mark.encode()))
        first = next(self._records(io.BytesIO(head)), [None])[0]
        if not first or isinstance(first, Refusal):
            raise Refusal("bad-file", f"{name} has no header; its first line must name the columns.")
        self.columns = [cell.strip() for cell in first]
        check_columns(self.columns, shape, name)

    def chunks(self) -> Iterator[Chunk]:
        size = self.path.stat().st_size
        with self.path.open("rb") as file:
            following = 1
            for records in self._records(file):
                found = [(number, one) for number, one in enumerate(records, following) if one and number > 1]
                following += len(records)
                if found:
                    numbers, rows = zip(*found, strict=True)
                    yield self._chunk(numbers, rows, file.tell() / size)

    def _chunk(self, numbers: Sequence[int], rows: Sequence[Any], share: float) -> Chunk:
        width = len(self.columns)
        broken = {}
        if set(map(_width, rows)) != {width}:
            found = ((place, _broken(row, width)) for place, row in enumerate(rows))
            broken = {place: refusal for place, refusal in found if refusal}
            rows = [[""] * width if place in broken else row for place, row in enumerate(rows)]
        columns = dict(zip(self.columns, zip(*rows, strict=True), strict=True))
        return Chunk(numbers, _documents(columns, broken), share, columns)

    def _records(self, file: Any) -> Iterator[list[Any]]:
        """Records by the chunk: the cells of each, none for a blank one, or why it has none."""
        # what isn't UTF-8 becomes half a surrogate pair, which no row may hold
        text = io.TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline="")
        reader = csv.reader(text, delimiter=self.delimiter, strict=True)
        while True:
            rows: list[Any] = []
            while (missing := ROWS_A_CHUNK - len(rows)) > 0:
                try:
                    rows.extend(islice(reader, missing))
                except csv.Error as error:
                    # the records before it are in the list already
                    rows.append(Refusal("bad-row", f"The row is not CSV: {error}; save the file as CSV again."))
                else:
                    break
            if not rows:
                text.detach()
                return
            yield rows


def _width(row: Any) -> int:
    return len(row) if type(row) is list else -1


def _broken(row: Any, width: int) -> Refusal | None:
    if isinstance(row, Refusal):
        return row
    if len(row) == width:
        return None
    return Refusal(
        "bad-row",
        f"The row has {len(row)} cells, the header names {width} columns; quote cells that hold the separator.",
    )


def _documents(columns: dict[str, Sequence[str]], broken: dict[int, Refusal]) -> Callable[[int], Any]:
    def document(place: int) -> Any:
        if place in broken:
            return broken[place]
        # an empty cell says nothing
        return checked({name: typed(name, cells[place]) for name, cells in columns.items() if cells[place] != ""})

    return document


def typed(name: str, cell: str) -> Any:
    """What JSON would hold in the place of a text; what can't be read stays, to be complained about."""
    if name == "score":
        try:
            return float(cell)
        except ValueError:
            return cell
    if name == "estimated":
        return BOOLEANS.get(cell.lower(), cell)
    if name == "features":
        try:
            return parse_json(cell.encode())
        except (Refusal, UnicodeEncodeError):
            return cell
    return cell


class LineFile:
    """One JSON object a line; rows are numbered as lines are."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def chunks(self) -> Iterator[Chunk]:
        size = self.path.stat().st_size
        with self.path.open("rb") as file:
            lines = ((number, line) for number, line in enumerate(file, start=1) if line.strip())
            while batch := list(islice(lines, ROWS_A_CHUNK)):
                numbers, texts = zip(*batch, strict=True)
                yield Chunk(numbers, lambda place, texts=texts: _line(texts[place]), file.tell() / size)  # type: ignore[misc]


def _line(line: bytes) -> Any:
    try:
        return checked(parse_json(line.removeprefix(codecs.BOM_UTF8)))
    except Refusal as refusal:
        return refusal
