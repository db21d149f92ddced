"""A snapshot's tables as DuckDB reads them from its files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from impact.agreements.plan import Plan
from impact.analysis.quoting import identifier, literal
from impact.analysis.tables import columns

_KINDS = {pa.string(): "VARCHAR", pa.float64(): "DOUBLE", pa.bool_(): "BOOLEAN", pa.int64(): "BIGINT"}


def frozen(manifest: Mapping[str, Any], name: str, plan: Plan, home: Path) -> str:
    """Return what may follow FROM: all files of a table, which may be none."""
    files = [literal(str(home / file["name"])) for file in manifest["files"][name]]
    if files:
        return f"read_parquet([{', '.join(files)}])"
    empty = ", ".join(f"NULL::{_KINDS[kind]} AS {identifier(one)}" for one, kind in columns(name, plan).items())
    return f"(SELECT {empty} LIMIT 0)"
