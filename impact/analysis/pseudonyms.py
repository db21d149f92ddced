"""Names that stand for units in snapshots: the same within a workspace, and without its key nobody's."""

from __future__ import annotations

import hmac
from collections.abc import Callable

import pyarrow as pa


class Pseudonyms:
    """Names by the workspace's key."""

    def __init__(self, key: str) -> None:
        self.secret = key.encode()

    def of(self, name: str) -> str:
        return hmac.digest(self.secret, name.encode(), "sha256").hex()[:24]

    def column(self, names: pa.ChunkedArray) -> pa.Array:
        return each(names, self.of)


def each(column: pa.ChunkedArray, of: Callable[[str], str | None]) -> pa.Array:
    """Put what ``of`` says of each text in its place; every different one is asked about once."""
    encoded = column.combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    return pa.array([of(one) for one in encoded.dictionary.to_pylist()], pa.string()).take(encoded.indices)
