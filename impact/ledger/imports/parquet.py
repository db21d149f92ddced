"""A Parquet file of facts: its columns as texts and numbers, batch by batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from impact.ledger.imports.file import ROWS_A_CHUNK, Chunk, check_columns, checked, typed
from workspaces.errors import Refusal
from workspaces.strict import Row

NUMBERS = ("value", "amount", "score")


class ParquetFile:
    """Rows are numbered from 1."""

    def __init__(self, path: Path, shape: type[Row], name: str) -> None:
        try:
            self.file = pq.ParquetFile(path)
            check_columns(self.file.schema_arrow.names, shape, name)
            # each column is tried empty, so that one of a type that can't be read is refused before the rows are
            for field in self.file.schema_arrow:
                cells(field.name, pa.array([], field.type))
        except pa.ArrowInvalid as error:
            raise Refusal("bad-file", f"{name} can't be read as Parquet: {error}.") from error
        except pa.ArrowNotImplementedError as error:
            raise Refusal("bad-file", f"{name} has a column of a type that can't be read: {error}.") from error

    def chunks(self) -> Iterator[Chunk]:
        done, total = 0, max(1, self.file.metadata.num_rows)
        for batch in self.file.iter_batches(ROWS_A_CHUNK):
            columns = {name: cells(name, batch.column(place)) for place, name in enumerate(batch.schema.names)}
            numbers = range(done + 1, done + batch.num_rows + 1)
            done += batch.num_rows
            yield Chunk(numbers, _Documents(columns), done / total, columns)


class _Documents:
    def __init__(self, columns: dict[str, Sequence[Any]]) -> None:
        self.columns = columns

    def __call__(self, place: int) -> Any:
        said = {name: column[place] for name, column in self.columns.items() if column[place] is not None}
        return checked({name: typed(name, one) if isinstance(one, str) else one for name, one in said.items()})


def cells(name: str, column: Any) -> Sequence[Any]:
    """Texts, times in UTC as texts, and numbers where the rows have numbers; decimals are texts too."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return cells(name, column.dictionary_decode())
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        column = column.cast(pa.timestamp("us", "UTC"), safe=False)
    if (name == "estimated" and pa.types.is_boolean(kind)) or (name == "features" and pa.types.is_nested(kind)):
        return column.to_pylist()
    if pa.types.is_boolean(kind) or pa.types.is_nested(kind) or pa.types.is_binary(kind):
        raise pa.ArrowNotImplementedError(f"{name} is of the type {kind}")
    if name in NUMBERS and (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        return column.cast(pa.float64(), safe=False).to_pylist()
    return column.cast(pa.string()).to_pylist()
