"""Checking the rows of a file: what is read from them, and how each bad one is refused with its place."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from impact.agreements.loading.rows import Record, read_records
from impact.agreements.loading.specification import read_specification
from impact.agreements.loading.table import Table
from tests.conftest import specification
from workspaces.errors import Refusal

ROWS = "unit,arm,y,cost,band,week,store,p,x\nu1,a,1,0.5,low,1,s1,0.25,7\nu2,b,0,2,high,2,s2,0.75,8\n"


def read(folder: Path, content: str | bytes, **spec: Any) -> list[Record]:
    file = folder / "rows.csv"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_records(Table(file), read_specification(specification(folder, **spec)))


def refusal(folder: Path, content: str | bytes, **spec: Any) -> str:
    """Return what is said after the file's name, which every refusal begins with."""
    with pytest.raises(Refusal) as refused:
        read(folder, content, **spec)
    file = str(folder / "rows.csv")
    assert refused.value.code == "bad-file" and refused.value.detail.startswith(file)
    return refused.value.detail.removeprefix(file).strip(" ,")


def test_reads_every_column_that_is_named(tmp_path: Path) -> None:
    first, second = read(
        tmp_path,
        ROWS,
        metrics=[{"key": "yes", "column": "y", "kind": "proportion"}],
        value={"column": "x"},
        cost={"column": "cost"},
        covariates=["x"],
        strata=["band", "week"],
        phase="week",
        segments=["band"],
        propensity={"column": "p"},
        cluster={"column": "store"},
    )
    assert first == Record(
        key="u1", unit="u1", arm="a", stratum="low|1", phase="1", cluster="s1", propensity=0.25,
        numbers={"x": 7.0, "y": 1.0}, cost=0.5, covariates={"x": 7.0}, segments={"band": "low"},
    )  # fmt: skip
    assert (second.arm, second.stratum, second.phase, second.propensity) == ("b", "high|2", "2", 0.75)


def test_ids_are_made_where_there_are_none(tmp_path: Path) -> None:
    records = read(tmp_path, "arm,y\na,1\n\nb,2\n", unit={"generate": True})
    assert [record.key for record in records] == ["row-0000002", "row-0000004"]


@pytest.mark.parametrize("explained", [{"cluster": {"column": "g"}}, {"phase": "g"}])
def test_a_repeated_unit_may_be_explained(tmp_path: Path, explained: dict[str, Any]) -> None:
    records = read(tmp_path, "unit,arm,y,g\nu,a,1,1\nu,a,2,2\nv,b,3,2\n", **explained)
    assert [record.key for record in records] == ["u", "u#2", "v"]


def test_numbers_are_read_in_every_form(tmp_path: Path) -> None:
    numbers = ["12", "-3.5", "+.5", "1e3", "2.", " 7 "]
    rows = "".join(f"u{place},{'ab'[place % 2]},{number}\n" for place, number in enumerate(numbers))
    assert [record.numbers["y"] for record in read(tmp_path, f"unit,arm,y\n{rows}")] == [12, -3.5, 0.5, 1000, 2, 7]


def test_a_proportion_may_say_true_and_false(tmp_path: Path) -> None:
    metrics = [{"key": "y", "column": "y", "kind": "proportion"}]
    records = read(tmp_path, "unit,arm,y\nu1,a,True\nu2,b,FALSE\nu3,b,1.0\n", metrics=metrics)
    assert [record.numbers["y"] for record in records] == [1, 0, 1]


@pytest.mark.parametrize("empty", ["", " ", "NA", "NaN", "nan", "null", "NULL", "None"])
def test_an_empty_cell_is_refused_or_zero_or_censored(tmp_path: Path, empty: str) -> None:
    rows = f"unit,arm,y\nu1,a,1\nu2,b,{empty}\n"
    said = refusal(tmp_path, rows)
    assert said == (
        f"line 3, column 'y': {empty!r} is empty; fill it, or write missing: zero or missing: censored "
        "in the specification"
    )
    assert read(tmp_path, rows, missing="zero")[1].numbers == {"y": 0.0}
    assert read(tmp_path, rows, missing="censored")[1].numbers == {"y": None}


def test_parquet_is_read_by_its_types(tmp_path: Path) -> None:
    content = io.BytesIO()
    columns = {"unit": [7, 8], "arm": [0.0, 1.0], "y": [True, False], "x": [None, 2.5]}
    pq.write_table(pa.table(columns), content)
    records = read(
        tmp_path,
        content.getvalue(),
        arm={"column": "arm", "baseline": 0},
        metrics=[{"key": "y", "column": "y", "kind": "proportion"}, {"key": "x", "column": "x", "kind": "mean"}],
        missing="censored",
    )
    assert [(record.key, record.arm, record.numbers) for record in records] == [
        ("7", "0", {"y": 1.0, "x": None}),
        ("8", "1", {"y": 0.0, "x": 2.5}),
    ]


YES_OR_NO = {"metrics": [{"key": "y", "column": "y", "kind": "proportion"}]}
NO_NUMBER = "is no number; write it like 12.5"
NO_SHARE = "must be 0 or 1 in a proportion; or make it kind: mean"
NO_ID = "is empty; every row needs an id, or write unit: {generate: true}"
UNCLEAN = "holds invisible characters or has over 200 bytes; clean it"
TWICE = "stands in an earlier row too; keep one row a unit, or name the cluster or phase that explains it"
NOT_LISTED = "is not an arm that weights lists"
LONG = "u" * 201


