"""Writing what was really done about a decision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from experiments.models import Decision, Execution
from experiments.rows import ExecutionRow
from workspaces import clock
from workspaces.errors import Invalid, Refusal
from workspaces.models import Workspace
from workspaces.services.facts import Taken, check_happened, take_batch

# whoever does something else says so
OF_OVERRIDES = {"executed_action": "what was done instead", "actor": "who did it", "reason": "why"}


def log_executions(*, workspace: Workspace, raw: Sequence[Any]) -> list[Taken]:
    """Store a batch of executions and answer for each row."""

    def build(rows: Mapping[int, ExecutionRow]) -> dict[int, Execution | Refusal]:
        decisions = decisions_of(workspace, [row.decision_id for row in rows.values()])
        return {index: _built(decisions, row, clock.received_at(workspace, row.at)) for index, row in rows.items()}

    return take_batch(workspace=workspace, kind="execution", model=Execution, shape=ExecutionRow, raw=raw, build=build)


def decisions_of(workspace: Workspace, ids: Sequence[str]) -> dict[str, Decision]:
    """Return the decisions with these ids, as far as they exist here."""
    known = {text: pk for text in ids if (pk := _uuid(text))}
    found = Decision.objects.within(workspace).only("id", "unit_id", "decision_point_id").in_bulk(known.values())
    return {text: found[pk] for text, pk in known.items() if pk in found}


def unknown_decision(decision_id: str) -> Refusal:
    return Refusal("unknown-decision", f"There is no decision {decision_id!r} in this workspace.", "/decision_id")


def _built(decisions: Mapping[str, Decision], row: ExecutionRow, received_at: datetime) -> Execution | Refusal:
    try:
        check_happened(row.occurred_at, received_at)
    except Refusal as refusal:
        return refusal
    if row.decision_id not in decisions:
        return unknown_decision(row.decision_id)
    for field, remedy in OF_OVERRIDES.items() if row.status == "overridden" else ():
        if not getattr(row, field):
            return Invalid("invalid-field", f"{field} is missing: say {remedy}", f"/{field}")
    return Execution(
        decision=decisions[row.decision_id],
        status=row.status,
        executed_action=row.executed_action or "",
        actor=row.actor or "",
        reason=row.reason or "",
        external_ref=row.external_ref or "",
        occurred_at=row.occurred_at,
    )


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
