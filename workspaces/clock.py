"""The only place that time comes from: the server's, or the time that a simulated workspace states."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from workspaces.errors import Invalid
from workspaces.models import Workspace

# how far a client's clock may run ahead of ours
CLOCK_SKEW = timedelta(minutes=1)


def server_now() -> datetime:
    """Real time, for leases, sign-ins and keys."""
    return datetime.now(UTC)


def now(workspace: Workspace) -> datetime:
    """What time it is in a workspace."""
    return (workspace.clock_at if workspace.simulated else None) or server_now()


def received_at(workspace: Workspace, stated: datetime | None) -> datetime:
    """When a fact came in: now, or in a simulated workspace the time it states."""
    if stated is None:
        return now(workspace)
    if not workspace.simulated:
        raise Invalid(
            "time-stated", f"at == {stated.isoformat()}: only a simulated workspace accepts a time; leave it out", "/at"
        )
    return stated.astimezone(UTC)


def arrival(workspace: Workspace) -> Callable[[datetime | None], datetime]:
    """``received_at`` for the rows of one batch: those that state no time come in together."""
    together = now(workspace)
    return lambda stated: together if stated is None else received_at(workspace, stated)


def advance(workspace: Workspace, to: datetime) -> None:
    """Move a simulated workspace's clock on; it never goes back."""
    if not workspace.simulated or (workspace.clock_at and workspace.clock_at >= to):
        return
    behind = Workspace.objects.filter(pk=workspace.pk).exclude(clock_at__gte=to)
    behind.update(clock_at=to)
    workspace.clock_at = to
