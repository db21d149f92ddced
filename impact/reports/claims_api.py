"""GET and POST /claims: what is claimed, claiming from a signed report, and ending a claim."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import msgspec

from impact.reports.against_holdout import Held, held_claims
from impact.reports.claims import claim_benefit, today, withdraw_claim
from impact.reports.models import BenefitClaim
from impact.reports.selectors import claim_named, claims_of, claims_on, report_numbered
from workspaces.errors import Missing
from workspaces.models import Membership, Workspace
from workspaces.paging import page
from workspaces.rest import Call


class ClaimBody(msgspec.Struct, forbid_unknown_fields=True):
    """``claimed_by`` is the address of the member who answers for it and signs for finance."""

    report: int
    experiment: str
    claimed_by: str
    rule: str = ""
    reason: str = ""


class WithdrawalBody(msgspec.Struct, forbid_unknown_fields=True):
    withdrawn_by: str


class ClaimAnswer(msgspec.Struct):
    """Amounts are of a year, as decimal strings; ``claimed_through`` is the key, or empty where it was a page."""

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
    claimed_through: str
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


def post_claim(call: Call) -> ClaimAnswer:
    """Claim in the name of a member; the same again gives the first answer."""
    body: ClaimBody = call.body
    report = report_numbered(call.workspace, str(body.report))
    said = {"rule": body.rule, "reason": " ".join(body.reason.split())}
    first = claims_of(call.workspace).filter(report=report, experiment__key=body.experiment).first()
    if first and said == {"rule": first.overlap_rule, "reason": first.overlap_reason}:
        return _answer(first, today(call.workspace))
    member = _member(call.workspace, body.claimed_by)
    claim = claim_benefit(report=report, key=body.experiment, membership=member, through=call.actor, **said)
    return _answer(claim, today(call.workspace))


def post_withdrawal(call: Call) -> ClaimAnswer:
    """End a claim in the name of a member; ended again it stays as it is."""
    claim = claim_named(call.workspace, call.path["id"])
    if claim.status != BenefitClaim.Status.WITHDRAWN:
        member = _member(call.workspace, call.body.withdrawn_by)
        claim = withdraw_claim(claim=claim, membership=member, through=call.actor)
    return _answer(claim, today(call.workspace))


def _member(workspace: Workspace, address: str) -> Membership:
    found = Membership.objects.within(workspace).filter(person__email__iexact=address).select_related("person").first()
    if found is None:
        raise Missing("member", address)
    return found


def _answer(claim: BenefitClaim, day: date) -> ClaimAnswer:
    names = ("scope", "population", "metric", "option", "against", "currency", "overlap_rule", "overlap_reason")
    return ClaimAnswer(
        id=str(claim.pk),
        report=claim.report.number,
        experiment=claim.experiment.key,
        status=claim.state_on(day),
        claimed_by=claim.claimed_by.name,
        claimed_through=claim.claimed_through,
        claimed_at=claim.claimed_at,
        from_on=claim.from_on,
        until_on=claim.until_on,
        **{name: str(getattr(claim, name)) for name in (*names, "amount", "low", "high")},
    )


def _held(one: Held) -> HeldAnswer:
    return HeldAnswer(one.population, None if one.exceeds else str(one.amount), one.exceeds, one.content)
