"""From the cells of a file to checked values: one record a row, or a complaint that names its place."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from experiments.models import Arm, Assignment
from experiments.setup import joined
from impact.agreements.loading.specification import Specification
from impact.agreements.loading.table import Line, Table
from workspaces.errors import Refusal
from workspaces.identifiers import ID_BYTES, ID_PATTERN

EMPTY = ("", "NA", "NaN", "nan", "null", "NULL", "None")
LONGEST_LABEL = Arm._meta.get_field("key").max_length or 0
LONGEST_STRATUM = Assignment._meta.get_field("stratum").max_length or 0
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


@dataclass(frozen=True, slots=True)
class Record:
    """One row of the experiment."""

    key: str
    unit: str
    arm: str
    stratum: str
    phase: str
    cluster: str
    propensity: float | None
    # column -> number, None where it is censored
    numbers: dict[str, float | None]
    cost: float | None
    covariates: dict[str, float | None]
    segments: dict[str, str]


def read_records(table: Table, spec: Specification) -> list[Record]:
    """Check every row; the first bad one ends it."""
    at = _positions(table, spec)
    cell = _Cells(table, spec, at)
    seen: dict[str, int] = {}
    records = []
    for line in table.lines:
        arm = cell.label(line, spec.arm.column, "names no arm; write one, or leave the row out")
        if spec.weights is not None and arm not in spec.weights:
            raise table.refuse(
                line.number, spec.arm.column, arm, f"is not an arm that weights lists: {', '.join(spec.weights)}"
            )
        unit = f"row-{line.number:07d}" if spec.unit.column is None else cell.identifier(line, spec.unit.column)
        times = seen[unit] = seen.get(unit, 0) + 1
        if times > 1 and not spec.cluster and not spec.phase:
            raise table.refuse(
                line.number,
                spec.unit.column or "",
                unit,
                "stands in an earlier row too; keep one row a unit, or name the cluster or phase that explains it",
            )
        records.append(
            Record(
                key=unit if times == 1 else "",
                unit=unit,
                arm=arm,
                stratum=cell.stratum(line, spec.strata),
                phase=cell.label(line, spec.phase, "is empty") if spec.phase else "1",
                cluster=cell.identifier(line, spec.cluster.column) if spec.cluster else "",
                propensity=cell.propensity(line, spec.propensity.column) if spec.propensity else None,
                numbers={column: check(line, column) for column, check in cell.numbers.items()},
                cost=cell.amount(line, spec.cost_column) if spec.cost_column else None,
                covariates={column: cell.number(line, column) for column in spec.covariates},
                segments={column: str(cell.of(line, column)).strip() for column in spec.segments},
            )
        )
    _check_arms(table, spec, {record.arm for record in records})
    return _with_keys(records)


def _with_keys(records: list[Record]) -> list[Record]:
    """Give the later rows of a unit keys that are nobody's id."""
    times: dict[str, int] = {}
    ids = {record.unit for record in records}
    for place, record in enumerate(records):
        number = times[record.unit] = times.get(record.unit, 0) + 1
        if not record.key:
            key = f"{record.unit}#{number}"
            while key in ids:
                key += "#"
            ids.add(key)
            records[place] = replace(record, key=key)
    return records


