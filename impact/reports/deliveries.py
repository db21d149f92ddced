"""Deliveries: one row and one job for each address; what fails is tried again later, under the same Message-ID."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.mail import EmailMultiAlternatives
from django.db import transaction

from impact.reports.models import Delivery, Report
from impact.reports.rendering import mail_html, mail_text, pdf_of, subject_of
from impact.reports.unsubscribing import unsubscribe_link
from workspaces import clock
from workspaces.canonical import digest
from workspaces.services.audit import record
from workspaces.services.jobs import Attempt, enqueue

DELIVER = "deliver"
# minutes until it is tried again; after the last of them it is given up
RETRIES = (1, 10, 60, 6 * 60, 24 * 60)


@transaction.atomic
def address_report(report: Report) -> None:
    """Give each address of the schedule its delivery and its job; who has unsubscribed gets a row that says so."""
    for recipient, wants in report.schedule.addresses:
        delivery, new = Delivery.objects.get_or_create(
            workspace=report.workspace,
            report=report,
            recipient=recipient,
            defaults={
                "message_id": f"<report-{report.pk}.{digest(recipient)[:16]}@impact>",
                "state": Delivery.State.PENDING if wants else Delivery.State.UNSUBSCRIBED,
            },
        )
        if new and wants:
            _try(delivery)


def deliver_job(attempt: Attempt) -> dict[str, Any]:
    """Try one delivery; sent at least once, and a second copy has the first one's Message-ID."""
    found = Delivery.objects.within(attempt.workspace).select_related(
        "report__schedule__workspace", "report__workspace"
    )
    delivery = found.get(pk=attempt.job.arguments["delivery"])
    if delivery.state == Delivery.State.PENDING and delivery.job_id == attempt.job.pk:
        _send(delivery, attempt)
    return {"report": delivery.report.number, "to": delivery.recipient, "state": delivery.state}


@transaction.atomic
def send_again(*, report: Report, actor: str) -> int:
    """Try those deliveries once more that were given up, and return how many they are."""
    locked = report.deliveries.select_for_update(of=("self",)).select_related("job", "report", "workspace")
    given_up = [delivery for delivery in locked if delivery.given_up]
    for delivery in given_up:
        delivery.state = Delivery.State.PENDING
        delivery.save(update_fields=["state"])
        _try(delivery)
    if given_up:
        record(workspace=report.workspace, actor=actor, action="send report again", subject=str(report.number))
    return len(given_up)


def _try(delivery: Delivery) -> None:
    # the end of its id tells apart what is cut off
    named = f"report {delivery.report.number} to {delivery.recipient[:100]} ({delivery.pk.hex[-6:]})"
    delivery.job = enqueue(
        workspace=delivery.workspace,
        kind=DELIVER,
        key=f"{named}, try {delivery.attempts + 1}",
        arguments={"delivery": str(delivery.pk)},
        due_at=delivery.next_try_at,
    )
    delivery.save(update_fields=["job"])


def _send(delivery: Delivery, attempt: Attempt) -> None:
    if not dict(delivery.report.schedule.addresses).get(delivery.recipient, True):
        with attempt.writing():
            delivery.state, delivery.next_try_at = Delivery.State.UNSUBSCRIBED, None
            delivery.save(update_fields=["state", "next_try_at"])
        return
    with attempt.writing():
        delivery.attempts += 1
        delivery.save(update_fields=["attempts"])
    error = ""
    try:
        _message(delivery).send()
    except (OSError, ValueError) as refused:  # the server's, the network's, or an address that no header can hold
        error = f"{type(refused).__name__}: {refused}"
    with attempt.writing():
        _note(delivery, error)


def _note(delivery: Delivery, error: str) -> None:
    now = clock.server_now()
    delivery.error, delivery.next_try_at = error, None
    if not error:
        delivery.state, delivery.sent_at = Delivery.State.SENT, now
    elif delivery.attempts > len(RETRIES):
        delivery.state = Delivery.State.FAILED
    else:
        delivery.next_try_at = now + timedelta(minutes=RETRIES[delivery.attempts - 1])
        _try(delivery)
    delivery.save(update_fields=["state", "error", "next_try_at", "sent_at"])


def _message(delivery: Delivery) -> EmailMultiAlternatives:
    report = delivery.report
    leave = unsubscribe_link(report.schedule, delivery.recipient)
    message = EmailMultiAlternatives(
        subject_of(report),
        mail_text(report, leave),
        to=[delivery.recipient],
        headers={
            "Message-ID": delivery.message_id,
            "List-Unsubscribe": f"<{leave}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        },
    )
    message.attach_alternative(mail_html(report, leave), "text/html")
    message.attach(f"report-{report.number}.pdf", pdf_of(report), "application/pdf")
    return message
