"""Every form that a file of rows may have, and what is said of one that can't be read."""

from __future__ import annotations

import gzip
import io
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from impact.agreements.loading.table import Table
from workspaces.errors import Refusal

ROWS = [["unit", "arm", "y"], ["u1", "a", "1"], ["u2", "b", "2"]]
TEXT = "\n".join(",".join(row) for row in ROWS)


def table(folder: Path, content: str | bytes, name: str = "rows") -> Table:
    file = folder / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return Table(file)


def parquet(columns: dict[str, Any]) -> bytes:
    content = io.BytesIO()
    pq.write_table(pa.table(columns), content)
    return content.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        TEXT,
        TEXT + "\n",
        TEXT.replace(",", ";"),
        TEXT.replace(",", "\t"),
        TEXT.replace(",", "  ").replace("\n", "  \n"),
        TEXT.replace("\n", "\r\n"),
        TEXT.replace("\n", "\r"),
        TEXT.replace("\n", "\n\n") + "\n\n",
        "\ufeff" + TEXT,
        TEXT.replace("arm", " arm "),
        gzip.compress(TEXT.encode()),
        gzip.compress(("\ufeff" + TEXT).encode()),
        parquet({"unit": ["u1", "u2"], "arm": ["a", "b"], "y": ["1", "2"]}),
    ],
    ids=[
        "comma", "newline at the end", "semicolon", "tab", "blanks", "CRLF", "CR", "empty lines", "BOM",
        "padded header", "gzip", "gzip with BOM", "Parquet",
    ],
)  # fmt: skip
def test_reads(tmp_path: Path, content: str | bytes) -> None:
    found = table(tmp_path, content)
    assert found.columns == ROWS[0]
    assert [list(line.cells) for line in found.lines] == ROWS[1:]


def test_a_cell_may_hold_separators_quotes_and_newlines(tmp_path: Path) -> None:
    found = table(tmp_path, 'unit,arm,y\nu1,"a, ""b""\nc",1\nu2,b,2\n')
    assert [(line.number, list(line.cells)) for line in found.lines] == [
        (2, ["u1", 'a, "b"\nc', "1"]),
        (4, ["u2", "b", "2"]),
    ]


def test_names_may_be_in_any_script(tmp_path: Path) -> None:
    assert table(tmp_path, "顧客,群,y\n一,甲,1\n").columns == ["顧客", "群", "y"]


def test_parquet_keeps_types_and_counts_rows(tmp_path: Path) -> None:
    found = table(tmp_path, parquet({"arm": [0, 1], "y": [1.5, None], "cost": [Decimal("0.10"), Decimal("2")]}))
    assert (found.place, found.columns) == ("row", ["arm", "y", "cost"])
    assert list(found.lines) == [(1, (0, 1.5, Decimal("0.10"))), (2, (1, None, Decimal("2.00")))]


def test_says_what_the_file_is_known_by(tmp_path: Path) -> None:
    assert table(tmp_path, TEXT).sha256 == table(tmp_path, TEXT, "other name").sha256
    assert table(tmp_path, TEXT).sha256 != table(tmp_path, TEXT + "\n").sha256


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "line 1 is empty; it must name the columns"),
        ("\n1,2\n", "line 1 is empty; it must name the columns"),
        ("unit,arm,unit\n", "line 1: the column 'unit' stands twice; rename one"),
        ("unit,arm\nu1,a\nu2\n", "line 3 has 1 cells, the header names 2 columns; quote cells that hold the separator"),
        ("unit,arm\nu1,a,3\n", "line 2 has 3 cells, the header names 2 columns"),
        ("unit arm\nu1 the first\n", "line 2 has 3 cells, the header names 2 columns"),
        (b"unit,arm\nu1,a\nu2,M\xfcller\n", "line 3 is not UTF-8; save the file as UTF-8"),
        ('unit,arm\nu1,"a\nu2,b\n', "line 2 is not CSV: unexpected end of data"),
        ('unit,arm\nu1,"a"x\n', "line 2 is not CSV"),
        (gzip.compress(TEXT.encode(), mtime=0)[:-9], "can't be unpacked"),
        (b"\x1f\x8b\x08 no gzip at all", "can't be unpacked"),
        (b"PAR1 no Parquet at all", "can't be read as Parquet"),
    ],
)
def test_refuses(tmp_path: Path, content: str | bytes, said: str) -> None:
    with pytest.raises(Refusal) as refused:
        list(table(tmp_path, content).lines)
    assert refused.value.code == "bad-file"
    assert refused.value.detail.startswith(str(tmp_path / "rows")) and said in refused.value.detail


@pytest.mark.parametrize(("name", "why"), [("nothing.csv", "No such file"), ("", "Is a directory")])
def test_a_missing_file_is_said_to_be_missing(tmp_path: Path, name: str, why: str) -> None:
    with pytest.raises(Refusal, match=f"{why}.*; check the path"):
        Table(tmp_path / name)
