"""What may be declared about other currencies: what a unit of each was worth in a month."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import msgspec

from impact.ledger.models import Cost, Outcome, Rate
from workspaces.declarations import Change, Declaration, Declared, declare_row
from workspaces.errors import Refusal
from workspaces.models import Workspace
from workspaces.strict import Currency, Text

Month = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$(?!\n)")]


class RateDeclared(Declared):
    """What one unit of a currency was worth on average in a month, in the workspace's own."""

    currency: Currency
    month: Month
    rate: Annotated[float, msgspec.Meta(gt=0, lt=1e6)]
    source: Text = ""


def declare_rate(workspace: Workspace, declared: RateDeclared, actor: str) -> Change:
    """Keep a rate; once an amount was counted with it, it stays as it is."""
    if declared.currency == workspace.currency:
        raise Refusal(
            "invalid-declaration", f"currency == {declared.currency!r}, this workspace's own needs no rate", "/currency"
        )
    year, month = map(int, declared.month.split("-"))
    if year == 0:
        raise Refusal("invalid-declaration", f"month == {declared.month!r} is no month", "/month")
    key = f"{declared.currency} {declared.month}"
    known = Rate.objects.within(workspace).filter(key=key).first()
    if known and known.rate != declared.rate and _is_used(known):
        raise Refusal(
            "in-use", f"{key} was counted at {known.rate:g} already and stays so; correct amounts by new rows", "/rate"
        )
    content = {
        "currency": declared.currency,
        "month": date(year, month, 1),
        "rate": declared.rate,
        "source": declared.source,
    }
    return declare_row("rate", Rate, workspace, key, content, actor)


def _is_used(rate: Rate) -> bool:
    return any(model.objects.within(rate.workspace).filter(rate=rate).exists() for model in (Outcome, Cost))


DECLARATIONS = (Declaration("rates", RateDeclared, declare_rate),)
