"""Lines whose values go to several tables: on PostgreSQL by one statement, which reads them from one text of JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from operator import attrgetter
from typing import Any

import msgspec
from django.db import connection, models

from workspaces.canonical import CanonicalJSONField
from workspaces.facts import PLAIN, own_connection, prepared


@dataclass(frozen=True, eq=False)
class Into:
    """A table that lines go to, and how: JSON is text in them, and times may be."""

    model: type[models.Model]
    # columns that a line's field of the same name isn't for
    called: Mapping[str, str] = field(default_factory=dict)
    # only lines that have this field
    having: str = ""
    # one order for all that write, so that they wait for each other instead of locking each other out
    order: tuple[str, ...] = ()

    def columns(self) -> dict[str, models.Field]:
        """The table's fields by the names that lines have for them, in the table's order."""
        return {self.called.get(one.attname, one.attname): one for one in self.model._meta.concrete_fields}


def insertions(lines: Sequence[msgspec.Struct], tables: tuple[Into, ...]) -> list[tuple[str, list[Any]]]:
    """Return statements that insert these lines, and their parameters; nothing for no lines."""
    if not lines:
        return []
    own = own_connection()
    if own.vendor == "postgresql":
        return [(prepared(own, _of_postgres(tables), "json"), [msgspec.json.encode(lines).decode()])]
    return [_of_values(lines, into) for into in tables if _among(lines, into)]


@cache
def _of_postgres(tables: tuple[Into, ...]) -> str:
    kinds = {name: one.db_type(connection) for into in tables for name, one in into.columns().items()}
    sent = ", ".join(f"{name} {kind}" for name, kind in kinds.items())
    *others, last = [_selection(into) for into in tables]
    before = "".join(f", into_{place} AS ({one})" for place, one in enumerate(others))
    return f"WITH sent AS (SELECT * FROM json_to_recordset($1) AS one ({sent})){before} {last}"


def _selection(into: Into) -> str:
    having = f" WHERE {into.having} IS NOT NULL" if into.having else ""
    order = f" ORDER BY {', '.join(into.order)}" if into.order else ""
    return f"{_head(into)} SELECT {', '.join(into.columns())} FROM sent{having}{order}"


def _of_values(lines: Sequence[msgspec.Struct], into: Into) -> tuple[str, list[Any]]:
    columns = into.columns()
    read, ready = attrgetter(*columns), [_prepare(one) for one in columns.values()]
    rows = [read(line) for line in _among(lines, into)]
    one = f"({', '.join(['%s'] * len(columns))})"
    values = [make(value) if make else value for row in rows for make, value in zip(ready, row, strict=True)]
    return f"{_head(into)} VALUES {', '.join([one] * len(rows))}", values


def _among(lines: Sequence[msgspec.Struct], into: Into) -> Sequence[msgspec.Struct]:
    return [line for line in lines if getattr(line, into.having) is not None] if into.having else lines


def _head(into: Into) -> str:
    quote = connection.ops.quote_name
    columns = ", ".join(quote(one.column or "") for one in into.columns().values())
    return f"INSERT INTO {quote(into.model._meta.db_table)} ({columns})"


def _prepare(one: models.Field) -> Any:
    if isinstance(one, CanonicalJSONField) or one.get_internal_type() in PLAIN:
        return None
    return lambda value: one.get_db_prep_save(value, connection)
