"""Writing events: each once for ever, in the workspace's currency, about a unit that can be named."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from experiments.models import Decision
from experiments.services.executions import decisions_of, unknown_decision
from impact.ledger.amounts import number
from impact.ledger.exchange import exchange, rate_of, rates_for
from impact.ledger.models import Cost, Feed, Outcome
from impact.ledger.rows import CostRow, Heartbeat, OutcomeRow
from workspaces import clock
from workspaces.clock import CLOCK_SKEW
from workspaces.errors import Invalid, Refusal
from workspaces.facts import unsaved
from workspaces.models import Workspace
from workspaces.services.facts import Taken, check_happened, take_batch


def log_outcomes(*, workspace: Workspace, raw: Sequence[Any]) -> list[Taken]:
    """Store a batch of outcomes and answer for each row."""

    def event(row: OutcomeRow, unit: dict[str, Any]) -> Outcome:
        value = number(row.value, "value", money=row.currency is not None)
        return unsaved(Outcome, type=row.type, value=value, currency=row.currency or "", **unit)

    return take_batch(
        workspace=workspace, kind="outcome", model=Outcome, shape=OutcomeRow, raw=raw, build=_builder(workspace, event)
    )


def log_costs(*, workspace: Workspace, raw: Sequence[Any]) -> list[Taken]:
    """Store a batch of costs and answer for each row."""

    def event(row: CostRow, unit: dict[str, Any]) -> Cost:
        amount = number(row.amount, "amount", money=True)
        told = {"category": row.category, "amount": amount, "currency": row.currency, "estimated": row.estimated}
        return unsaved(Cost, **told, **unit)

    return take_batch(
        workspace=workspace, kind="cost", model=Cost, shape=CostRow, raw=raw, build=_builder(workspace, event)
    )


@transaction.atomic
def hear_feed(*, workspace: Workspace, source: str, heartbeat: Heartbeat) -> Feed:
    """Note until when a feed is complete; a heartbeat never takes back an earlier one."""
    heard_at = clock.received_at(workspace, heartbeat.at)
    if heartbeat.complete_until > heard_at + CLOCK_SKEW:
        raise Refusal(
            "future-event",
            f"complete_until == {heartbeat.complete_until.isoformat()} is after {heard_at.isoformat()}: "
            "nothing is complete before it has happened",
            "/complete_until",
        )
    feed, created = Feed.objects.select_for_update().get_or_create(
        workspace=workspace,
        source=source,
        type=heartbeat.type,
        defaults={"complete_until": heartbeat.complete_until, "heard_at": heard_at},
    )
    if not created:
        feed.complete_until, feed.heard_at = max(feed.complete_until, heartbeat.complete_until), heard_at
        feed.save()
    clock.advance(workspace, heard_at)
    return feed


def _builder(workspace: Workspace, event: Callable[[Any, dict[str, Any]], Any]) -> Callable[[Mapping[int, Any]], Any]:
    def build(rows: Mapping[int, Any]) -> dict[int, Any]:
        decisions = decisions_of(workspace, [row.decision_id for row in rows.values() if row.decision_id])
        rates, arrival = rates_for(workspace, rows.values()), clock.arrival(workspace)
        built: dict[int, Any] = {}
        for index, row in rows.items():
            try:
                about = _about(row, decisions, arrival(row.at))
                rate = rate_of(workspace, row, rates)
                built[index] = exchange(event(row, about), row.amount_name, rate, workspace.currency)
            except Refusal as refusal:
                built[index] = refusal
        return built

    return build


def _about(row: Any, decisions: Mapping[str, Decision], received_at: datetime) -> dict[str, Any]:
    """Whom and when an event is about, or why that can't be said."""
    if (row.unit_id is None) == (row.decision_id is None):
        raise Invalid("invalid-field", "send either unit_id or decision_id", "/unit_id")
    check_happened(row.occurred_at, received_at)
    decision = None
    if row.decision_id is not None:
        decision = decisions.get(row.decision_id)
        if decision is None:
            raise unknown_decision(row.decision_id)
    return {
        "unit_id": decision.unit_id if decision else row.unit_id,
        "decision": decision,
        "occurred_at": row.occurred_at,
        "relates_to": row.relates_to or "",
    }
