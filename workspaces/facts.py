"""Facts: rows that clients report once, that never change, and that are known by source and event id."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import Any, TypeVar
from uuid import UUID

from django.db import connection, models

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
