"""Other currencies: counted at their month's rate, frozen from then on; what came before it is replayed."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from impact.config.declarations import apply_files
from impact.ledger.amounts import converted
from impact.ledger.mending import replay_rows
from impact.ledger.models import Cost, Outcome, Rate
from tests.conftest import Caller, caller, cost_row, outcome_row
from workspaces.models import AuditEntry, Quarantine, Workspace

JANUARY = {"currency": "USD", "month": "2026-01", "rate": 0.92, "source": "monthly average"}


@pytest.mark.parametrize(
    ("amount", "rate", "expected"),
    [
        (12.5, 0.92, 11.5),
        (0.1, 0.3, 0.03),  # 0.03 and nothing behind, where doubles say 0.03 and a bit
        (-3.0, 0.00625, -0.01875),
        (0.0, 0.92, 0.0),
        (123_456_789_012.34, 0.87, 107_407_406_440.736),
    ],
)
def test_amounts_are_multiplied_as_decimals(amount: float, rate: float, expected: float) -> None:
    assert converted(amount, rate) == expected


def test_an_amount_counts_at_the_rate_of_its_month(api: Caller, workspace: Workspace) -> None:
    assert api.post("/rates", JANUARY).body["did"] == "created"
    api.post("/rates", JANUARY | {"month": "2026-02", "rate": 0.5})
    costs = [cost_row("u", 12.5, currency="USD"), cost_row("v", 12.5, day=30, currency="USD"), cost_row("w", 7.0)]
    assert api.post("/costs", {"costs": costs}).body["accepted"] == 3
    assert api.post("/outcomes", {"outcomes": [outcome_row("u", 100, currency="USD")]}).body["accepted"] == 1
    found = {cost.unit_id: (cost.amount, cost.currency, cost.stated, cost.rate_id) for cost in Cost.objects.all()}
    january, february = Rate.objects.order_by("month")
    assert found == {
        "u": (11.5, "EUR", 12.5, january.pk), "v": (6.25, "EUR", 12.5, february.pk), "w": (7.0, "EUR", None, None),
    }  # fmt: skip
    assert Outcome.objects.values_list("value", "currency", "stated").get() == (92.0, "EUR", 100.0)
    again = api.post("/costs", {"costs": costs}).body
    assert (again["duplicate"], again["accepted"]) == (3, 0)


def test_a_month_begins_in_the_zone_of_the_workspace(api: Caller, workspace: Workspace) -> None:
    """Half past eleven at night in London is February in Berlin."""
    api.post("/rates", JANUARY)
    at = "2026-01-31T23:30:00+00:00"
    row = cost_row("u", 12.5, currency="USD", occurred_at=at, at=at)
    answer = api.post("/costs", {"costs": [row]}).body
    assert (answer["quarantined"], answer["results"][0]["code"]) == (1, "other-currency")
    assert "no rate is declared for 2026-02" in answer["results"][0]["detail"]


def test_what_came_before_its_rate_is_replayed(api: Caller, workspace: Workspace) -> None:
    rows = [cost_row(f"u{number}", 12.5, currency="USD") for number in range(3)]
    assert api.post("/costs", {"costs": rows}).body["quarantined"] == 3
    api.post("/rates", JANUARY)
    counts = replay_rows(workspace=workspace, kind="cost", code="other-currency", actor="op")
    assert counts == {"accepted": 3, "duplicate": 0, "open": 0}
    assert list(Cost.objects.values_list("amount", flat=True)) == [11.5] * 3
    assert not Quarantine.objects.filter(resolved_at=None).exists()


def test_a_rate_may_be_mended_until_something_was_counted_at_it(api: Caller, workspace: Workspace) -> None:
    api.post("/rates", JANUARY | {"rate": 0.29})
    assert api.post("/rates", JANUARY).body["did"] == "changed"
    api.post("/costs", {"costs": [cost_row("u", 12.5, currency="USD")]})
    refused = api.post("/rates", JANUARY | {"rate": 0.29})
    assert (refused.status_code, refused.body["code"]) == (409, "in-use")
    assert api.post("/rates", JANUARY).body["did"] == "unchanged"
    assert Rate.objects.values_list("key", "month", "rate").get() == ("USD 2026-01", date(2026, 1, 1), 0.92)
    assert AuditEntry.objects.filter(action="declare rate", subject="USD 2026-01").count() == 2


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"currency": "EUR"}, "/currency"),
        ({"currency": "usd"}, "/currency"),
        ({"month": "2026-13"}, "/month"),
        ({"month": "0000-01"}, "/month"),
        ({"month": "2026-1"}, "/month"),
        ({"rate": 0}, "/rate"),
        ({"rate": 1e6}, "/rate"),
    ],
)
def test_refuses_what_is_no_rate(api: Caller, workspace: Workspace, changes: Any, pointer: str) -> None:
    refused = api.post("/rates", JANUARY | changes)
    assert (refused.status_code, refused.body["errors"][0]["pointer"]) == (422, pointer)
    assert not Rate.objects.exists()


def test_a_rate_is_of_one_workspace(api: Caller, workspace: Workspace, other_workspace: Workspace) -> None:
    assert caller(other_workspace).post("/rates", JANUARY).body["did"] == "created"
    assert api.post("/costs", {"costs": [cost_row("u", 12.5, currency="USD")]}).body["quarantined"] == 1


def test_rates_stand_in_a_file(workspace: Workspace, api: Caller, tmp_path: Path) -> None:
    file = tmp_path / "rates.yaml"
    file.write_text("rates:\n  - {currency: USD, month: 2026-01, rate: 0.92}\n")
    assert [(one.kind, one.key, one.did) for one in apply_files(workspace, [file], "test")] == [
        ("rate", "USD 2026-01", "created")
    ]
