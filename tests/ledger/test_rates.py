"""The page of rates: seen by all, added by analysts, never changed once an amount was counted."""

from __future__ import annotations

from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from impact.ledger.models import Rate
from tests.conftest import Caller, enter, signed_in
from workspaces.models import AuditEntry, Membership, Workspace

TYPED = {"currency": "usd", "month": "2026-01", "rate": "0.92", "source": "monthly average"}
SPENT = {
    "source": "crm", "event_id": "1", "category": "contact", "unit_id": "u", "amount": 10, "currency": "USD",
    "occurred_at": "2026-01-20T00:00:00Z", "at": "2026-01-20T00:00:00Z",
}  # fmt: skip


@pytest.fixture
def analyst(workspace: Workspace) -> Client:
    return signed_in(enter(workspace, "ana@example.com", "analyst"))


def test_a_rate_is_added_and_seen(analyst: Client, mate: Membership, workspace: Workspace) -> None:
    client = signed_in(mate)
    assert "No rate yet." in client.get("/w/mobile/rates").content.decode()
    answer = analyst.post("/w/mobile/rates/add", TYPED, follow=True)
    assert "USD 2026-01 is kept." in answer.content.decode()
    assert AuditEntry.objects.latest("pk").actor == "ana@example.com"
    assert "USD 2026-01 is as it was." in analyst.post("/w/mobile/rates/add", TYPED, follow=True).content.decode()
    for language in ("en", "ja"):
        client.cookies["django_language"] = language
        page = client.get("/w/mobile/rates").content.decode()
        assert all(part in page for part in ("USD", "2026-01", "0.92", "monthly average"))
        assert "rates/add" not in page


def test_a_rate_that_was_used_stays(analyst: Client, api: Caller, workspace: Workspace) -> None:
    analyst.post("/w/mobile/rates/add", TYPED)
    assert analyst.post("/w/mobile/rates/add", TYPED | {"rate": "0.9"}).status_code == 302
    assert api.post("/costs", {"costs": [SPENT]}).body["accepted"] == 1
    answer = analyst.post("/w/mobile/rates/add", TYPED | {"rate": "0.8"})
    assert answer.status_code == 422
    assert "was counted at 0.9 already and stays so" in unescape(answer.content.decode())
    assert Rate.objects.within(workspace).get().rate == 0.9


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"currency": "EUR"}, "needs no rate"),
        ({"currency": "XYZ"}, "No currency has this code."),
        ({"month": "2026-13"}, "as 2026-01"),
        ({"month": "202601"}, "as 2026-01"),
        ({"rate": "0"}, "rate"),
        ({"rate": "nan"}, "rate"),
    ],
)
def test_refuses(analyst: Client, workspace: Workspace, changes: Any, said: str) -> None:
    answer = analyst.post("/w/mobile/rates/add", TYPED | changes)
    assert answer.status_code == 422
    assert said in unescape(answer.content.decode())
    assert not Rate.objects.within(workspace).exists()


def test_lists_them_in_as_many_queries(mate: Membership, analyst: Client, workspace: Workspace) -> None:
    client = signed_in(mate)

    def queries() -> int:
        with CaptureQueriesContext(connection) as made:
            assert client.get("/w/mobile/rates").status_code == 200
        return len(made)

    analyst.post("/w/mobile/rates/add", TYPED)
    few = queries()
    for month in ("2026-02", "2026-03"):
        analyst.post("/w/mobile/rates/add", TYPED | {"month": month})
    assert queries() == few


def test_a_viewer_adds_nothing(mate: Membership, stranger: Membership, workspace: Workspace) -> None:
    assert signed_in(mate).post("/w/mobile/rates/add", TYPED).status_code == 403
    assert signed_in(stranger).post("/w/mobile/rates/add", TYPED).status_code == 404
