"""Once a day by mail what waits for somebody: a signature, a report, a failed check, a tripped guardrail."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation

from impact.dashboard.home import waiting_for
from impact.reports.calendar import next_run
from workspaces import clock
from workspaces.models import Membership
from workspaces.models.people import Mail
from workspaces.services.jobs import Attempt, enqueue

DIGEST = "digest"
MORNING = {"every": "day", "at": "07:00"}
# what only this person or the owner of an experiment can settle; rows and jobs are an operator's daily work
TOLD = ("signature", "report", "guardrail", "check")


def claim_due_digests() -> None:
    """Turn every digest that is due into one job; of any number of ticks, one claims it.

    Whoever has just joined is first told on the next morning.
    """
    now = clock.server_now()
    due = Membership.objects.filter(Q(digest_due_at=None) | Q(digest_due_at__lte=now), person__is_active=True)
    for membership in due.exclude(person__mail=Mail.NEVER).select_related("person", "workspace"):
        zone = _zone(membership)
        with transaction.atomic():
            mine = Membership.objects.within(membership.workspace).filter(
                pk=membership.pk, digest_due_at=membership.digest_due_at
            )
            if mine.update(digest_due_at=next_run(MORNING, zone, now)) and membership.digest_due_at:
                day = now.astimezone(ZoneInfo(zone)).date()
                enqueue(
                    workspace=membership.workspace,
                    kind=DIGEST,
                    key=f"{day} for {membership.person.pk}",
                    arguments={"membership": str(membership.pk)},
                )


def digest_job(attempt: Attempt) -> dict[str, Any]:
    """Mail one person what waits; nothing waits, nothing is sent."""
    found = Membership.objects.within(attempt.workspace).select_related("person", "workspace")
    membership = found.get(pk=attempt.job.arguments["membership"])
    texts = [text for language in membership.person.languages if (text := _said(membership, language))]
    if not texts or membership.person.mail == Mail.NEVER:
        return {"sent": False}
    (subject, _), bodies = texts[0], [body for _, body in texts]
    # a second copy, should a worker die while sending, shows as one
    known = {"Message-ID": f"<digest-{attempt.job.pk}@impact>"}
    EmailMessage(subject, "\n\n".join(bodies), to=[membership.person.email], headers=known).send()
    return {"sent": True}


def _said(membership: Membership, language: str) -> tuple[str, str] | None:
    """Subject and body, or None where nothing waits."""
    workspace = membership.workspace
    items = [one for one in waiting_for(membership, language) if one["kind"] in TOLD]
    if not items:
        return None
    content = {
        "workspace": workspace,
        "items": [one | {"page": settings.BASE_URL + _page(workspace.key, one)} for one in items],
        "count": len(items),
        "home": settings.BASE_URL + reverse("home", args=[workspace.key]),
        "account": settings.BASE_URL + reverse("account"),
    }
    with translation.override(language):
        subject = " ".join(render_to_string("dashboard/digest_subject.txt", content).split())
        return subject, render_to_string("dashboard/digest.txt", content).strip()


def _page(workspace: str, item: dict[str, Any]) -> str:
    if item["kind"] == "report":
        return reverse("report", args=[workspace, item["report"].number]) + "#review"
    name = "agreement" if item["kind"] == "signature" else "experiment"
    return reverse(name, args=[workspace, item["experiment"].key])


def _zone(membership: Membership) -> str:
    return membership.person.time_zone or membership.workspace.time_zone
