"""GET /claims: what is claimed, and whether the global holdout bears it; only a person claims, on a page."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import msgspec

from impact.reports.against_holdout import Held, held_claims
from impact.reports.claims import today
from impact.reports.models import BenefitClaim
from impact.reports.selectors import claim_named, claims_of, claims_on
from workspaces.paging import page
from workspaces.rest import Call


class ClaimAnswer(msgspec.Struct):
    """Amounts are of a year, as decimal strings."""

    id: str
    report: int
    experiment: str
    scope: str
    population: str
    metric: str
    option: str
    against: str
    from_on: date
    until_on: date
    currency: str
    amount: str
    low: str
    high: str
    status: str
    overlap_rule: str
    overlap_reason: str
    claimed_by: str
    claimed_at: datetime


class HeldAnswer(msgspec.Struct):
    """``amount`` is the sum of what counts today, null where it is more than the upper limit of what is measured."""

    population: str
    amount: str | None
    withheld: bool
    measured: dict[str, Any] | None


class ClaimPage(msgspec.Struct, omit_defaults=True):
    """``against_holdout`` is missing where nothing counts today."""

    claims: list[ClaimAnswer]
    next: str | None
    against_holdout: list[HeldAnswer] = []


def get_claims(call: Call) -> ClaimPage:
    day = today(call.workspace)
    found, following = page(claims_of(call.workspace), call.query)
    held = held_claims(call.workspace, claims_on(call.workspace, day))
    return ClaimPage([_answer(one, day) for one in found], following, [_held(one) for one in held])


def get_claim(call: Call) -> ClaimAnswer:
    return _answer(claim_named(call.workspace, call.path["id"]), today(call.workspace))


def _answer(claim: BenefitClaim, day: date) -> ClaimAnswer:
    names = ("scope", "population", "metric", "option", "against", "currency", "overlap_rule", "overlap_reason")
    return ClaimAnswer(
        id=str(claim.pk),
        report=claim.report.number,
        experiment=claim.experiment.key,
        status=claim.state_on(day),
        claimed_by=claim.claimed_by.name,
        claimed_at=claim.claimed_at,
        from_on=claim.from_on,
        until_on=claim.until_on,
        **{name: str(getattr(claim, name)) for name in (*names, "amount", "low", "high")},
    )


def _held(one: Held) -> HeldAnswer:
    return HeldAnswer(one.population, None if one.exceeds else str(one.amount), one.exceeds, one.content)
