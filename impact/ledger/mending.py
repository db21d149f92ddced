"""Rows in quarantine: replayed as they are or mended, or dismissed with a reason."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from impact.ledger.kinds import KINDS
from workspaces import clock
from workspaces.canonical import digest
from workspaces.errors import Refusal
from workspaces.models import Quarantine, Workspace
from workspaces.services.audit import record
from workspaces.services.facts import Taken
from workspaces.strict import convert, unstorable

Resolution = Quarantine.Resolution
ROWS_AT_ONCE = 1000


@transaction.atomic
def replay(*, workspace: Workspace, row: Quarantine, actor: str, mended: Any = None) -> Taken:
    """Send a row once more, mended or not; it ends in the ledger, or stays with the reason of today."""
    row = _open(workspace, row)
    sent = row.row if mended is None else mended
    # what is wrong with the form of a mended row is said before anything is written
    content = convert(sent, KINDS[row.kind].row).content()
    [taken] = KINDS[row.kind].log(workspace=workspace, raw=[sent])
    if taken.status in Resolution.values:
        _resolve(row, taken.status, actor)
    elif content != row.row and _is_kept(workspace, row.kind, content):
        _resolve(row, Resolution.MENDED, actor)
    else:
        _stays(row, taken)
    record(
        workspace=workspace, actor=actor, action=f"replay: {taken.status}", subject=str(row), before=row.row, after=sent
    )
    return taken


@transaction.atomic
def replay_rows(*, workspace: Workspace, kind: str, code: str, actor: str) -> dict[str, int]:
    """Send all open rows of one kind and code once more, as many as a batch holds; count where they end."""
    rows = list(
        Quarantine.objects.within(workspace)
        .select_for_update()
        .filter(kind=kind, code=code, resolved_at=None)
        .order_by("pk")[:ROWS_AT_ONCE]
    )
    counts = {"accepted": 0, "duplicate": 0, "open": 0}
    if not rows:
        return counts
    for row, taken in zip(rows, KINDS[kind].log(workspace=workspace, raw=[row.row for row in rows]), strict=True):
        if taken.status in Resolution.values:
            _resolve(row, taken.status, actor)
        else:
            _stays(row, taken)
        counts[taken.status if taken.status in counts else "open"] += 1
    record(
        workspace=workspace, actor=actor, action="replay", subject=f"{len(rows)} rows: {kind}, {code}", after=counts
    )  # fmt: skip
    return counts


@transaction.atomic
def dismiss(*, workspace: Workspace, row: Quarantine, actor: str, note: str) -> Quarantine:
    """Settle that a row never counts; it is kept, with who said so and why."""
    row = _open(workspace, row)
    if not note.strip():
        raise Refusal("invalid-field", "Say why the row never counts.", "/note")
    if problem := unstorable(note):
        raise Refusal("invalid-field", f"The reason has {problem}.", "/note")
    row.note = note.strip()
    _resolve(row, Resolution.DISMISSED, actor)
    record(workspace=workspace, actor=actor, action="dismiss", subject=str(row), before=row.row, after=row.note)
    return row


def _open(workspace: Workspace, row: Quarantine) -> Quarantine:
    held: Quarantine = Quarantine.objects.within(workspace).select_for_update().get(pk=row.pk)
    if held.resolved_at:
        raise Refusal("wrong-status", f"{held.resolved_by} settled this row already: {held.resolution}.")
    return held


def _resolve(row: Quarantine, resolution: str, actor: str) -> None:
    row.resolution, row.resolved_by, row.resolved_at = resolution, actor, clock.server_now()
    row.save(update_fields=["resolution", "resolved_by", "resolved_at", "note"])


def _stays(row: Quarantine, taken: Taken) -> None:
    row.code, row.reason = taken.code, taken.detail
    row.save(update_fields=["code", "reason"])


def _is_kept(workspace: Workspace, kind: str, content: Any) -> bool:
    """Whether the row as it was mended is in quarantine itself, and open."""
    twins = Quarantine.objects.within(workspace).filter(
        kind=kind, source=content["source"], event_id=content["event_id"], digest=digest(content), resolved_at=None
    )
    return twins.exists()
