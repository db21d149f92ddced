"""Getting in by a link, choosing a workspace, seeing and inviting members."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from tests.conftest import PASSWORD, enter, signed_in
from workspaces.models import Invitation, Membership, Workspace
from workspaces.services.people import invite

ANN = {"email": "ann@example.com", "name": "Ann", "password": PASSWORD}


def test_the_start_leads_to_the_one_workspace(mate: Membership) -> None:
    answer = signed_in(mate).get("/")
    assert (answer.status_code, answer["Location"]) == (302, "/w/mobile/")


def test_the_start_offers_several_workspaces(mate: Membership, other_workspace: Workspace) -> None:
    enter(other_workspace, mate.person.email, "viewer")
    page = signed_in(mate).get("/").content.decode()
    assert "/w/mobile/" in page and "/w/other/" in page


def test_the_start_asks_to_sign_in(db: None) -> None:
    assert Client().get("/")["Location"].startswith("/sign-in")


def test_a_link_is_opened_by_whoever_has_it(workspace: Workspace) -> None:
    _, token = invite(workspace=workspace, role="viewer", actor="owner")
    client = Client()
    assert client.get(f"/join/{token}").status_code == 200
    answer = client.post(f"/join/{token}", ANN)
    assert answer["Location"] == "/w/mobile/"
    assert client.get("/w/mobile/members").status_code == 200


@pytest.mark.parametrize(
    ("changes", "said"),
    [({"email": "ann"}, "valid email"), ({"password": "short"}, "too short"), ({"name": ""}, "required")],
)
def test_a_link_says_what_is_wrong(workspace: Workspace, changes: dict[str, str], said: str) -> None:
    _, token = invite(workspace=workspace, role="viewer", actor="owner")
    answer = Client().post(f"/join/{token}", ANN | changes)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not Membership.objects.within(workspace).exists()


def test_a_link_that_is_over_says_so(workspace: Workspace) -> None:
    answer = Client().post("/join/nonsense", ANN)
    assert answer.status_code == 422
    assert "was used or is over" in answer.content.decode()


def test_members_are_seen_by_members(owner: Membership, mate: Membership, stranger: Membership) -> None:
    page = signed_in(mate).get("/w/mobile/members").content.decode()
    assert "owner@example.com" in page and "mate@example.com" in page
    assert "stranger@example.com" not in page
    assert signed_in(stranger).get("/w/mobile/members").status_code == 404
    assert signed_in(stranger).get("/w/nowhere/members").status_code == 404


def test_an_administrator_invites(owner: Membership) -> None:
    page = signed_in(owner).post("/w/mobile/members/invite", {"role": "analyst", "signs_for": "finance"})
    link = re.search(r"http://testserver(/join/[\w-]+)", page.content.decode())
    assert link
    assert Client().post(link[1], ANN).status_code == 302
    joined = Membership.objects.get(person__email="ann@example.com")
    assert (joined.role, joined.signs_for) == ("analyst", "finance")


@pytest.mark.parametrize("role", ["viewer", "analyst", "operator"])
def test_nobody_else_invites(workspace: Workspace, role: str) -> None:
    client = signed_in(enter(workspace, "ann@example.com", role))
    before = Invitation.objects.count()
    assert client.post("/w/mobile/members/invite", {"role": "admin"}).status_code == 403
    assert Invitation.objects.count() == before


def test_a_stranger_does_not_invite(workspace: Workspace, stranger: Membership) -> None:
    assert signed_in(stranger).post("/w/mobile/members/invite", {"role": "admin"}).status_code == 404
    assert Client().post("/w/mobile/members/invite", {"role": "admin"})["Location"].startswith("/sign-in")
    assert not Invitation.objects.within(workspace).exists()


@pytest.mark.parametrize("sent", [{"role": "owner"}, {}, {"role": "viewer", "signs_for": "marketing"}])
def test_an_invitation_to_unknown_rights_is_not_made(owner: Membership, sent: dict[str, str]) -> None:
    before = Invitation.objects.count()
    assert signed_in(owner).post("/w/mobile/members/invite", sent).status_code == 302
    assert Invitation.objects.count() == before
