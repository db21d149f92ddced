"""The audit chain: each entry holds the digest of the one before, so a changed or missing one shows."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from workspaces import clock
from workspaces.canonical import digest
from workspaces.models import AuditEntry, Workspace

CHAINED = ("number", "actor", "action", "subject", "before_sha256", "after_sha256", "previous")


@transaction.atomic
def record(
    *, workspace: Workspace, actor: str, action: str, subject: str, before: Any = None, after: Any = None
) -> AuditEntry:
    """Append one entry, in the transaction of the change that it tells of."""
    head = Workspace.objects.select_for_update().get(pk=workspace.pk)
    entry = AuditEntry(
        workspace=workspace,
        number=head.audit_length + 1,
        at=clock.server_now(),
        actor=actor,
        action=action,
        subject=subject,
        before_sha256="" if before is None else digest(before),
        after_sha256="" if after is None else digest(after),
        previous=head.audit_head,
    )
    entry.digest = entry_digest(entry)
    entry.save(force_insert=True)
    workspace.audit_length, workspace.audit_head = entry.number, entry.digest
    workspace.save(update_fields=["audit_length", "audit_head"])
    return entry


def entry_digest(entry: AuditEntry) -> str:
    return digest({"at": entry.at.isoformat()} | {name: getattr(entry, name) for name in CHAINED})


def broken_at(workspace: Workspace, last: int | None = None) -> int | None:
    """Return the number of the first entry that doesn't fit the chain, or None; of the ``last`` so many alone."""
    head = _head(workspace)
    entries = AuditEntry.objects.within(workspace).order_by("number")
    number = max(0, head[0] - last) if last else 0
    before = entries.filter(number=number).values_list("digest", flat=True).first()
    if number and before is None:
        return number
    previous = before or ""
    for entry in entries.filter(number__gt=number).iterator():
        number += 1
        if (entry.number, entry.previous, entry.digest) != (number, previous, entry_digest(entry)):
            return number
        previous = entry.digest
    if head == (number, previous):
        return None
    # what was appended while it was read breaks nothing
    return number + 1 if head == _head(workspace) else broken_at(workspace, last)


def _head(workspace: Workspace) -> tuple[int, str]:
    return Workspace.objects.values_list("audit_length", "audit_head").get(pk=workspace.pk)
