"""Outcomes, costs and heartbeats as clients send them."""

from __future__ import annotations

from datetime import datetime

import msgspec

from workspaces.strict import Currency, Id, Row, Strict, Time

Amount = float | str


class OutcomeRow(Row, frozen=True, kw_only=True):
    """One measured event of a unit. ``value`` is a number, or a decimal string where it is money."""

    type: Id
    value: Amount
    occurred_at: Time
    unit_id: Id | None = None
    decision_id: Id | None = None
    currency: Currency | None = None
    relates_to: Id | None = None


class CostRow(Row, frozen=True, kw_only=True):
    """One money event spent on a unit or a decision."""

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
