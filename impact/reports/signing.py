"""The names under a report: one person reviews it, another signs it for finance."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import OuterRef, Subquery
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from impact.figures.words.codes import word
from impact.reports.models import Report
from workspaces import clock
from workspaces.canonical import digest
from workspaces.errors import Refusal
from workspaces.models import Membership
from workspaces.models.people import SignsFor
from workspaces.services import audit

REVIEWERS = (SignsFor.DATA_SCIENCE, SignsFor.FINANCE)


@transaction.atomic
def review_report(*, report: Report, membership: Membership) -> Report:
    """Say that a draft's figures are as they should be."""
    found = _locked(report, Report.Status.DRAFT)
    if not may_review(found, membership):
        said = _("%(person)s may not review: it takes an analyst or more who signs for data science or finance.")
        raise Refusal("may-not-review", said % {"person": membership.person})
    found.reviewed_by, found.reviewed_at = membership.person, clock.now(found.workspace)
    return _kept(found, Report.Status.REVIEWED, "review report", membership)


@transaction.atomic
def sign_report(*, report: Report, membership: Membership) -> Report:
    """Put finance's name under what somebody else has reviewed; nothing that is withheld can be signed."""
    found = _locked(report, Report.Status.REVIEWED)
    if not may_sign(found, membership):
        said = _("%(person)s may not sign: it takes somebody who signs for finance and isn't the reviewer.")
        raise Refusal("may-not-sign", said % {"person": membership.person})
    if names := withheld(found.content):
        said = _("Report %(number)d can't be signed: the figure of %(names)s is withheld. Mend what its checks say.")
        raise Refusal("figure-withheld", said % {"number": found.number, "names": ", ".join(names)})
    found.signed_by, found.signed_at = membership.person, clock.now(found.workspace)
    return _kept(found, Report.Status.SIGNED, "sign report", membership)


def may_review(report: Report, membership: Membership) -> bool:
    here = membership.workspace_id == report.workspace_id
    return here and membership.may("analyst") and membership.signs_for in REVIEWERS


def may_sign(report: Report, membership: Membership) -> bool:
    here = membership.workspace_id == report.workspace_id
    return here and membership.signs_for == SignsFor.FINANCE and membership.person_id != report.reviewed_by_id


def waiting_reports(membership: Membership) -> list[tuple[Report, str]]:
    """The newest report of each schedule that this member may review or sign now, and which of both."""
    newest = Report.objects.filter(schedule=OuterRef("schedule")).order_by("-number").values("number")[:1]
    found = Report.objects.within(membership.workspace).filter(number=Subquery(newest)).defer("content")
    steps = [(one, _step(one, membership)) for one in found.select_related("schedule").order_by("number")]
    return [(one, step) for one, step in steps if step]


def _step(report: Report, membership: Membership) -> str:
    if report.status == Report.Status.DRAFT and may_review(report, membership):
        return "review"
    return "sign" if report.status == Report.Status.REVIEWED and may_sign(report, membership) else ""


def withheld(content: dict[str, Any]) -> list[str]:
    """The experiments of a report whose figure may not be believed, or that have none yet."""
    return [
        one["name"]
        for one in content["experiments"]
        if one["results"] is None or one["results"]["verdict"]["level"] == "withheld"
    ]


def signing_of(report: Report, membership: Membership) -> dict[str, Any]:
    """What a page says of a report's names: what keeps it from being signed, and what this member may do now."""
    found = withheld(report.content)
    step = _step(report, membership)
    return {"withheld": found, "may_review": step == "review", "may_sign": step == "sign" and not found}


def _locked(report: Report, status: str) -> Report:
    found = Report.objects.select_for_update(of=("self",)).select_related("workspace").get(pk=report.pk)
    if found.status != status:
        said = _("Report %(number)d is %(status)s; it must be %(wanted)s.")
        is_now, wanted = (word(one, get_language() or "en") for one in (found.status, status))
        raise Refusal("wrong-status", said % {"number": found.number, "status": is_now, "wanted": wanted})
    if digest(found.content) != found.sha256:
        said = _("Report %(number)d isn't as it was frozen any more; make a new one.")
        raise Refusal("report-altered", said % {"number": found.number})
    return found


def _kept(report: Report, status: str, action: str, membership: Membership) -> Report:
    report.status = status
    report.save(update_fields=["status", "reviewed_by", "reviewed_at", "signed_by", "signed_at"])
    audit.record(
        workspace=report.workspace,
        actor=membership.person.email,
        action=action,
        subject=str(report.number),
        after=report.sha256,
    )
    return report
