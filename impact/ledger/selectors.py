"""What the pages about facts show, in a number of queries that rows don't raise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db.models import Count

from impact.ledger.models import Rate
from workspaces.errors import Missing
from workspaces.models import Quarantine, Workspace

ROWS_A_PAGE = 50
# two years of three currencies
RATES = 72


def open_by_code(workspace: Workspace) -> list[Any]:
    """How many rows of each kind and code wait to be mended, most first."""
    waiting = Quarantine.objects.within(workspace).filter(resolved_at=None).values("kind", "code")
    return list(waiting.annotate(rows=Count("pk")).order_by("-rows", "kind", "code"))


def quarantined_rows(workspace: Workspace, filters: Mapping[str, str]) -> tuple[list[Quarantine], str]:
    """Up to a page of rows, newest first, and where the next page begins."""
    rows = Quarantine.objects.within(workspace).filter(resolved_at__isnull=filters.get("state") != "settled")
    rows = rows.filter(**{name: filters[name] for name in ("kind", "code") if filters.get(name)})
    if before := uuid_of(filters.get("before", "")):
        rows = rows.filter(pk__lt=before)
    found = list(rows.order_by("-pk")[: ROWS_A_PAGE + 1])
    return found[:ROWS_A_PAGE], str(found[ROWS_A_PAGE - 1].pk) if len(found) > ROWS_A_PAGE else ""


def quarantined_row(workspace: Workspace, text: str) -> Quarantine:
    known = uuid_of(text)
    row = Quarantine.objects.within(workspace).filter(pk=known).first() if known else None
    if row is None:
        raise Missing("row in quarantine", text)
    return row


def uuid_of(text: str) -> UUID | None:
    """The id that a text names, if it names one."""
    try:
        return UUID(text)
    except ValueError:
        return None


def newest_rates(workspace: Workspace) -> list[Rate]:
    """Rates of other currencies, the newest months first."""
    return list(Rate.objects.within(workspace).order_by("-month", "currency")[:RATES])
