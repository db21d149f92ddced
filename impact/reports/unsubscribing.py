"""Leaving a report's mail by a signed link, which needs no account; and coming back by the same link."""

from __future__ import annotations

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.urls import reverse

from impact.reports.models import ReportSchedule, Unsubscription
from impact.reports.selectors import schedule_named
from workspaces import clock
from workspaces.errors import Missing
from workspaces.models import Workspace
from workspaces.services.audit import record

SALT = "unsubscribe"


def unsubscribe_link(schedule: ReportSchedule, address: str) -> str:
    token = signing.dumps([schedule.workspace.key, schedule.key, address], salt=SALT)
    return settings.BASE_URL + reverse("unsubscribe", args=[token])


def read_token(token: str) -> tuple[ReportSchedule, str]:
    """Return whose link this is: the schedule and the address."""
    try:
        key, schedule, address = signing.loads(token, salt=SALT)
    except signing.BadSignature as error:
        raise Missing("link", token) from error
    workspace = Workspace.objects.filter(key=key).first()
    if workspace is None:
        raise Missing("workspace", key)
    return schedule_named(workspace, schedule), address


@transaction.atomic
def unsubscribe(*, schedule: ReportSchedule, address: str) -> None:
    """Send this address no more of the schedule's reports; said twice it is said once."""
    _, left = Unsubscription.objects.get_or_create(
        workspace=schedule.workspace,
        schedule=schedule,
        address=address.lower(),
        defaults={"at": clock.server_now()},
    )
    if left:
        record(workspace=schedule.workspace, actor=address, action="unsubscribe", subject=schedule.key)


@transaction.atomic
def subscribe_again(*, schedule: ReportSchedule, address: str) -> None:
    """Send this address the schedule's reports again."""
    gone = Unsubscription.objects.within(schedule.workspace).filter(schedule=schedule, address=address.lower())
    if gone.delete()[0]:
        record(workspace=schedule.workspace, actor=address, action="subscribe again", subject=schedule.key)