@pytest.mark.parametrize(
    ("rows", "spec", "place", "problem"),
    [
        ("u1,a,ten,", {}, "line 2, column 'y': 'ten'", NO_NUMBER),
        ('u1,a,1,\nu2,b,"1,5",', {}, "line 3, column 'y': '1,5'", NO_NUMBER),
        ("u1,a,inf,", {}, "line 2, column 'y': 'inf'", NO_NUMBER),
        ("u1,a,-Infinity,", {}, "line 2, column 'y': '-Infinity'", NO_NUMBER),
        ("u1,a,1e400,", {}, "line 2, column 'y': '1e400'", "is too large; it must be below 1e15"),
        ("u1,a,2,", YES_OR_NO, "line 2, column 'y': '2'", NO_SHARE),
        ("u1,a,0.5,", YES_OR_NO, "line 2, column 'y': '0.5'", NO_SHARE),
        ("u1,,1,", {}, "line 2, column 'arm': ''", "names no arm; write one, or leave the row out"),
        ("u1,c,1,", {"weights": {"a": 1, "b": 1}}, "line 2, column 'arm': 'c'", f"{NOT_LISTED}: a, b"),
        (",a,1,", {}, "line 2, column 'unit': ''", NO_ID),
        ("u\u200b,a,1,", {}, "line 2, column 'unit': 'u\\u200b'", UNCLEAN),
        (f"{LONG},a,1,", {}, f"line 2, column 'unit': '{LONG}'", UNCLEAN),
        ("u1,a,1,\nu2,b,2,\nu1,a,3,", {}, "line 4, column 'unit': 'u1'", TWICE),
        ("u1,a,1,0", {"propensity": {"column": "x"}}, "line 2, column 'x': '0'", "must be a probability in (0, 1]"),
        ("u1,a,1,1.1", {"propensity": {"column": "x"}}, "line 2, column 'x': '1.1'", "must be a probability in (0, 1]"),
        ("u1,a,1,free", {"cost": {"column": "x"}}, "line 2, column 'x': 'free'", NO_NUMBER),
        (
            "u1,a,1,", {"cost": {"column": "x"}, "missing": "censored"}, "line 2, column 'x': ''",
            "is empty; a cost can't be censored, so fill it",
        ),
        ("u1,a,1,old", {"covariates": ["x"]}, "line 2, column 'x': 'old'", NO_NUMBER),
        ("u1,a,1,", {"strata": ["x"]}, "line 2, column 'x': ''", "is empty"),
        ("u1,a,1,", {"phase": "x"}, "line 2, column 'x': ''", "is empty"),
        ("u1,a,1,", {"cluster": {"column": "x"}}, "line 2, column 'x': ''", NO_ID),
    ],
)  # fmt: skip
def test_refuses_a_row(tmp_path: Path, rows: str, spec: dict[str, Any], place: str, problem: str) -> None:
    assert refusal(tmp_path, f"unit,arm,y,x\n{rows}\n", **spec) == f"{place} {problem}"


@pytest.mark.parametrize(
    ("rows", "spec", "said"),
    [
        ("unit,arm,x\n", {}, "line 1 has no column 'y', which metrics[0] names; Its columns are unit, arm, x"),
        (
            "unit,arms,y\n", {},
            "line 1 has no column 'arm', which arm names; did you mean 'arms'? Its columns are unit, arms, y",
        ),
        (
            "id,arm,y\n", {},
            "line 1 has no column 'unit', which unit names; a file without ids: unit: {generate: true}. "
            "Its columns are id, arm, y",
        ),
        ("unit,arm,y\nu1,a,1\nu2,a,2\n", {}, "column 'arm': only one arm, 'a'; two are compared"),
        (
            "unit,arm,y\nu1,b,1\nu2,c,2\n", {},
            "column 'arm': the arm 'a', which arm.baseline names, has no rows; arms there are b, c",
        ),
        (
            "unit,arm,y\nu1,a,1\nu2,b,2\n", {"weights": {"a": 1, "b": 1, "c": 1}},
            "column 'arm': the arm 'c', which weights names, has no rows; arms there are a, b",
        ),
        (
            "unit,arm,y\nu1,a,1\nu2,b,2\n", {"cost": {"B": 1.0}},
            "column 'arm': the arm 'B', which cost names, has no rows; arms there are a, b",
        ),
        (
            "unit,arm,y\n", {},
            "column 'arm': the arm 'a', which arm.baseline names, has no rows; arms there are none",
        ),
    ],
)  # fmt: skip
def test_refuses_a_file(tmp_path: Path, rows: str, spec: dict[str, Any], said: str) -> None:
    assert refusal(tmp_path, rows, **spec) == said


@pytest.mark.parametrize(("number", "said"), [(float("inf"), "is too large"), (float("nan"), "is empty; fill it")])
def test_refuses_what_parquet_takes_for_numbers(tmp_path: Path, number: float, said: str) -> None:
    content = io.BytesIO()
    pq.write_table(pa.table({"unit": ["u1", "u2"], "arm": ["a", "b"], "y": [1.0, number]}), content)
    assert refusal(tmp_path, content.getvalue()).startswith(f"row 2, column 'y': {number} {said}")


@pytest.mark.parametrize("cell", ["b\x00", "b" * 201])
@pytest.mark.parametrize("column", ["arm", "phase"])
def test_refuses_labels_that_cant_be_stored(tmp_path: Path, column: str, cell: str) -> None:
    row = {"unit": "u2", "arm": "b", "y": "2", "phase": "1"} | {column: cell}
    refusal(tmp_path, f"unit,arm,y,phase\nu1,a,1,1\n{','.join(row.values())}\n", phase="phase")


def test_a_made_key_is_nobodys_id(tmp_path: Path) -> None:
    records = read(tmp_path, "unit,arm,y,g\nu,a,1,1\nu,a,2,2\nu#2,b,3,2\n", cluster={"column": "g"})
    assert len({record.key for record in records}) == 3
