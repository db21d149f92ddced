"""Benefit claims: a year of money booked from a signed report, until it expires or somebody ends it."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from babel.numbers import get_currency_precision
from django.db import transaction
from django.utils.translation import gettext as _

from experiments.selectors import experiment_named
from impact.agreements.plan import MONEY
from impact.figures.worth import months_later
from impact.reports.against_holdout import enqueue_holdouts
from impact.reports.comparing import levels_of
from impact.reports.models import BenefitClaim, Report
from workspaces import clock
from workspaces.errors import Missing, Refusal
from workspaces.models import Membership, Workspace
from workspaces.models.people import SignsFor
from workspaces.services import audit

SHORTEST, LONGEST = 10, 500


@transaction.atomic
def claim_benefit(
    *, report: Report, key: str, membership: Membership, rule: str = "", reason: str = ""
) -> BenefitClaim:
    """Book what a signed report says of an experiment; where others claim the same, say which counts, and why."""
    # of two who claim at once the second sees the first one's
    Workspace.objects.select_for_update().get(pk=report.workspace_id)
    _check_may_claim(report.workspace, membership)
    claim = foreseen_claim(report, key)
    if BenefitClaim.objects.filter(report=report, experiment=claim.experiment).exists():
        raise Refusal("claimed-already", _("Report %(number)d is claimed from already.") % {"number": report.number})
    others = list(overlapping(claim))
    if others:
        claim.overlap_rule, claim.overlap_reason = _checked_rule(rule, reason, others)
    claim.claimed_by, claim.claimed_at = membership.person, clock.now(report.workspace)
    claim.save(force_insert=True)
    _record(claim, "claim benefit", membership)
    if claim.overlap_rule == BenefitClaim.Rule.INSTEAD:
        for other in others:
            _end(other, claim.from_on, BenefitClaim.Status.REPLACED)
            _record(other, "replace claim", membership)
    enqueue_holdouts(report.workspace)
    return claim


@transaction.atomic
def withdraw_claim(*, claim: BenefitClaim, membership: Membership) -> BenefitClaim:
    """Claim no more from today on; what was claimed before stays."""
    found = BenefitClaim.objects.select_for_update(of=("self",)).select_related("workspace", "experiment", "report")
    claim = found.get(pk=claim.pk)
    _check_may_claim(claim.workspace, membership)
    if claim.state_on(today(claim.workspace)) != BenefitClaim.Status.CLAIMED:
        raise Refusal("wrong-status", _("This claim has ended already."))
    _end(claim, today(claim.workspace), BenefitClaim.Status.WITHDRAWN)
    _record(claim, "withdraw claim", membership)
    enqueue_holdouts(claim.workspace)
    return claim


def foreseen_claim(report: Report, key: str) -> BenefitClaim:
    """The claim that a report's value statement gives, not stored; refused where it gives none."""
    if report.status != Report.Status.SIGNED:
        raise Refusal("wrong-status", _("Benefit is claimed from a signed report only."))
    content = next((one for one in report.content["experiments"] if one["key"] == key), None)
    if content is None:
        raise Missing("experiment in the report", key)
    results = content["results"]
    statement = _booked(results, report.workspace)
    experiment = experiment_named(report.workspace, key)
    cut_off = datetime.fromisoformat(results["as_of"]).date()
    low, amount, high = (
        _money(statement["booked"][case]["gross_per_year"], statement["currency"]) for case in ("low", "base", "high")
    )
    return BenefitClaim(
        workspace=report.workspace,
        report=report,
        experiment=experiment,
        scope=experiment.decision_point.key if experiment.decision_point else experiment.key,
        population=results["unit_type"],
        metric=MONEY,
        option=statement["policy"] or statement["arm"],
        against=statement["against"],
        from_on=cut_off,
        until_on=months_later(cut_off, statement["expires_months"]),
        currency=statement["currency"],
        amount=amount,
        low=low,
        high=high,
    )


def overlapping(claim: BenefitClaim) -> Any:
    """Claims that are in force on the same population and metric in a part of its time."""
    return (
        BenefitClaim.objects.within(claim.workspace)
        .filter(population=claim.population, metric=claim.metric, status=BenefitClaim.Status.CLAIMED)
        .filter(from_on__lt=claim.until_on, until_on__gt=claim.from_on)
        .select_related("experiment", "report")
        .order_by("from_on", "pk")
    )


def may_claim(membership: Membership) -> bool:
    return membership.signs_for == SignsFor.FINANCE


def today(workspace: Workspace) -> date:
    return clock.now(workspace).astimezone(ZoneInfo(workspace.time_zone)).date()


def _booked(results: dict[str, Any] | None, workspace: Workspace) -> dict[str, Any]:
    """The value statement of what may be booked in this workspace's money."""
    statement: dict[str, Any] | None = results and results["value_statement"]
    if not results or not statement or not statement["booked"]:
        said = _("Nothing is booked: its agreement has no deployment with a spread of true effects.")
        raise Refusal("not-booked", said)
    levels = levels_of(results)
    if levels is None or levels.get(statement["arm"]) == "withheld":
        raise Refusal("figure-withheld", _("Its figure is withheld, so nothing can be claimed."))
    if statement["currency"] != workspace.currency:
        said = _("It is counted in %(other)s; claims are added up in %(own)s.")
        raise Refusal("other-currency", said % {"other": statement["currency"], "own": workspace.currency})
    return statement


def _money(amount: float, currency: str) -> Decimal:
    return Decimal(repr(amount)).quantize(Decimal(1).scaleb(-get_currency_precision(currency)))


def _check_may_claim(workspace: Workspace, membership: Membership) -> None:
    if membership.workspace_id != workspace.pk or not may_claim(membership):
        said = _("%(person)s may not claim: it takes somebody who signs for finance.")
        raise Refusal("may-not-claim", said % {"person": membership.person})


def _checked_rule(rule: str, reason: str, others: list[BenefitClaim]) -> tuple[str, str]:
    names = ", ".join(one.experiment.name for one in others)
    if rule not in BenefitClaim.Rule.values:
        said = _("%(names)s is claimed for the same population, metric and time; say which counts.")
        raise Refusal("overlapping-claim", said % {"names": names}, "/rule")
    said = " ".join(reason.split())
    if not SHORTEST <= len(said) <= LONGEST:
        said = _("Say why in %(least)d to %(most)d characters.") % {"least": SHORTEST, "most": LONGEST}
        raise Refusal("no-reason", said, "/reason")
    return rule, said


def _end(claim: BenefitClaim, day: date, status: str) -> None:
    claim.until_on, claim.status = min(claim.until_on, max(claim.from_on, day)), status
    claim.save(update_fields=["until_on", "status"])


def _record(claim: BenefitClaim, action: str, membership: Membership) -> None:
    said = {"amount": str(claim.amount), "currency": claim.currency, "from": str(claim.from_on)}
    said |= {"until": str(claim.until_on), "rule": claim.overlap_rule, "reason": claim.overlap_reason}
    audit.record(
        workspace=claim.workspace,
        actor=membership.person.email,
        action=action,
        subject=f"{claim.experiment.key}, report {claim.report.number}",
        after=said,
    )
