"""Counting amounts in other currencies: at the rate that was declared for the month in which they occurred."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from impact.ledger.amounts import converted
from impact.ledger.models import Rate
from workspaces.errors import Refusal
from workspaces.models import Workspace

# currency and first day of the month
Rates = dict[tuple[str, date], Rate]


def rates_for(workspace: Workspace, rows: Iterable[Any]) -> Rates:
    """Every rate of the other currencies in a batch, read once."""
    others = {row.currency for row in rows} - {None, workspace.currency}
    found = Rate.objects.within(workspace).filter(currency__in=others) if others else ()
    return {(one.currency, one.month): one for one in found}


def rate_of(workspace: Workspace, row: Any, rates: Rates) -> Rate | None:
    """The rate that a row is counted at, or none if it is in the workspace's own currency."""
    if row.currency in (None, workspace.currency):
        return None
    month = row.occurred_at.astimezone(ZoneInfo(workspace.time_zone)).date().replace(day=1)
    if (row.currency, month) not in rates:
        raise Refusal(
            "other-currency",
            f"currency == {row.currency!r}, this workspace counts in {workspace.currency}, and no rate is declared for "
            f"{month:%Y-%m}; declare it, then replay",
            "/currency",
        )
    return rates[row.currency, month]


def exchange(event: Any, name: str, rate: Rate | None, currency: str) -> Any:
    """Turn an event's amount into the workspace's currency, and keep what was stated."""
    if rate is not None:
        event.stated, event.rate, event.currency = getattr(event, name), rate, currency
        setattr(event, name, converted(event.stated, rate.rate))
    return event
