"""Cursor paging: the next page starts after the last id, whatever was added meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from workspaces.errors import Refusal

LIMIT = 500


def page(rows: Any, query: Mapping[str, str]) -> tuple[list[Any], str | None]:
    """Return up to ``limit`` rows after ``cursor``, and the cursor of the next page or None."""
    text = query.get("limit", "100")
    if not text.isdecimal() or len(text) > 3 or not 1 <= int(text) <= LIMIT:
        raise Refusal("invalid-parameter", f"limit == {text!r}, must be 1 to {LIMIT}")
    limit = int(text)
    if "cursor" in query:
        try:
            rows = rows.filter(pk__gt=UUID(query["cursor"]))
        except ValueError:
            raise Refusal(
                "invalid-parameter", f"cursor == {query['cursor']!r}, must be what the last page gave"
            ) from None
    found = list(rows.order_by("pk")[: limit + 1])
    return found[:limit], str(found[limit - 1].pk) if len(found) > limit else None
