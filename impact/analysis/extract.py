"""Rows of a query as Arrow columns: by COPY from PostgreSQL, in batches from SQLite."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any
from uuid import UUID

import pyarrow as pa
import pyarrow.csv
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet

BATCH = 10_000
TEXT, NUMBER, FLAG, TIME = pa.string(), pa.float64(), pa.bool_(), pa.timestamp("us", "UTC")
# name of the column -> what Django asks for, and its type
Fields = Mapping[str, tuple[Any, pa.DataType]]


def extract(rows: QuerySet[Any], fields: Fields) -> pa.Table:
    """Fetch these columns of the rows, in the order of the query."""
    asked = rows.values_list(*(expression for expression, _ in fields.values()))
    kinds = {name: kind for name, (_, kind) in fields.items()}
    return _copied(asked, kinds) if connection.vendor == "postgresql" else _fetched(asked, kinds)


def _copied(rows: QuerySet[Any], kinds: Mapping[str, pa.DataType]) -> pa.Table:
    text = io.BytesIO()
    try:
        asked = rows.query.sql_with_params()
    except EmptyResultSet:
        # asks for one of no types
        return pa.schema(list(kinds.items())).empty_table()
    with connection.cursor() as cursor:
        query = cursor.mogrify(*asked).decode()
        cursor.copy_expert(f"COPY ({query}) TO STDOUT (FORMAT csv)", text)
    if not text.tell():
        return pa.schema(list(kinds.items())).empty_table()
    text.seek(0)
    return pyarrow.csv.read_csv(
        text,
        read_options=pyarrow.csv.ReadOptions(column_names=list(kinds), use_threads=False),
        parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=dict(kinds),
            # a missing value is bare, an empty text is in quotes
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            true_values=["t"],
            false_values=["f"],
        ),
    )


def _fetched(rows: QuerySet[Any], kinds: Mapping[str, pa.DataType]) -> pa.Table:
    schema = pa.schema(list(kinds.items()))
    return pa.Table.from_batches(_batches(rows, schema), schema)


def _batches(rows: QuerySet[Any], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    found = rows.iterator(BATCH)
    while some := list(islice(found, BATCH)):
        columns = zip(*some, strict=True)
        arrays = [pa.array(map(_plain, column), field.type) for column, field in zip(columns, schema, strict=True)]
        yield pa.record_batch(arrays, schema=schema)


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, UUID) else value
