"""Files of facts: every row ends in exactly one place, once, whatever the file and however often it is sent."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from experiments.models import Execution, Experiment
from impact.ledger.imports import file, load
from impact.ledger.imports.load import enqueue_import, import_facts
from impact.ledger.models import Cost, Outcome
from predictions.models import Prediction
from tests.conftest import START, Caller, caller, cost_row, decision_row, outcome_row
from tests.ledger.imports.files import HEAD, counts, csv_of, imported, outcome, parquet_of
from workspaces.errors import Refusal
from workspaces.files import answer_file
from workspaces.models import Job, Quarantine, Workspace
from workspaces.services import jobs

Drain = Callable[[], None]


def reasons(job: Job) -> list[dict[str, str]]:
    with answer_file(job).open(newline="", encoding="utf-8") as text:
        return list(csv.DictReader(text))


def test_every_row_ends_in_one_place_with_its_reason(workspace: Workspace, drain: Drain) -> None:
    rows = [
        outcome("a"),
        outcome("b", value="much"),
        outcome("a"),
        outcome("c", currency="USD"),
        outcome("a", value="13"),
        outcome("d", occurred_at="2036-01-01T00:00:00Z"),
        outcome("e", occurred_at="2026-01-04"),
        outcome("", unit_id="c9"),
        outcome("f", unit_id=""),
        outcome("g", currency="", value="-3"),
    ]
    job = imported(workspace, drain, csv_of(rows))
    assert counts(job) == (2, 1, 3, 4)
    found = {(one["row"], one["status"], one["code"]) for one in reasons(job)}
    assert found == {
        ("3", "rejected", "invalid-field"), ("5", "quarantined", "other-currency"),
        ("6", "quarantined", "event-conflict"), ("7", "quarantined", "future-event"),
        ("8", "rejected", "invalid-field"), ("9", "rejected", "invalid-field"), ("10", "rejected", "invalid-field"),
    }  # fmt: skip
    assert {one.event_id: one.value for one in Outcome.objects.within(workspace)} == {"a": 12.5, "g": -3.0}
    assert Quarantine.objects.within(workspace).count() == 3


def test_the_same_bytes_are_the_same_job_and_other_bytes_all_duplicates(workspace: Workspace, drain: Drain) -> None:
    rows = [outcome(f"o{number}") for number in range(50)]
    first = imported(workspace, drain, csv_of(rows))
    assert imported(workspace, drain, csv_of(rows)) == first
    assert counts(imported(workspace, drain, csv_of(rows[::-1]))) == (0, 50, 0, 0)
    assert Outcome.objects.count() == 50


@pytest.mark.parametrize("value", ["12.50", "12.5", "0", "-0", "0.1", "1e3", "123456789012.25"])
def test_by_file_and_by_call_it_is_the_same_event(api: Caller, workspace: Workspace, drain: Drain, value: str) -> None:
    rows = [outcome("a", value=value), outcome("b", value=value, currency="", unit_id='say "hi" \\ é 顧客')]
    assert counts(imported(workspace, drain, csv_of(rows))) == (2, 0, 0, 0)
    sent = [{name: cell for name, cell in row.items() if cell != ""} for row in rows]
    assert api.post("/outcomes", {"outcomes": sent}).body["duplicate"] == 2
    sent = [row | {"value": float(value)} for row in sent]
    assert api.post("/outcomes", {"outcomes": sent}).body["duplicate"] == 2


def test_ndjson_says_it_as_a_call_does(workspace: Workspace, drain: Drain) -> None:
    lines = [
        json.dumps(outcome_row("c1")),
        "",
        '{"source": "crm", "source": "crm"}',
        "[1",
        json.dumps(outcome_row("c2")),
    ]
    job = imported(workspace, drain, "\n".join(lines).encode())
    assert counts(job) == (2, 0, 0, 2)
    assert [(one["row"], one["code"]) for one in reasons(job)] == [("3", "malformed-json"), ("4", "malformed-json")]


def test_parquet_in_the_types_that_it_has(workspace: Workspace, drain: Drain) -> None:
    at = datetime(2026, 1, 4, 6, tzinfo=UTC)
    columns = {
        "source": pa.array(["s"] * 3).dictionary_encode(),
        "event_id": pa.array([1, 2, 3]),
        "type": ["t"] * 3,
        "unit_id": pa.array([7, 8, None]),
        "value": pa.array([Decimal("1.50"), Decimal("2.25"), None], pa.decimal128(10, 2)),
        "occurred_at": pa.array([at] * 3, pa.timestamp("ns", "Europe/Berlin")),
    }
    job = imported(workspace, drain, parquet_of(columns))
    assert counts(job) == (2, 0, 0, 1)
    assert reasons(job)[0]["row"] == "3"
    stored = Outcome.objects.within(workspace).order_by("event_id")
    assert [(one.event_id, one.unit_id, one.value, one.occurred_at) for one in stored] == [
        ("1", "7", 1.5, at), ("2", "8", 2.25, at)
    ]  # fmt: skip
    columns["value"] = pa.array([1.5, 2.25, float("nan")])
    assert counts(imported(workspace, drain, parquet_of(columns))) == (0, 2, 0, 1)


def test_costs_executions_and_predictions(api: Caller, workspace: Workspace, drain: Drain, running: Experiment) -> None:
    decision = api.post("/decisions", decision_row("c1")).body["decision_id"]
    at = START.isoformat()
    costs = [
        cost_row("c1", 2.0, estimated="true"), cost_row("c2", 3.0), cost_row("", 1.0, decision_id=decision),
        cost_row("c3", 1.0, estimated="perhaps"), cost_row("c4", 1.0, currency=""),
    ]  # fmt: skip
    assert counts(imported(workspace, drain, csv_of(costs, [*costs[2], "estimated"]), "costs")) == (3, 0, 0, 2)
    assert set(Cost.objects.values_list("unit_id", "amount", "estimated")) == {
        ("c1", 2.0, True), ("c2", 3.0, False), ("c1", 1.0, False)
    }  # fmt: skip
    execution = {
        "source": "crm",
        "event_id": "x",
        "decision_id": decision,
        "status": "delivered",
        "occurred_at": at,
        "at": at,
    }
    lost = execution | {"event_id": "y", "decision_id": "gone"}
    job = imported(workspace, drain, csv_of([execution, lost], [*execution]), "executions")
    assert counts(job) == (1, 0, 1, 0)
    assert Execution.objects.get().decision_id is not None
    prediction = {
        "source": "crm", "event_id": "p", "model": "churn", "version": "1", "unit_id": "c1", "score": "0.5",
        "predicted_at": at, "features": '{"tenure": 12, "plan": "basic"}',
    }  # fmt: skip
    bad = prediction | {"event_id": "q", "features": "{"}
    job = imported(workspace, drain, csv_of([prediction, bad], [*prediction]), "predictions")
    assert counts(job) == (1, 0, 0, 1)
    assert Prediction.objects.get(event_id="p").features == {"tenure": 12, "plan": "basic"}


@pytest.mark.parametrize(
    ("head", "said"),
    [
        (b"", "no header"),
        (b"\n", "no header"),
        (b"source,event_id,type,unit_id,value\n", "'occurred_at' is missing"),
        (b"source,event_id,type,unit_id,value,occurred_at,colour\n", "'colour' is not known"),
        (b"source,event_id,type,unit_id,value,occurred_at,type\n", "'type' stands twice"),
        (b"PAR1 and no more", "can't be read as Parquet"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_whole(workspace: Workspace, head: bytes, said: str) -> None:
    with pytest.raises(Refusal, match=said) as refusal:
        enqueue_import(workspace=workspace, many="outcomes", chunks=[head])
    assert refusal.value.code == "bad-file"
    assert not Job.objects.exists()


def test_rows_that_are_no_csv_spoil_no_other(workspace: Workspace, drain: Drain) -> None:
    head, good, *_ = csv_of([outcome("a")]).split(b"\n")
    other = good.replace(b",a,", b",b,")
    broken = [b'"x"y', b"one,two", good.replace(b"c1", b"\xff"), good.replace(b"c1", b"\x00"), b"", b'"never ends']
    job = imported(workspace, drain, b"\n".join([head, good, *broken[:-1], other, broken[-1]]))
    assert counts(job) == (2, 0, 0, 5)
    assert [(one["row"], one["code"]) for one in reasons(job)] == [
        ("3", "bad-row"), ("4", "bad-row"), ("5", "malformed-json"), ("6", "malformed-json"), ("9", "bad-row"),
    ]  # fmt: skip


def test_no_reason_is_a_formula(workspace: Workspace, drain: Drain) -> None:
    job = imported(workspace, drain, csv_of([outcome("=1+1", value="=2")]))
    assert (reasons(job)[0]["event_id"], counts(job)) == ("'=1+1", (0, 0, 0, 1))


@pytest.mark.parametrize("dies_in", ["store", "settle"])
def test_an_import_that_died_goes_on_where_it_was(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, dies_in: str
) -> None:
    monkeypatch.setattr(file, "ROWS_A_CHUNK", 10)
    rows = [outcome(f"o{number}", value="bad" if number % 7 == 0 else "1") for number in range(65)]
    job = enqueue_import(workspace=workspace, many="outcomes", chunks=[csv_of(rows)])
    real, calls = getattr(load, dies_in), []

    def dies(*arguments: Any, **named: Any) -> Any:
        calls.append(1)
        if len(calls) == 4:
            raise OSError("no more")
        return real(*arguments, **named)

    monkeypatch.setattr(load, dies_in, dies)
    for _ in range(2):
        Job.objects.update(due_at=START)
        claimed = jobs.claim(job)
        assert claimed is not None
        jobs.run(claimed, import_facts)
    job.refresh_from_db()
    assert (job.attempts, counts(job)) == (2, (55, 0, 0, 10))
    assert [int(one["row"]) for one in reasons(job)] == [2 + number for number in range(65) if number % 7 == 0]


def test_an_attempt_that_lost_its_job_writes_nothing(workspace: Workspace) -> None:
    job = enqueue_import(workspace=workspace, many="outcomes", chunks=[csv_of([outcome("a")])])
    claimed = jobs.claim(job)
    assert claimed is not None
    Job.objects.update(attempts=2)
    jobs.run(claimed, import_facts)
    assert not Outcome.objects.exists()


def test_by_call(api: Caller, workspace: Workspace, drain: Drain) -> None:
    def send(content: bytes, kind: str = "outcomes", takes: str = "text/csv", by: Caller = api) -> Any:
        return by.client.post(
            f"/api/v1/imports?kind={kind}", content, takes, headers={"Authorization": f"Bearer {by.secret}"}
        )

    content = csv_of([outcome("a"), outcome("b", value="bad")])
    answer = send(content)
    assert answer.status_code == 202
    job = answer.json()
    assert (job["kind"], job["state"]) == ("import", "queued")
    assert api.client.get(
        f"/api/v1/imports/{job['id']}/reasons", headers={"Authorization": f"Bearer {api.secret}"}
    ).json()["code"] == "wrong-status"  # fmt: skip
    drain()
    done = api.get(f"/jobs/{job['id']}").body
    assert (done["progress"], done["result"]["accepted"], done["result"]["rejected"]) == (1.0, 1, 1)
    found = api.client.get(done["result"]["reasons"], headers={"Authorization": f"Bearer {api.secret}"})
    assert b"".join(found.streaming_content).decode().splitlines()[1].startswith("3,rejected,invalid-field,")
    assert send(content).json()["id"] == job["id"]
    assert send(content, kind="decisions").json()["code"] == "invalid-parameter"
    assert send(content, takes="application/json").json()["code"] == "bad-file"
    log_only = caller(workspace, "log")
    assert send(content, kind="predictions", by=log_only).json()["code"] == "scope-missing"


def test_another_workspace_may_send_the_same_file(
    workspace: Workspace, other_workspace: Workspace, drain: Drain
) -> None:
    content = csv_of([outcome("a")])
    assert counts(imported(workspace, drain, content)) == (1, 0, 0, 0)
    assert counts(imported(other_workspace, drain, content)) == (1, 0, 0, 0)
    assert set(HEAD) == set(outcome()) | {"relates_to"}
