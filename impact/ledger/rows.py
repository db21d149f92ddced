"""Outcomes, costs and heartbeats as clients send them."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Any, ClassVar

import msgspec

from impact.ledger.amounts import Amount, number
from workspaces.errors import Invalid
from workspaces.strict import Currency, Id, Row, Strict, Time


class EventRow(Row, frozen=True, kw_only=True):
    """Something about a unit at a time; ``amount_name`` is its field that holds a number."""

    amount_name: ClassVar[str]

    def content(self) -> Any:
        """As any row's; "12.50" and 12.5 are the same amount."""
        content = super().content()
        with suppress(Invalid):
            content[self.amount_name] = number(content[self.amount_name], self.amount_name, money=False)
        return content


class OutcomeRow(EventRow, frozen=True, kw_only=True):
    """One measured event of a unit. ``value`` is a number, or a decimal string where it is money."""

    amount_name: ClassVar[str] = "value"

    type: Id
    value: Amount
    occurred_at: Time
    unit_id: Id | None = None
    decision_id: Id | None = None
    currency: Currency | None = None
    relates_to: Id | None = None


class CostRow(EventRow, frozen=True, kw_only=True):
    """One money event spent on a unit or a decision."""

    amount_name: ClassVar[str] = "amount"

    category: Id
    amount: Amount
    currency: Currency
    occurred_at: Time
    unit_id: Id | None = None
    decision_id: Id | None = None
    estimated: bool = False
    relates_to: Id | None = None


class Heartbeat(Strict, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every event of this type up to this time was sent."""

    type: Id
    complete_until: Time
    at: Time | None = None


class FeedAnswer(msgspec.Struct):
    source: str
    type: str
    complete_until: datetime
