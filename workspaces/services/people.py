"""Workspaces, their members, and the links that people get in by."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from workspaces import clock
from workspaces.errors import Missing, Refusal
from workspaces.identifiers import check_key
from workspaces.models import Invitation, Membership, Person, Workspace
from workspaces.models.people import Role, SignsFor
from workspaces.services import audit

INVITATION_LASTS = timedelta(days=7)


@transaction.atomic
def create_workspace(
    *,
    key: str,
    name: str,
    currency: str = "EUR",
    time_zone: str = "UTC",
    fiscal_year_start: int = 1,
    simulated: bool = False,
    actor: str,
) -> Workspace:
    """Make a workspace; its money, clocks, fiscal year and whether it is simulated are fixed at its birth."""
    try:
        check_key(key)
        ZoneInfo(time_zone)
    except (ValueError, OSError, ZoneInfoNotFoundError) as error:
        raise Refusal("invalid-workspace", str(error)) from error
    if currency not in Locale("en").currencies:
        raise Refusal("invalid-workspace", f"currency == {currency!r} is no ISO 4217 code like EUR")
    if fiscal_year_start not in range(1, 13):
        said = f"fiscal_year_start == {fiscal_year_start}, must be the number of a month, 1 to 12"
        raise Refusal("invalid-workspace", said)
    if Workspace.objects.filter(key=key).exists():
        raise Refusal("workspace-exists", f"There is a workspace {key!r} already; choose another key.")
    workspace = Workspace.objects.create(
        key=key,
        name=name,
        currency=currency,
        time_zone=time_zone,
        fiscal_year_start=fiscal_year_start,
        simulated=simulated,
        created_at=clock.server_now(),
    )
    audit.record(
        workspace=workspace,
        actor=actor,
        action="create workspace",
        subject=key,
        after={
            "name": name,
            "currency": currency,
            "time_zone": time_zone,
            "fiscal_year_start": fiscal_year_start,
            "simulated": simulated,
        },
    )
    return workspace


@transaction.atomic
def invite(*, workspace: Workspace, role: str, signs_for: str = "", actor: str) -> tuple[Invitation, str]:
    """Make an invitation and return it with the token of its link, shown once."""
    _check_rights(role, signs_for)
    token = secrets.token_urlsafe(32)
    now = clock.server_now()
    invitation = Invitation.objects.create(
        workspace=workspace,
        role=role,
        signs_for=signs_for,
        token_sha256=token_digest(token),
        created_at=now,
        expires_at=now + INVITATION_LASTS,
    )
    audit.record(
        workspace=workspace,
        actor=actor,
        action="invite",
        subject=str(invitation.id),
        after={"role": role, "signs_for": signs_for},
    )
    return invitation, token


def _check_rights(role: str, signs_for: str) -> None:
    if role not in Role.values:
        raise Refusal("unknown-role", f"role == {role!r}, must be one of {', '.join(Role.values)}")
    if signs_for and signs_for not in SignsFor.values:
        raise Refusal("unknown-role", f"signs_for == {signs_for!r}, must be one of {', '.join(SignsFor.values)}")


def token_digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


@transaction.atomic
def join(*, token: str, email: str, name: str, password: str) -> Membership:
    """Accept an invitation: the address becomes a person, or proves with its password that it is one."""
    invitation = Invitation.objects.select_for_update().filter(token_sha256=token_digest(token)).first()
    if invitation is None or invitation.accepted_at or invitation.expires_at < clock.server_now():
        raise Refusal("invitation-over", "This link was used or is over; ask an administrator for a new one.")
    person = Person.objects.filter(email=email.strip().lower()).first()
    if person is None:
        try:
            validate_password(password, Person(email=email, name=name))
        except ValidationError as error:
            raise Refusal("weak-password", " ".join(error.messages), "/password") from error
        person = Person.objects.create_person(email=email, name=name, password=password)
    elif not person.check_password(password):
        raise Refusal("wrong-password", "This address has an account; give its password to join with it.", "/password")
    return admit(invitation=invitation, person=person)


@transaction.atomic
def admit(*, invitation: Invitation, person: Person) -> Membership:
    """Use an invitation up for a person."""
    membership, created = Membership.objects.get_or_create(
        workspace=invitation.workspace,
        person=person,
        defaults={"role": invitation.role, "signs_for": invitation.signs_for, "since": clock.server_now()},
    )
    if not created:
        raise Refusal("member-already", f"{person.email} is a member of {invitation.workspace.name} already.")
    invitation.accepted_at, invitation.accepted_by = clock.server_now(), person
    invitation.save(update_fields=["accepted_at", "accepted_by"])
    audit.record(
        workspace=invitation.workspace,
        actor=person.email,
        action="join",
        subject=person.email,
        after={"role": membership.role, "signs_for": membership.signs_for},
    )
    return membership


@transaction.atomic
def change_member(*, membership: Membership, role: str, signs_for: str, actor: str) -> Membership:
    """Give a member another role, or let them sign for somebody else; what they signed before stays."""
    _check_rights(role, signs_for)
    current = _held(membership)
    before, after = _rights(current), {"role": role, "signs_for": signs_for}
    if before == after:
        return current
    if role != Role.ADMIN:
        _check_admin_remains(current)
    current.role, current.signs_for = role, signs_for
    current.save(update_fields=["role", "signs_for"])
    audit.record(
        workspace=current.workspace,
        actor=actor,
        action="change member",
        subject=current.person.email,
        before=before,
        after=after,
    )
    return current


@transaction.atomic
def remove_member(*, membership: Membership, actor: str) -> None:
    """End a membership, one's own too; the person, and what they signed, stay."""
    current = _held(membership)
    _check_admin_remains(current)
    email = current.person.email
    action = "leave" if actor == email else "remove member"
    audit.record(workspace=current.workspace, actor=actor, action=action, subject=email, before=_rights(current))
    current.delete()


def _held(membership: Membership) -> Membership:
    """Return the membership as it is now; until the end of the transaction no other of its workspace changes."""
    Workspace.objects.select_for_update().get(pk=membership.workspace_id)
    current: Membership | None = (
        Membership.objects.filter(pk=membership.pk).select_related("workspace", "person").first()
    )
    if current is None:
        raise Missing("member", str(membership.pk))
    return current


def _rights(membership: Membership) -> dict[str, str]:
    return {"role": membership.role, "signs_for": membership.signs_for}


def _check_admin_remains(membership: Membership) -> None:
    """Refuse to end the last administrator's role: nobody could invite or appoint another."""
    admins = Membership.objects.within(membership.workspace).filter(role=Role.ADMIN)
    if membership.role == Role.ADMIN and not admins.exclude(pk=membership.pk).exists():
        raise Refusal("in-use", "This is the last administrator; make another member an administrator first.")


@transaction.atomic
def set_preferences(*, person: Person, language: str, time_zone: str, mail: str) -> None:
    """Keep in which language and zone somebody is told things, and when by mail."""
    person.language, person.time_zone, person.mail = language, time_zone, mail
    person.save(update_fields=["language", "time_zone", "mail"])


def membership_of(*, person: Person, workspace_key: str) -> Membership:
    """Return a person's membership; a workspace that isn't theirs doesn't exist for them."""
    membership = person.memberships.filter(workspace__key=workspace_key).select_related("workspace").first()
    if membership is None:
        raise Missing("workspace", workspace_key)
    return membership
