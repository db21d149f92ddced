"""Rows of a bench: what is met is met by the ratio, or by the figure where there is no floor."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from tests.bench import pages
from tests.bench.rows import Row, table

ROWS = [
    Row("faster than its floor", 120.0, "requests/s", 100.0, ">= 0.60"),
    Row("slower than twice its floor", 5.0, "s", 2.0, "<= 2"),
    Row("without a floor", 60.0, "ms", None, "<= 50 ms"),
    Row("without a target", 1.0, "ms"),
]


@pytest.mark.parametrize(
    ("row", "ratio", "met"), list(zip(ROWS, [1.2, 2.5, None, None], [True, False, False, None], strict=True))
)
def test_what_is_met(row: Row, ratio: float | None, met: bool | None) -> None:
    assert (row.ratio, row.met) == (ratio, met)


def test_people_read_a_table_and_programs_json(monkeypatch: Any) -> None:
    monkeypatch.setattr(pages, "rows", lambda: ROWS)
    said = StringIO()
    call_command("bench", "pages", stdout=said)
    assert said.getvalue().strip() == table(ROWS).strip()
    assert [line.split()[-1] for line in table(ROWS).splitlines()[1:]] == ["met", "missed", "missed", "ms"]
    said = StringIO()
    call_command("bench", "pages", "--json", stdout=said)
    document = json.loads(said.getvalue())
    assert document["machine"]["cores"] >= 1
    assert document["rows"][0] == {
        "name": "faster than its floor", "ours": 120.0, "floor": 100.0, "ratio": 1.2, "target": ">= 0.60",
        "met": True, "unit": "requests/s",
    }  # fmt: skip
