"""Facts: rows that clients report once, that never change, and that are known by source and event id."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from operator import attrgetter
from typing import Any, TypeVar
from uuid import UUID
from weakref import WeakKeyDictionary

import msgspec
from django.db import DEFAULT_DB_ALIAS, connection, connections, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.base import ModelState

from workspaces.canonical import CanonicalJSONField
from workspaces.scoping import Owned

# how many values SQLite takes in one statement
PARAMETERS = 32_000
PLAIN = ("CharField", "FloatField", "PositiveIntegerField", "BooleanField")
Prepare = Callable[[Any], Any]


def declared(to: Any, *, null: bool = False, related_name: str = "+") -> Any:
    """Refer to something declared: it is never deleted, so no fact's reference need be checked or found by index."""
    return models.ForeignKey(
        to, on_delete=models.PROTECT, null=null, related_name=related_name, db_index=False, db_constraint=False
    )


class Fact(Owned):
    workspace = declared("workspaces.Workspace")
    source = models.CharField(max_length=200)
    event_id = models.CharField(max_length=200)
    digest = models.CharField(max_length=64)
    received_at = models.DateTimeField()

    class Meta:
        abstract = True
        constraints = [
            # what differs most comes first, so that the index also serves where the planner has no statistics yet
            models.UniqueConstraint(fields=["event_id", "source", "workspace"], name="%(class)s_once_an_event")
        ]


_prepared: WeakKeyDictionary[Any, dict[str, str]] = WeakKeyDictionary()
M = TypeVar("M", bound=models.Model)


def unsaved(model: type[M], **values: Any) -> M:
    """Make a row of these values and the fields' defaults, as ``model(**values)`` does, at a tenth of the time."""
    row = model.__new__(model)
    row._state = ModelState()
    constants, calls, relations = _defaults(model)
    content, related = row.__dict__, row._state.fields_cache
    content.update(constants)
    for name, default in calls:
        content[name] = values[name] if name in values else default()
    for name, value in values.items():
        if name in relations:
            related[name] = value
            content[relations[name]] = value.pk if value else None
        else:
            content[name] = value
    return row


@cache
def _defaults(
    model: type[models.Model],
) -> tuple[dict[str, Any], list[tuple[str, Callable[[], Any]]], dict[str, str]]:
    """Defaults that are one value, those that are made each time, and the column of each relation."""
    constants, calls = {}, []
    for field in model._meta.concrete_fields:
        if callable(field.default) and field.default is not models.NOT_PROVIDED:
            calls.append((field.attname, field.default))
        else:
            constants[field.attname] = field.get_default()
    relations = {field.name: field.attname for field in model._meta.concrete_fields if field.is_relation}
    return constants, calls, relations


