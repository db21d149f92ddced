"""The quick way and the slow one give the same answers and store the same rows."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from impact.ledger.imports import load
from impact.ledger.imports.file import Chunk
from impact.ledger.imports.quick import COLUMNS, events
from impact.ledger.models import Cost, Outcome
from impact.ledger.rows import OutcomeRow
from tests.conftest import START, stored_examples
from tests.ledger.imports.files import HEAD, csv_of, outcome
from workspaces.canonical import digest
from workspaces.files import answer_file
from workspaces.models import Job, Quarantine, Workspace
from workspaces.services import jobs
from workspaces.strict import convert

IDS = st.one_of(
    st.sampled_from(
        ["a", "b", "c", "", " a", "a b", 'a"b', "a\\b", "é", "顧客", "a\u200b", "a\tb", "x" * 200, "é" * 101]
    ),
    st.text(max_size=4),
)
VALUES = st.one_of(
    st.sampled_from(
        ["1", "12.50", "-0", "0.0001", "0.00001", "1e3", "+1", "", "NaN", "01", "1.", ".5", "999999999999999",
         "1e15", "123456789012.1234", "0.1234567890123", "１２"]
    ),
    st.decimals(allow_nan=False, allow_infinity=False, places=3).map(str),
    st.floats().map(repr),
)  # fmt: skip
TIMES = st.one_of(
    st.sampled_from(
        ["2026-01-04T06:00:00Z", "2026-01-04 06:00:00Z", "2026-01-04T06:00:00.5Z", "2026-01-04T06:00:00+09:00",
         "2026-02-30T00:00:00Z", "2026-01-04", "2036-01-01T00:00:00Z", "0001-01-01T00:00:00+00:00", "",
         "2026-01-05T06:01:00Z", "2026-01-05T06:01:00.000001Z", "9999-06-01T00:00:00Z"]
    ),
    st.datetimes().map(lambda at: f"{at.isoformat()}Z"),
)  # fmt: skip
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "source": st.sampled_from(["s", "s", "t", "é"]), "event_id": IDS, "type": IDS, "unit_id": IDS,
            "value": VALUES, "currency": st.sampled_from(["EUR", "", "USD", "eur"]), "occurred_at": TIMES,
            "relates_to": st.sampled_from(["", "a", "b c", '"']),
        }
    ),
    max_size=8,
)  # fmt: skip


def fresh(workspace: Workspace) -> None:
    for model in (Outcome, Cost, Quarantine, Job):
        model.objects.within(workspace).delete()
    Workspace.objects.filter(pk=workspace.pk).update(clock_at=START)


def taken_in(workspace: Workspace, content: bytes, many: str) -> Any:
    """What an import says and leaves behind, but for what is new each time."""
    fresh(workspace)
    job = load.enqueue_import(workspace=workspace, many=many, chunks=[content])
    claimed = jobs.claim(job)
    assert claimed is not None
    jobs.run(claimed, load.import_facts)
    job.refresh_from_db()
    assert job.state == "done", job.error
    model: Any = Outcome if many == "outcomes" else Cost
    names = [field.attname for field in model._meta.concrete_fields if field.name != "id"]
    kept = sorted(Quarantine.objects.within(workspace).values_list("source", "event_id", "digest", "code", "reason"))
    counts = {name: job.result[name] for name in load.STATUSES}
    return (
        counts,
        sorted(model.objects.within(workspace).values_list(*names)),
        kept,
        answer_file(job).read_text(encoding="utf-8"),
    )


def both(workspace: Workspace, content: bytes, many: str = "outcomes") -> Any:
    quick = taken_in(workspace, content, many)
    with patch.object(load, "events", lambda *_: []):
        assert taken_in(workspace, content, many) == quick
    return quick


@stored_examples
@given(ROWS)
def test_both_ways_agree(workspace: Workspace, rows: list[Any]) -> None:
    counts, *_ = both(workspace, csv_of(rows))
    assert sum(counts.values()) == len(rows)


@stored_examples
@given(ROWS, st.lists(st.sampled_from(["", "true", "false", "True", "no"]), min_size=8, max_size=8))
def test_both_ways_agree_about_costs(workspace: Workspace, rows: list[Any], estimated: list[str]) -> None:
    names = {"type": "category", "value": "amount"}
    costs = [
        {names.get(name, name): cell for name, cell in row.items()} | {"estimated": said}
        for row, said in zip(rows, estimated, strict=False)
    ]
    both(workspace, csv_of(costs, [*(names.get(name, name) for name in HEAD), "estimated"]), "costs")


def test_ordinary_rows_go_the_quick_way(workspace: Workspace) -> None:
    rows = [
        outcome("a"), outcome("b", currency=""), outcome("c", relates_to="a"), outcome("d", unit_id="顧客 42"),
        outcome("e", value="-0.01"), outcome("f", occurred_at="2026-01-04T06:00:00.25+09:00"),
    ]  # fmt: skip
    columns = {name: [row.get(name, "") for row in rows] for name in HEAD}
    found = events("outcome", Chunk(range(6), lambda place: rows[place], 1.0, columns), "EUR", START)
    assert [one.place for one in found] == list(range(6))
    for one, row in zip(found, rows, strict=True):
        said = {name: cell for name, cell in row.items() if cell != ""}
        assert one.line.split("\t")[COLUMNS.index("digest")] == digest(convert(said, OutcomeRow).content())


def test_rows_that_state_their_time_all_go_the_slow_way(workspace: Workspace) -> None:
    sent = [outcome("a") | {"at": "2026-01-09T00:00:00Z"}, outcome("b")]
    counts, rows, *_ = both(workspace, csv_of(sent, [*HEAD, "at"]))
    assert counts["accepted"] == 2 and len(rows) == 2
