"""A file of scored units: its columns, and each of its lines as a decision to be made."""

from __future__ import annotations

import codecs
import csv
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from workspaces.errors import Refusal

COLUMNS = {
    "unit_id": "text",
    "score": "number",
    "event_id": "text",
    "version": "text",
    "predicted_at": "time",
    "cluster_id": "text",
    "segment": "text",
}
ADDED = ("action", "arm", "propensity", "decision_id", "problem")


class Form(msgspec.Struct, frozen=True):
    """What the lines leave unsaid, fixed when the file was sent, so that it is read alike for ever."""

    source: str
    decision_point: str
    model: str
    version: str
    predicted_at: datetime
    features: dict[str, str]


class Line(NamedTuple):
    """A row's place in the file, its cells as they were sent, and the decision that they ask for."""

    number: int
    cells: list[str]
    row: dict[str, Any]


class UnitFile:
    """A CSV file of units by the form it is read in; ``name`` is what complaints call it."""

    def __init__(self, path: Path, form: Form, name: str = "the file") -> None:
        self.path, self.form, self.name = path, form, name
        with path.open("rb") as file:
            head = file.readline()
        self.encoding = "utf-8-sig" if head.startswith(codecs.BOM_UTF8) else "utf-8"
        self.ending = "\r\n" if head.endswith(b"\r\n") else "\n"
        self.delimiter = max((",", ";", "\t"), key=lambda mark: head.count(mark.encode()))
        self.kinds = {**form.features, **COLUMNS}
        self.columns = self._columns()

    def lines(self) -> Iterator[Line]:
        for number, cells in islice(self._cells(), 1, None):
            if len(cells) != len(self.columns):
                raise self._refusal(
                    f"line {number} has {len(cells)} cells, the header names {len(self.columns)} columns; "
                    "quote cells that hold the separator"
                )
            yield Line(number, cells, self._row(number, dict(zip(self.columns, cells, strict=True))))

    def count(self) -> int:
        """Read the whole file, so that nothing is decided of one that can't be read to its end."""
        rows = sum(1 for _ in self.lines())
        if not rows:
            raise self._refusal("has no rows below its header; send one for each unit")
        return rows

    def _columns(self) -> list[str]:
        _, head = next(self._cells(), (0, None))
        if head is None:
            raise self._refusal("is empty; send a header and a row for each unit")
        columns = [cell.strip() for cell in head]
        needed = ["unit_id", "score"] + ([] if self.form.version else ["version"])
        known = [*COLUMNS, *(feature for feature in self.form.features if feature not in (*COLUMNS, *ADDED))]
        for column in columns:
            if column not in known:
                raise self._refusal(
                    f"line 1: the column {column[:100]!r} is not known; rename it to one of {', '.join(known)}, "
                    "or take it out"
                )
            if columns.count(column) > 1:
                raise self._refusal(f"line 1: the column {column!r} stands twice; take one out")
        for column in needed:
            if column not in columns:
                raise self._refusal(f"line 1: the column {column!r} is missing; add it")
        return columns

    def _row(self, number: int, cells: Mapping[str, str]) -> dict[str, Any]:
        # an empty cell says nothing, except where every row must say something
        said = {
            column: self._value(number, column, cell)
            for column, cell in cells.items()
            if cell or column in ("unit_id", "score")
        }
        form = self.form
        prediction = {
            "model": form.model,
            "version": said.get("version", form.version),
            "score": said["score"],
            "predicted_at": said.get("predicted_at", form.predicted_at),
            "features": {name: said[name] for name in form.features if name in said and name not in COLUMNS},
        }
        row = {
            "source": form.source,
            "event_id": said.get("event_id", f"line {number}"),
            "decision_point": form.decision_point,
            "unit_id": said["unit_id"],
            "prediction": prediction,
        }
        return row | {name: said[name] for name in ("cluster_id", "segment") if name in said}

    def _value(self, number: int, column: str, cell: str) -> Any:
        read, remedy = READERS[self.kinds[column]]
        try:
            return read(cell)
        except ValueError as error:
            raise self._refusal(f"line {number}, column {column!r}: {cell[:100]!r} {remedy}") from error

    def _cells(self) -> Iterator[tuple[int, list[str]]]:
        """Give the cells of each row that isn't blank, with the line it begins in."""
        number = 1
        with self.path.open("rb") as file:
            reader = csv.reader(self._texts(file), delimiter=self.delimiter, strict=True)
            try:
                for cells in reader:
                    if cells:
                        yield number, cells
                    number = reader.line_num + 1
            except csv.Error as error:
                raise self._refusal(f"line {number} is not CSV: {error}; save the file as CSV again") from error

    def _texts(self, file: Iterable[bytes]) -> Iterator[str]:
        for number, line in enumerate(file, start=1):
            try:
                yield (line.removeprefix(codecs.BOM_UTF8) if number == 1 else line).decode()
            except UnicodeDecodeError as error:
                raise self._refusal(f"line {number} is not UTF-8; save the file as UTF-8") from error

    def _refusal(self, detail: str) -> Refusal:
        return Refusal("bad-file", f"{self.name} {detail}.")


def _text(cell: str) -> str:
    if "\x00" in cell:
        raise ValueError(cell)
    return cell


def _number(cell: str) -> float:
    number = float(cell)
    if "_" in cell or not math.isfinite(number):
        raise ValueError(cell)
    return number


def _boolean(cell: str) -> bool:
    if cell.lower() not in ("true", "false"):
        raise ValueError(cell)
    return cell.lower() == "true"


def _time(cell: str) -> datetime:
    at = datetime.fromisoformat(cell)
    if at.tzinfo is None:
        raise ValueError(cell)
    return at


READERS: Mapping[str, tuple[Callable[[str], Any], str]] = {
    "text": (_text, "holds a NUL; take it out"),
    "number": (_number, "is no number; write it like 0.25"),
    "boolean": (_boolean, "is neither true nor false; write one of the two"),
    "time": (_time, "is no time with its zone; write it like 2026-01-31T12:00:00Z"),
}
