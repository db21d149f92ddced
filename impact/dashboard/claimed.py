"""What all programmes are claimed to bring a year, losers included, beside what the global holdout measures."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from impact.figures.forms import Forms
from impact.reports.against_holdout import held_claims
from impact.reports.claims import today
from impact.reports.selectors import claims_on
from workspaces.models import Workspace


def claimed_by(workspace: Workspace, language: str) -> dict[str, Any] | None:
    """The sum of what counts today, ends with ends, and the day of the first expiry; None where nothing does.

    The sum is withheld where it is more than the global holdout measures.
    """
    found = list(claims_on(workspace, today(workspace)))
    if not found:
        return None
    forms, held = Forms(language), held_claims(workspace, found)
    amount, low, high = (sum((getattr(one, name) for one in found), Decimal()) for name in ("amount", "low", "high"))
    return {
        "withheld": any(one.exceeds for one in held),
        "held": [line for one in held for line in one.sentences(workspace, language)],
        "amount": forms.money(amount, workspace.currency, 0, signed=True),
        "range": forms.span(forms.number(low, signed=True), forms.number(high, signed=True)),
        "count": len(found),
        "losing": sum(one.amount < 0 for one in found),
        "until": min(one.until_on for one in found),
    }
