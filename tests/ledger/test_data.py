"""The page about data: feeds, volumes, costs and files; files are imported by operators."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from impact.ledger.intake import intake
from impact.ledger.models import Outcome
from tests.conftest import START, Caller, caller, cost_row, enter, outcome_row, signed_in
from tests.ledger.imports.files import csv_of, imported, outcome
from workspaces.models import AuditEntry, Job, Membership, Workspace


@pytest.fixture
def operator(workspace: Workspace) -> Client:
    return signed_in(enter(workspace, "op@example.com", "operator"))


def beat(api: Caller, type: str, day: float) -> None:
    at = (START + timedelta(days=day)).isoformat()
    assert api.post("/feeds/crm/heartbeat", {"type": type, "complete_until": at, "at": at}).status_code == 200


def shown(client: Client) -> str:
    return client.get("/w/mobile/data").content.decode()


def test_an_empty_page_says_what_fills_it(mate: Membership) -> None:
    page = shown(signed_in(mate))
    assert "Nothing came in yet." in page and "curl http://testserver/api/v1/outcomes" in page
    assert "An operator imports files." in page and '<form method="post" enctype' not in page


def test_feeds_are_heard_of_silent_or_without_a_heartbeat(api: Caller, workspace: Workspace) -> None:
    api.post(
        "/outcomes", {"outcomes": [outcome_row("c1", day=10), outcome_row("c2", day=12, type="spend", event_id="s")]}
    )
    beat(api, "churned", 5)
    beat(api, "visits", 12)
    workspace.refresh_from_db()
    feeds = {one.type: one for one in intake(workspace).feeds}
    assert {name: one.state for name, one in feeds.items()} == {
        "churned": "silent", "visits": "heard", "spend": "no-heartbeat"
    }  # fmt: skip
    assert feeds["churned"].silent_days == 7
    assert feeds["churned"].last_event == START + timedelta(days=10)
    assert feeds["visits"].last_event is None and feeds["spend"].complete_until is None


def test_volumes_are_of_fourteen_days_in_the_workspaces_zone(api: Caller, workspace: Workspace) -> None:
    rows = [outcome_row(f"c{number}", day=day) for number, day in enumerate([1, 15, 16, 16.8, 17])]
    api.post("/outcomes", {"outcomes": rows})
    workspace.refresh_from_db()
    [volume] = intake(workspace).volumes
    days = {day.isoformat(): rows for day, rows in volume.days if rows}
    # the last quarter of the sixteenth day is the seventeenth in Berlin
    assert days == {"2026-01-20": 1, "2026-01-21": 1, "2026-01-22": 2}
    assert (len(volume.days), volume.total, max(height for _, _, height, _ in volume.bars)) == (14, 4, 24)


def test_what_comes_in_later_is_not_shown_yet(api: Caller, workspace: Workspace) -> None:
    api.post("/outcomes", {"outcomes": [outcome_row("c1", day=10), outcome_row("c2", day=40, type="later")]})
    Workspace.objects.filter(pk=workspace.pk).update(clock_at=START + timedelta(days=11))
    workspace.refresh_from_db()
    assert [one.type for one in intake(workspace).volumes] == ["churned"]


def test_in_a_real_workspace_too(real_workspace: Workspace) -> None:
    row = outcome("a") | {"currency": None}
    assert caller(real_workspace).post("/outcomes", {"outcomes": [row]}).body["accepted"] == 1
    [volume] = intake(real_workspace).volumes
    assert (volume.total, volume.days[-1][1]) == (1, 1)


def test_costs_actual_beside_estimated(api: Caller, workspace: Workspace) -> None:
    costs = [cost_row("c1", 2.0), cost_row("c2", 3.5), cost_row("c3", 10.0, estimated=True)]
    api.post("/costs", {"costs": costs})
    workspace.refresh_from_db()
    [spent] = intake(workspace).costs
    assert (spent.category, spent.actual, spent.estimated, spent.rows) == ("contact", 5.5, 10.0, 3)


def test_files_with_their_counts_and_reasons(
    workspace: Workspace, mate: Membership, drain: Callable[[], None], stranger: Membership
) -> None:
    job = imported(workspace, drain, csv_of([outcome("a"), outcome("b", value="bad")]))
    client = signed_in(mate)
    at = f"/w/mobile/data/imports/{job.pk}/reasons"
    assert at in shown(client)
    found: Any = client.get(at)
    assert b"3,rejected,invalid-field" in b"".join(found.streaming_content)
    assert signed_in(stranger).get(at.replace("mobile", "other")).status_code == 404


def test_an_operator_imports_a_file(workspace: Workspace, operator: Client, drain: Callable[[], None]) -> None:
    def send(content: bytes, kind: str = "outcomes") -> Any:
        file = SimpleUploadedFile("billing.csv", content)
        return operator.post("/w/mobile/data/import", {"file": file, "kind": kind}, follow=True)

    answer = send(csv_of([outcome("a")]))
    assert "The file was taken in" in answer.content.decode() and "billing.csv" in answer.content.decode()
    drain()
    assert Outcome.objects.within(workspace).count() == 1
    assert AuditEntry.objects.within(workspace).filter(action="import", actor="op@example.com").count() == 1
    refused = send(b"colour\n")
    assert (refused.status_code, "is not known" in refused.content.decode()) == (422, True)
    assert send(csv_of([outcome("a")]), "jokes").status_code == 422
    assert Job.objects.count() == 1


def test_others_may_not(workspace: Workspace, mate: Membership) -> None:
    file = SimpleUploadedFile("billing.csv", csv_of([outcome("a")]))
    assert signed_in(mate).post("/w/mobile/data/import", {"file": file, "kind": "outcomes"}).status_code == 403
    assert not Job.objects.exists()


def test_as_many_queries_for_three_rows_as_for_one(api: Caller, workspace: Workspace, mate: Membership) -> None:
    client = signed_in(mate)

    def add(number: int) -> None:
        api.post("/outcomes", {"outcomes": [outcome_row(f"c{number}", type=f"t{number}")]})
        api.post("/costs", {"costs": [cost_row(f"c{number}", 1.0, category=f"k{number}")]})
        beat(api, f"t{number}", 10)
        Job.objects.create(
            workspace=workspace, kind="import", key=str(number), arguments={"name": "f", "kind": "outcome"},
            created_at=START, due_at=START,
        )  # fmt: skip

    def queries() -> int:
        with CaptureQueriesContext(connection) as found:
            shown(client)
        return len(found)

    add(0)
    queries()
    one = queries()
    add(1)
    add(2)
    assert queries() == one