def own_connection() -> BaseDatabaseWrapper:
    """The thread's connection itself: Django's stand-in looks for it anew at every word."""
    return connections[DEFAULT_DB_ALIAS]


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
    primary = model._meta.pk
    answer = f"ON CONFLICT DO NOTHING RETURNING {connection.ops.quote_name(primary.column or '')}"
    step = max(1, PARAMETERS // len(names))
    inserted: set[Any] = set()
    with connection.cursor() as cursor:
        for start in range(0, len(rows), step):
            cursor.execute(*_statement(model, names, rows[start : start + step], answer))
            inserted.update(primary.to_python(value) for (value,) in cursor.fetchall())
    return inserted


def insertion(rows: Sequence[models.Model], on_conflict: str = "") -> tuple[str, list[Any]]:
    """Return the statement that inserts these rows, and its parameters; nothing for no rows."""
    if not rows:
        return "", []
    names = [field.attname for field in rows[0]._meta.concrete_fields]
    read = attrgetter(*names)
    return _statement(type(rows[0]), names, [read(row) for row in rows], on_conflict)


def run_together(statements: Iterable[tuple[str, list[Any]]]) -> None:
    """Run statements that all hold or all don't; on PostgreSQL in one round trip."""
    wanted = [(sql, parameters) for sql, parameters in statements if sql]
    own = own_connection()
    if own.vendor == "postgresql" and not own.in_atomic_block:
        # statements sent together are one transaction
        with own.cursor() as cursor:
            cursor.execute(
                ";\n".join(sql for sql, _ in wanted), [value for _, parameters in wanted for value in parameters]
            )
        return
    with transaction.atomic(), own.cursor() as cursor:
        for sql, parameters in wanted:
            cursor.execute(sql, parameters)


def prepared(own: BaseDatabaseWrapper, sql: str, *kinds: str) -> str:
    """Return what executes a statement that PostgreSQL plans once a connection; planning takes longer than running."""
    own.ensure_connection()
    known = _prepared.setdefault(own.connection, {})
    if sql not in known:
        name = f"impact_{len(known)}"
        with own.cursor() as cursor:
            cursor.execute(f"PREPARE {name} ({', '.join(kinds)}) AS {sql}")
        known[sql] = f"EXECUTE {name} ({', '.join(['%s'] * len(kinds))})"
    return known[sql]


def _statement(
    model: type[models.Model], names: Sequence[str], rows: Sequence[Sequence[Any]], tail: str
) -> tuple[str, list[Any]]:
    """Return an INSERT and its parameters: PostgreSQL reads many rows fastest from one text of JSON."""
    own = own_connection()
    vendor = own.vendor
    head, one, prepare = _columns(model, tuple(names), vendor)
    ready = [[make(value) if make else value for make, value in zip(prepare, row, strict=True)] for row in rows]
    if vendor == "postgresql":
        sent = msgspec.json.encode([dict(zip(names, row, strict=True)) for row in ready]).decode()
        return prepared(own, f"{head} SELECT sent.* FROM json_to_recordset($1) AS sent ({one}) {tail}", "json"), [sent]
    places = ", ".join([one] * len(ready))
    return f"{head} VALUES {places} {tail}", [value for row in ready for value in row]


@cache
def _columns(model: type[models.Model], names: tuple[str, ...], vendor: str) -> tuple[str, str, list[Prepare | None]]:
    """The head of an INSERT, what one row is there, and how values are prepared."""
    by_name = {field.attname: field for field in model._meta.concrete_fields}
    fields = [by_name[name] for name in names]
    quote = connection.ops.quote_name
    columns = ", ".join(quote(field.column or "") for field in fields)
    if vendor == "postgresql":
        one = ", ".join(f"{quote(field.attname)} {field.db_type(connection)}" for field in fields)
    else:
        one = f"({', '.join(['%s'] * len(fields))})"
    head = f"INSERT INTO {quote(model._meta.db_table)} ({columns})"
    return head, one, [_preparation(field, vendor) for field in fields]


def _preparation(field: models.Field, vendor: str) -> Prepare | None:
    """What turns a value of the field into what the database takes; JSON takes ids and times as they are."""
    if isinstance(field, CanonicalJSONField):
        return field.get_prep_value
    if vendor == "postgresql" or field.get_internal_type() in PLAIN:
        return None
    return lambda value: field.get_db_prep_save(value, connection)


def stored(
    model: type[Fact], workspace: Any, events: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], tuple[UUID, str]]:
    """Return id and digest of the facts that are already stored, by source and event id."""
    own = own_connection()
    if own.vendor == "postgresql":
        sent = [{"source": source, "event_id": event_id} for source, event_id in events]
        if not sent:
            return {}
        with own.cursor() as cursor:
            # each looks up its own, as docs/decisions/0007 has it
            sql = (
                "SELECT sent.source, sent.event_id, first.id, first.digest "
                "FROM json_to_recordset($1) AS sent (source text, event_id text) CROSS JOIN LATERAL (SELECT id, digest "
                f"FROM {model._meta.db_table} AS one WHERE one.event_id = sent.event_id AND one.source = sent.source "
                "AND one.workspace_id = $2 OFFSET 0) AS first"
            )
            cursor.execute(prepared(own, sql, "json", "uuid"), [msgspec.json.encode(sent).decode(), workspace.pk])
            return {(source, event_id): (pk, digest) for source, event_id, pk, digest in cursor.fetchall()}
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
