"""Facts: rows that clients report once, that never change, and that are known by source and event id."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from operator import attrgetter
from typing import Any, TypeVar
from uuid import UUID

from django.db import connection, models, transaction

from workspaces.canonical import CanonicalJSONField
from workspaces.scoping import Owned

PARAMETERS = 32_000
PLAIN = ("CharField", "FloatField", "PositiveIntegerField", "BooleanField")


class Fact(Owned):
    source = models.CharField(max_length=200)
    event_id = models.CharField(max_length=200)
    digest = models.CharField(max_length=64)
    received_at = models.DateTimeField()

    class Meta:
        abstract = True
        constraints = [
            models.UniqueConstraint(fields=["workspace", "source", "event_id"], name="%(class)s_once_an_event")
        ]


M = TypeVar("M", bound=models.Model)


def insert_new(rows: Sequence[M]) -> set[Any]:
    """Insert the rows that no unique constraint refuses and return their primary keys."""
    if not rows:
        return set()
    names = [field.attname for field in rows[0]._meta.concrete_fields]
    read = attrgetter(*names)
    return insert_rows(type(rows[0]), names, [read(row) for row in rows])


def insert_rows(model: type[models.Model], names: Sequence[str], rows: Sequence[Sequence[Any]]) -> set[Any]:
    """Insert rows given as values of these columns; without model objects, for files of many rows.

    The database decides who is first: nothing is looked up before, so racing writers can't both win.
    """
    columns_of = {field.attname: field.column or "" for field in model._meta.concrete_fields}
    fields = {field.attname: field for field in model._meta.concrete_fields}
    primary = model._meta.pk
    quote = connection.ops.quote_name
    columns = ", ".join(quote(columns_of[name]) for name in names)
    one = f"({', '.join(['%s'] * len(names))})"
    prepare = [_preparer(fields[name]) for name in names]
    step = max(1, PARAMETERS // len(names))
    inserted: set[Any] = set()
    with connection.cursor() as cursor:
        for start in range(0, len(rows), step):
            part = rows[start : start + step]
            cursor.execute(
                f"INSERT INTO {quote(model._meta.db_table)} ({columns}) VALUES {', '.join([one] * len(part))} "
                f"ON CONFLICT DO NOTHING RETURNING {quote(columns_of[primary.attname])}",
                [ready(value) for row in part for ready, value in zip(prepare, row, strict=True)],
            )
            inserted.update(primary.to_python(value) for (value,) in cursor.fetchall())
    return inserted


def insertion(rows: Sequence[models.Model], on_conflict: str = "") -> tuple[str, list[Any]]:
    """Return the statement that inserts these rows, and its parameters; nothing for no rows."""
    if not rows:
        return "", []
    names, head, one, prepare = _columns(type(rows[0]), connection.vendor)
    read = attrgetter(*names)
    parameters = [
        ready(value) if ready else value for row in rows for ready, value in zip(prepare, read(row), strict=True)
    ]
    return f"{head} {', '.join([one] * len(rows))} {on_conflict}", parameters


def run_together(statements: Iterable[tuple[str, list[Any]]]) -> None:
    """Run statements that all hold or all don't; on PostgreSQL in one round trip."""
    wanted = [(sql, parameters) for sql, parameters in statements if sql]
    if connection.vendor == "postgresql" and not connection.in_atomic_block:
        # statements sent together are one transaction
        with connection.cursor() as cursor:
            cursor.execute(
                ";\n".join(sql for sql, _ in wanted), [value for _, parameters in wanted for value in parameters]
            )
        return
    with transaction.atomic(), connection.cursor() as cursor:
        for sql, parameters in wanted:
            cursor.execute(sql, parameters)


@cache
def _columns(model: type[models.Model], vendor: str) -> tuple[list[str], str, str, list[Callable[[Any], Any] | None]]:
    """Attributes of a model's columns, the head of its INSERT, one row's places, and how values are prepared."""
    fields = model._meta.concrete_fields
    quote = connection.ops.quote_name
    columns = ", ".join(quote(field.column or "") for field in fields)
    head = f"INSERT INTO {quote(model._meta.db_table)} ({columns}) VALUES"
    prepare = [_plainly(field, vendor) for field in fields]
    return [field.attname for field in fields], head, f"({', '.join(['%s'] * len(fields))})", prepare


def _plainly(field: models.Field, vendor: str) -> Callable[[Any], Any] | None:
    """What turns a value of the field into what the database takes; psycopg2 takes ids and times as they are."""
    if isinstance(field, CanonicalJSONField):
        return field.get_prep_value
    if vendor == "postgresql" or field.get_internal_type() in PLAIN:
        return None
    return lambda value: field.get_db_prep_save(value, connection)


def _preparer(field: models.Field) -> Callable[[Any], Any]:
    """Turn a column's values into what the database takes; times and references repeat, so they are remembered."""
    if field.get_internal_type() in PLAIN:
        return lambda value: value
    if isinstance(field, CanonicalJSONField):
        return field.get_prep_value
    known: dict[Any, Any] = {}

    def prepare(value: Any) -> Any:
        if value not in known:
            known[value] = field.get_db_prep_save(value, connection)
        return known[value]

    return prepare


def stored(
    model: type[Fact], workspace: Any, events: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], tuple[UUID, str]]:
    """Return id and digest of the facts that are already stored, by source and event id."""
    by_source: dict[str, list[str]] = {}
    for source, event_id in events:
        by_source.setdefault(source, []).append(event_id)
    found = {}
    for source, ids in by_source.items():
        for start in range(0, len(ids), PARAMETERS):
            rows = model.objects.within(workspace).filter(source=source, event_id__in=ids[start : start + PARAMETERS])
            for pk, event_id, digest in rows.values_list("id", "event_id", "digest"):
                found[source, event_id] = (pk, digest)
    return found
