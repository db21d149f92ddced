"""Rows of a CSV or Parquet file with their places, so that every complaint can name line and column."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.parquet as pq
from pyarrow import ArrowInvalid

from workspaces.errors import Refusal


class Line(NamedTuple):
    """A row's place in the file, and its cells by the table's columns."""

    number: int
    cells: Sequence[Any]


class Table:
    """A file of rows. ``place`` is what a row's number counts: lines of a text, rows of a Parquet file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.content = path.read_bytes()
        except OSError as error:
            raise Refusal("bad-file", f"{path}: {error.strerror}; check the path") from error
        self.sha256 = hashlib.sha256(self.content).hexdigest()
        self.is_parquet = self.content[:4] == b"PAR1"
        self.place = "row" if self.is_parquet else "line"
        self.columns, self.lines = self._parquet() if self.is_parquet else self._text()
        twice = next((name for name in self.columns if self.columns.count(name) > 1), None)
        if twice is not None:
            raise Refusal("bad-file", f"{path} {self.place} 1: the column {twice!r} stands twice; rename one")

    def refuse(self, number: int, column: str, value: Any, remedy: str) -> Refusal:
        detail = f"{self.path} {self.place} {number}, column {column!r}: {value!r} {remedy}"
        return Refusal("bad-file", detail)

    def _parquet(self) -> tuple[list[str], Iterator[Line]]:
        try:
            table = pq.read_table(io.BytesIO(self.content))
        except (ArrowInvalid, OSError) as error:
            raise Refusal("bad-file", f"{self.path} can't be read as Parquet: {error}") from error
        columns = [table.column(name).to_pylist() for name in range(table.num_columns)]
        lines = (Line(number, cells) for number, cells in enumerate(zip(*columns, strict=True), start=1))
        return list(table.column_names), lines

    def _text(self) -> tuple[list[str], Iterator[Line]]:
        content = self.content
        try:
            if content[:2] == b"\x1f\x8b":
                content = gzip.decompress(content)
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = content[: error.start].count(b"\n") + 1
            raise Refusal("bad-file", f"{self.path} line {line} is not UTF-8; save the file as UTF-8") from error
        except (OSError, EOFError, zlib.error) as error:
            raise Refusal("bad-file", f"{self.path} can't be unpacked: {error}") from error
        head = text.partition("\n")[0]
        if not head.strip():
            raise Refusal("bad-file", f"{self.path} line 1 is empty; it must name the columns")
        delimiter = next((mark for mark in (",", "\t", ";") if mark in head), None)
        lines = self._separated(text, delimiter) if delimiter else self._by_blanks(text)
        return [cell.strip() for cell in next(lines).cells], self._even(lines)

    def _separated(self, text: str, delimiter: str) -> Iterator[Line]:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        number = 1
        try:
            for cells in reader:
                yield Line(number, cells)
                number = reader.line_num + 1
        except csv.Error as error:
            raise Refusal("bad-file", f"{self.path} line {number} is not CSV: {error}") from error

    def _by_blanks(self, text: str) -> Iterator[Line]:
        for number, line in enumerate(text.splitlines(), start=1):
            yield Line(number, line.split())

    def _even(self, lines: Iterator[Line]) -> Iterator[Line]:
        for line in lines:
            if not line.cells:
                continue
            if len(line.cells) != len(self.columns):
                raise Refusal(
                    "bad-file",
                    f"{self.path} line {line.number} has {len(line.cells)} cells, the header names {len(self.columns)} "
                    "columns; quote cells that hold the separator",
                )
            yield line
