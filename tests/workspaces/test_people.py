"""Workspaces, invitations, and how people get in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from tests.conftest import PASSWORD, enter, race
from workspaces.errors import Missing, Refusal
from workspaces.models import AuditEntry, Invitation, Membership, Person, Workspace
from workspaces.models.people import Role
from workspaces.services.audit import broken_at
from workspaces.services.people import INVITATION_LASTS, create_workspace, invite, join, membership_of

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ANN: dict[str, Any] = {"email": "ann@example.com", "name": "Ann", "password": PASSWORD}


def test_a_workspace_is_made(db: None) -> None:
    made = create_workspace(key="mobile", name="Mobile", currency="JPY", time_zone="Asia/Tokyo", actor="ann")
    stored = Workspace.objects.get()
    assert (stored.key, stored.currency, stored.time_zone, stored.simulated) == ("mobile", "JPY", "Asia/Tokyo", False)
    assert AuditEntry.objects.within(made).get().action == "create workspace"
    assert broken_at(made) is None


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"key": "Mobile"}, "invalid-workspace"),
        ({"key": ""}, "invalid-workspace"),
        ({"key": "-a"}, "invalid-workspace"),
        ({"key": "a" * 65}, "invalid-workspace"),
        ({"key": "mobile\n"}, "invalid-workspace"),
        ({"currency": "eur"}, "invalid-workspace"),
        ({"currency": "EURO"}, "invalid-workspace"),
        ({"currency": "ABC"}, "invalid-workspace"),
        ({"time_zone": "Mars/Olympus"}, "invalid-workspace"),
        ({"time_zone": "Europe"}, "invalid-workspace"),
        ({"time_zone": "../../etc/passwd"}, "invalid-workspace"),
        ({"time_zone": ""}, "invalid-workspace"),
        ({"key": "real"}, "workspace-exists"),
    ],
)
def test_a_workspace_is_refused(real_workspace: Workspace, changes: dict[str, str], code: str) -> None:
    with pytest.raises(Refusal) as refusal:
        create_workspace(**({"key": "mobile", "name": "Mobile", "actor": "ann"} | changes))  # type: ignore[arg-type]
    assert refusal.value.code == code
    assert Workspace.objects.get() == real_workspace


def test_a_link_makes_a_member(workspace: Workspace) -> None:
    _, token = invite(workspace=workspace, role="analyst", signs_for="finance", actor="owner")
    membership = join(token=token, **ANN | {"email": " Ann@Example.com "})
    assert (membership.role, membership.signs_for) == ("analyst", "finance")
    assert membership.person.email == "ann@example.com"
    assert membership.person.check_password(PASSWORD)
    acts = AuditEntry.objects.within(workspace).order_by("number").values_list("actor", "action")
    assert list(acts)[-2:] == [("owner", "invite"), ("ann@example.com", "join")]


def test_the_token_is_kept_nowhere(workspace: Workspace) -> None:
    invitation, token = invite(workspace=workspace, role="viewer", actor="owner")
    kept = [*Invitation.objects.filter(pk=invitation.pk).values_list()[0]]
    kept += [value for row in AuditEntry.objects.values_list() for value in row]
    assert not any(token in str(value) for value in kept)


@pytest.mark.parametrize("rights", [{"role": "owner"}, {"role": ""}, {"role": "viewer", "signs_for": "marketing"}])
def test_unknown_rights_are_refused(workspace: Workspace, rights: dict[str, str]) -> None:
    with pytest.raises(Refusal) as refusal:
        invite(workspace=workspace, actor="owner", **rights)
    assert refusal.value.code == "unknown-role"


def test_a_link_is_used_once(workspace: Workspace) -> None:
    _, token = invite(workspace=workspace, role="viewer", actor="owner")
    join(token=token, **ANN)
    refused(token, "invitation-over", email="bob@example.com")
    assert not Person.objects.filter(email="bob@example.com").exists()


@pytest.mark.parametrize("token", ["", "nonsense", "\x00", "é"])
def test_a_link_that_was_never_made_is_refused(workspace: Workspace, token: str) -> None:
    refused(token, "invitation-over")


def test_a_link_ends_after_a_week(workspace: Workspace) -> None:
    with time_machine.travel(NOW, tick=False) as time:
        _, early = invite(workspace=workspace, role="viewer", actor="owner")
        _, late = invite(workspace=workspace, role="viewer", actor="owner")
        time.shift(INVITATION_LASTS)
        join(token=early, **ANN)
        time.shift(timedelta(seconds=1))
        refused(late, "invitation-over", email="bob@example.com")
    assert timedelta(days=7) == INVITATION_LASTS


@pytest.mark.parametrize("password", ["", "short", "password1234", "ann@example.com", "administrator"])
def test_a_weak_password_is_refused(workspace: Workspace, password: str) -> None:
    _, token = invite(workspace=workspace, role="viewer", actor="owner")
    refused(token, "weak-password", password=password)
    # and the link still stands
    assert join(token=token, **ANN).person.email == "ann@example.com"


def test_who_has_an_account_proves_it(workspace: Workspace, other_workspace: Workspace) -> None:
    known = enter(other_workspace, "ann@example.com", "viewer")
    _, token = invite(workspace=workspace, role="admin", actor="owner")
    refused(token, "wrong-password", password="another good passphrase")
    refused(token, "wrong-password", email="ANN@example.com", password="another good passphrase")
    assert not Membership.objects.within(workspace).exists()
    membership = join(token=token, **ANN | {"name": "Somebody else"})
    assert membership.person == known.person
    assert Person.objects.get().name == known.person.name
    assert Person.objects.get().check_password(PASSWORD)


def test_a_member_does_not_join_twice(workspace: Workspace) -> None:
    mate = enter(workspace, "ann@example.com", "viewer")
    _, token = invite(workspace=workspace, role="admin", actor="owner")
    refused(token, "member-already")
    mate.refresh_from_db()
    assert mate.role == "viewer"


def test_roles_hold_everything_below_them(workspace: Workspace) -> None:
    for place, role in enumerate(Role.values):
        membership = Membership(workspace=workspace, role=role)
        assert [membership.may(wanted) for wanted in Role.values] == [below <= place for below in range(4)]


def test_a_workspace_that_is_not_theirs_does_not_exist(mate: Membership, stranger: Membership) -> None:
    for key in ("other", "nowhere", ""):
        with pytest.raises(Missing):
            membership_of(person=mate.person, workspace_key=key)
    assert membership_of(person=stranger.person, workspace_key="other") == stranger


@pytest.mark.django_db(transaction=True)
def test_one_link_lets_one_of_many_in(workspace: Workspace) -> None:
    _, token = invite(workspace=workspace, role="viewer", actor="owner")

    def attempt(place: int) -> str:
        try:
            join(token=token, **ANN | {"email": f"p{place}@example.com"})
        except Refusal as refusal:
            return refusal.code
        return "in"

    assert sorted(race(8, attempt)) == ["in", *["invitation-over"] * 7]
    assert Membership.objects.within(workspace).count() == Person.objects.count() == 1


def refused(token: str, code: str, **changes: str) -> None:
    with pytest.raises(Refusal) as refusal:
        join(token=token, **ANN | changes)
    assert refusal.value.code == code
