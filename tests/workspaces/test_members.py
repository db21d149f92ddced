"""Changing what members may do, removing them, and leaving."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.conftest import enter, signed_in
from workspaces.errors import Missing, Refusal
from workspaces.models import AuditEntry, Membership, Person, Workspace
from workspaces.services.audit import broken_at
from workspaces.services.people import change_member, remove_member

FINANCE = {"role": "analyst", "signs_for": "finance"}


def page_of(one: Membership, step: str = "") -> str:
    return f"/w/mobile/members/{one.pk}{step}"


def rights(one: Membership) -> tuple[str, str]:
    one.refresh_from_db()
    return one.role, one.signs_for


def newest_act(workspace: Workspace) -> AuditEntry:
    assert broken_at(workspace) is None
    found: AuditEntry = AuditEntry.objects.within(workspace).latest("number")
    return found


def test_an_administrator_changes_rights(owner: Membership, mate: Membership) -> None:
    answer = signed_in(owner).post(page_of(mate), FINANCE, follow=True)
    assert "The rights of Mate are kept." in answer.content.decode()
    assert rights(mate) == ("analyst", "finance")
    act = newest_act(owner.workspace)
    assert (act.action, act.actor, act.subject) == ("change member", "owner@example.com", "mate@example.com")


def test_what_is_the_same_is_no_act(owner: Membership, mate: Membership) -> None:
    before = newest_act(owner.workspace)
    signed_in(owner).post(page_of(mate), {"role": "viewer", "signs_for": ""})
    assert newest_act(owner.workspace) == before


def test_a_removed_member_sees_nothing_more(owner: Membership, mate: Membership) -> None:
    theirs, client = signed_in(mate), signed_in(owner)
    assert theirs.get("/w/mobile/").status_code == 200
    assert "Remove Mate?" in client.get(page_of(mate, "/remove")).content.decode()
    answer = client.post(page_of(mate, "/remove"), follow=True)
    assert "Mate is no member any more." in answer.content.decode()
    assert theirs.get("/w/mobile/").status_code == 404
    assert Person.objects.filter(email="mate@example.com").exists()
    assert newest_act(owner.workspace).action == "remove member"


def test_a_member_leaves(owner: Membership, mate: Membership) -> None:
    client = signed_in(mate)
    assert "Leave Mobile?" in client.get(page_of(mate, "/remove")).content.decode()
    assert client.post(page_of(mate, "/remove"))["Location"] == "/"
    assert client.get("/w/mobile/").status_code == 404
    assert newest_act(owner.workspace).action == "leave"


@pytest.mark.parametrize("role", ["viewer", "analyst", "operator"])
def test_nobody_else_changes_members(owner: Membership, workspace: Workspace, role: str) -> None:
    client = signed_in(enter(workspace, "ann@example.com", role))
    assert client.post(page_of(owner), FINANCE).status_code == 403
    assert client.post(page_of(owner, "/remove")).status_code == 403
    assert rights(owner) == ("admin", "business")


def test_the_last_administrator_stays(owner: Membership, mate: Membership) -> None:
    client = signed_in(owner)
    answer = client.post(page_of(owner), FINANCE)
    assert answer.status_code == 422 and "last administrator" in answer.content.decode()
    assert "last administrator" in client.post(page_of(owner, "/remove"), follow=True).content.decode()
    assert rights(owner) == ("admin", "business")
    client.post(page_of(owner), {"role": "admin", "signs_for": ""})
    client.post(page_of(mate), {"role": "admin"})
    assert (rights(owner), rights(mate)) == (("admin", ""), ("admin", ""))
    client.post(page_of(owner, "/remove"))
    assert not Membership.objects.filter(pk=owner.pk).exists()


def test_an_administrator_elsewhere_does_not_count(owner: Membership, stranger: Membership) -> None:
    with pytest.raises(Refusal, match="last administrator"):
        remove_member(membership=owner, actor="owner@example.com")


def test_anothers_member_is_not_there(owner: Membership, stranger: Membership) -> None:
    for client in (signed_in(owner), signed_in(stranger)):
        for one in (stranger, Membership(pk=uuid4())):
            assert client.post(page_of(one), FINANCE).status_code == 404
            assert client.post(page_of(one, "/remove")).status_code == 404
    assert rights(stranger) == ("admin", "")


@pytest.mark.parametrize("sent", [{"role": "owner"}, {"role": "viewer", "signs_for": "marketing"}])
def test_unknown_rights_are_refused(owner: Membership, mate: Membership, sent: dict[str, str]) -> None:
    assert signed_in(owner).post(page_of(mate), sent).status_code == 422
    with pytest.raises(Refusal, match="must be one of"):
        change_member(membership=mate, actor="owner", **({"signs_for": ""} | sent))
    assert rights(mate) == ("viewer", "")


def test_who_was_removed_meanwhile_is_missing(owner: Membership, mate: Membership) -> None:
    remove_member(membership=mate, actor="owner@example.com")
    with pytest.raises(Missing):
        change_member(membership=mate, role="admin", signs_for="", actor="owner@example.com")
