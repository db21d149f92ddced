"""Entering the demo's workspace as a viewer, and leaving it again."""

from __future__ import annotations

from django.db import transaction

from workspaces import clock
from workspaces.errors import Missing, Refusal
from workspaces.models import Membership, Person, Workspace
from workspaces.models.people import Role
from workspaces.services import audit

# the workspaces that the demo plays in; nothing of it is anybody's
KEYS = ("demo", "demo-large")


def demo_of(person: Person) -> Workspace | None:
    """The demo that somebody could still enter; none where it was never played."""
    demos = Workspace.objects.filter(key__in=KEYS, simulated=True)
    return demos.exclude(pk__in=person.memberships.values("workspace")).order_by("key").first()


def visits(membership: Membership) -> bool:
    """Whether somebody only looks at the demo; the people who play in it stay."""
    at_demo = membership.workspace.key in KEYS and membership.workspace.simulated
    return at_demo and membership.role == Role.VIEWER and not membership.signs_for


@transaction.atomic
def enter_demo(*, person: Person) -> Membership:
    """Let anybody who has an account look at the demo."""
    demo = demo_of(person)
    if demo is None:
        known = person.memberships.filter(workspace__key__in=KEYS).select_related("workspace").first()
        if known is None:
            raise Missing("workspace", KEYS[0])
        return known
    membership, entered = Membership.objects.get_or_create(
        workspace=demo, person=person, defaults={"role": Role.VIEWER, "since": clock.server_now()}
    )
    if entered:
        audit.record(workspace=demo, actor=person.email, action="enter demo", subject=person.email)
    return membership


@transaction.atomic
def leave_demo(*, membership: Membership) -> None:
    """End a visit to the demo; entering again is always possible."""
    if not visits(membership):
        raise Refusal("in-use", f"{membership.person} doesn't just visit {membership.workspace.name}.")
    audit.record(
        workspace=membership.workspace,
        actor=membership.person.email,
        action="leave demo",
        subject=membership.person.email,
    )
    membership.delete()
