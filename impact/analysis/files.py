"""Files of snapshots: Parquet that is never changed, named by its own digest."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from django.conf import settings

from impact.analysis.models import Snapshot
from impact.analysis.quoting import identifier, literal
from workspaces.canonical import digest

# so few rows are read where only some units are wanted: the files are sorted by unit
ROWS_A_GROUP = 20_000
MODULUS = 1 << 96
TABLES = ("rows", "decisions", "executions", "outcomes", "costs")


class File(NamedTuple):
    """One file of a table; ``content`` is what its rows add to the content of a snapshot."""

    name: str
    rows: int
    sha256: str
    content: int


def directory(workspace_key: str) -> Path:
    """Where the files of a workspace's snapshots are."""
    return settings.DATA_DIR / "snapshots" / workspace_key


def write(home: Path, name: str, table: pa.Table) -> File:
    """Write a table's file, once; the same rows make the same file."""
    home.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=home, prefix=".draft-")
    os.close(handle)
    try:
        pq.write_table(table, draft, compression="zstd", row_group_size=ROWS_A_GROUP)
        sha256 = _sha256(Path(draft)) or ""
        file = f"{name}-{sha256[:32]}.parquet"
        if not (home / file).exists():
            with_contents_on_disk(Path(draft), home)
            os.replace(draft, home / file)
    finally:
        Path(draft).unlink(missing_ok=True)
    with _quiet() as connection:
        connection.register("frozen", table)
        return File(file, table.num_rows, sha256, _content(connection, "frozen", table.column_names))


def total(files: list[File]) -> dict[str, Any]:
    """Rows and content of a table: the same however its rows are spread over files."""
    return {
        "rows": sum(file.rows for file in files),
        "content": f"{sum(file.content for file in files) % MODULUS:024x}",
    }


def content_digest(manifest: dict[str, Any]) -> str:
    """Digest of what a snapshot says, in whichever files it is."""
    return digest({name: value for name, value in manifest.items() if name != "files"})


def damaged(snapshot: Snapshot) -> list[str]:
    """Names of the snapshot's files that are missing or whose content isn't what was frozen."""
    home, manifest = directory(snapshot.workspace.key), snapshot.manifest
    files = [file for name in TABLES for file in manifest["files"][name]]
    wrong = [file["name"] for file in files if _sha256(home / file["name"]) != file["sha256"]]
    if wrong:
        return wrong
    again = {name: total([_read(home, file) for file in manifest["files"][name]]) for name in TABLES}
    same = again == manifest["tables"] and content_digest(manifest) == snapshot.sha256
    return [] if same else ["manifest"]


def with_contents_on_disk(*paths: Path) -> None:
    """Make sure that a power cut after the move can't leave empty files behind."""
    for path in paths:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _read(home: Path, file: dict[str, Any]) -> File:
    path = home / file["name"]
    schema = pq.read_schema(path)
    with _quiet() as connection:
        content = _content(connection, f"read_parquet({literal(str(path))})", schema.names)
        [(rows,)] = connection.execute(f"SELECT count(*) FROM read_parquet({literal(str(path))})").fetchall()
    return File(file["name"], rows, file["sha256"], content)


def _quiet() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(config={"threads": 1})
    # what a command prints stays its own
    connection.execute("SET enable_progress_bar = false")
    return connection


def _content(connection: duckdb.DuckDBPyConnection, relation: str, columns: list[str]) -> int:
    """Add up numbers that stand for the rows, in any order: each begins its row's SHA-256."""
    # chr(30) is a missing value, which is no empty text
    texts = ", ".join(f"coalesce({identifier(column)}::varchar, chr(30))" for column in columns)
    number = f"('0x' || substr(sha256(concat_ws(chr(31), {texts})), 1, 24))::hugeint"
    [(content,)] = connection.execute(f"SELECT coalesce(sum({number}), 0) FROM {relation}").fetchall()
    return int(content) % MODULUS


def _sha256(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return None