class _Cells:
    """Readers of one row's cells."""

    def __init__(self, table: Table, spec: Specification, at: dict[str, int]) -> None:
        self.table, self.at, self.missing = table, at, spec.missing
        self.numbers: dict[str, Callable[[Line, str], float | None]] = {}
        if spec.value:
            self.numbers[spec.value.column] = self.number
        for metric in spec.metrics:
            if metric.kind == "proportion":
                self.numbers[metric.column] = self.zero_or_one
            else:
                self.numbers.setdefault(metric.column, self.number)

    def of(self, line: Line, column: str) -> Any:
        value = line.cells[self.at[column]]
        return "" if value is None else value

    def label(self, line: Line, column: str, problem: str) -> str:
        text = self.text(line, column, problem)
        if "\x00" in text or len(text) > LONGEST_LABEL:
            problem = f"holds a NUL or has over {LONGEST_LABEL} characters; clean it"
            raise self.table.refuse(line.number, column, text, problem)
        return text

    def stratum(self, line: Line, columns: list[str]) -> str:
        text = joined(self.label(line, column, "is empty") for column in columns)
        if len(text) > LONGEST_STRATUM:
            problem = f"makes strata of over {LONGEST_STRATUM} characters; shorten the labels"
            raise self.table.refuse(line.number, columns[-1], text, problem)
        return text

    def text(self, line: Line, column: str, problem: str) -> str:
        value = self.of(line, column)
        text = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()
        if not text:
            raise self.table.refuse(line.number, column, value, problem)
        return text

    def identifier(self, line: Line, column: str) -> str:
        text = self.text(line, column, "is empty; every row needs an id, or write unit: {generate: true}")
        if not re.match(ID_PATTERN, text) or len(text.encode()) > ID_BYTES:
            raise self.table.refuse(
                line.number, column, text, f"holds invisible characters or has over {ID_BYTES} bytes; clean it"
            )
        return text

    def number(self, line: Line, column: str) -> float | None:
        value = self.of(line, column)
        if isinstance(value, str):
            text = value.strip()
            if text in EMPTY:
                return self._empty(line, column, value)
            if not NUMBER.fullmatch(text):
                raise self.table.refuse(line.number, column, value, "is no number; write it like 12.5")
            value = float(text)
        if not isinstance(value, int | float) and not hasattr(value, "__float__"):
            raise self.table.refuse(line.number, column, value, "is no number; write it like 12.5")
        number = float(value)
        if math.isnan(number):
            return self._empty(line, column, value)
        if abs(number) >= 1e15:
            raise self.table.refuse(line.number, column, self.of(line, column), "is too large; it must be below 1e15")
        return number

    def amount(self, line: Line, column: str) -> float:
        number = self.number(line, column)
        if number is None:
            raise self.table.refuse(line.number, column, "", "is empty; a cost can't be censored, so fill it")
        return number

    def zero_or_one(self, line: Line, column: str) -> float | None:
        value = self.of(line, column)
        if str(value).strip().lower() in ("true", "false"):
            return float(str(value).strip().lower() == "true")
        number = self.number(line, column)
        if number not in (0.0, 1.0, None):
            raise self.table.refuse(line.number, column, value, "must be 0 or 1 in a proportion; or make it kind: mean")
        return number

    def propensity(self, line: Line, column: str) -> float:
        number = self.number(line, column)
        if number is None or not 0 < number <= 1:
            raise self.table.refuse(line.number, column, self.of(line, column), "must be a probability in (0, 1]")
        return number

    def _empty(self, line: Line, column: str, value: Any) -> float | None:
        if self.missing == "refuse":
            remedy = "is empty; fill it, or write missing: zero or missing: censored in the specification"
            raise self.table.refuse(line.number, column, value, remedy)
        return 0.0 if self.missing == "zero" else None


def _positions(table: Table, spec: Specification) -> dict[str, int]:
    at = {name: place for place, name in enumerate(table.columns)}
    for column, where in spec.columns().items():
        if column not in at:
            alike = difflib.get_close_matches(column, table.columns, 1)
            hint = f"did you mean {alike[0]!r}? " if alike else ""
            if where == "unit":
                hint += "a file without ids: unit: {generate: true}. "
            raise Refusal(
                "bad-file",
                f"{table.path} {table.place} 1 has no column {column!r}, which {where} names; {hint}"
                f"Its columns are {', '.join(table.columns)}",
            )
    return at


def _check_arms(table: Table, spec: Specification, arms: set[str]) -> None:
    listed = {spec.arm.baseline: "arm.baseline"}
    listed |= dict.fromkeys(spec.weights or {}, "weights")
    listed |= {arm: listed.get(arm, "cost") for arm in spec.cost_by_arm or {}}
    for arm, where in listed.items():
        if arm not in arms:
            raise Refusal(
                "bad-file",
                f"{table.path}, column {spec.arm.column!r}: the arm {arm!r}, which {where} names, has no rows; "
                f"arms there are {', '.join(sorted(arms)) or 'none'}",
            )
    if len(arms) < 2:
        raise Refusal(
            "bad-file", f"{table.path}, column {spec.arm.column!r}: only one arm, {arms.pop()!r}; two are compared"
        )
