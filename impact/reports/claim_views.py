"""Pages of benefit claims: what is claimed, claiming from a report, and ending a claim."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from impact.reports.against_holdout import held_claims
from impact.reports.claims import claim_benefit, foreseen_claim, may_claim, overlapping, today, withdraw_claim
from impact.reports.models import BenefitClaim, Report
from impact.reports.selectors import claim_named, claims_of, report_numbered
from workspaces.access import asked, member
from workspaces.errors import Refusal
from workspaces.models import Membership, Workspace
from workspaces.saying import in_words


@member("viewer")
def claims(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """Every claim, losers included, with the day until which it counts."""
    day = today(workspace)
    rows = [(one, one.state_on(day)) for one in claims_of(workspace)]
    counting = [one for one, state in rows if state == BenefitClaim.Status.CLAIMED and one.from_on <= day]
    held = [
        {"claimed": one, "said": one.sentences(workspace, get_language() or "en")}
        for one in held_claims(workspace, counting)
    ]
    content = {"rows": rows, "held": held, "may_claim": may_claim(request.membership)}  # type: ignore[attr-defined]
    return render(request, "reports/claims.html", content)


@member("viewer")
def claim(request: HttpRequest, workspace: Workspace, number: str) -> HttpResponse:
    """Book what a signed report says; refused with the reason where it can't be."""
    found = report_numbered(workspace, number)
    if request.method == "POST":
        said = asked(request.POST, "key", "rule", "reason")
        try:
            if "confirmed" not in request.POST:
                raise Refusal("not-confirmed", _("Nothing was claimed: tick that you answer for it."))
            claim_benefit(report=found, membership=request.membership, **said)  # type: ignore[attr-defined]
            messages.success(request, _("Claimed. It counts until it expires or is ended."))
            return redirect("claims", workspace=workspace.key)
        except Refusal as refusal:
            messages.error(request, in_words(refusal.detail))
    return redirect("report", workspace=workspace.key, number=found.number)


@member("viewer")
def withdraw(request: HttpRequest, workspace: Workspace, id: str) -> HttpResponse:
    """Ask once more, then end a claim."""
    found = claim_named(workspace, id)
    if request.method != "POST":
        return render(request, "reports/withdraw.html", {"claim": found})
    try:
        withdraw_claim(claim=found, membership=request.membership)  # type: ignore[attr-defined]
        messages.success(request, _("Withdrawn. It counts no more from today on."))
    except Refusal as refusal:
        messages.error(request, in_words(refusal.detail))
    return redirect("claims", workspace=workspace.key)


def claiming(report: Report, membership: Membership) -> dict[str, Any]:
    """What a signed report's page says of claims: those made, those that could be, and why others couldn't."""
    if report.status != Report.Status.SIGNED:
        return {}
    made = {one.experiment.key: one for one in report.claims.select_related("experiment")}
    found = [_claimable(report, one, made.get(one["key"])) for one in report.content["experiments"]]
    return {"claims": found, "rules": BenefitClaim.Rule.values, "may_claim": may_claim(membership)}


def _claimable(report: Report, content: dict[str, Any], made: BenefitClaim | None) -> dict[str, Any]:
    named = {"key": content["key"], "name": content["name"], "made": made}
    if made is not None:
        return named
    try:
        claim = foreseen_claim(report, content["key"])
    except Refusal as refusal:
        return named | {"why": in_words(refusal.detail)}
    return named | {"claim": claim, "others": overlapping(claim)}
