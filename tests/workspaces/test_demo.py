"""The demo's workspace is entered as a viewer and left again; who plays in it stays."""

from __future__ import annotations

import pytest

from tests.conftest import enter, signed_in
from workspaces.models import AuditEntry, Membership, Workspace
from workspaces.services.people import create_workspace


@pytest.fixture
def demo(db: None) -> Workspace:
    return create_workspace(key="demo", name="Demo company", simulated=True, actor="demo")


def test_somebody_enters_and_leaves(mate: Membership, demo: Workspace) -> None:
    client = signed_in(mate)
    assert "Enter the demo" in client.get("/w/mobile/").content.decode()
    inside = client.post("/demo/enter", follow=True)
    assert inside.redirect_chain[-1][0] == "/w/demo/" and "Leave the demo" in inside.content.decode()
    membership = Membership.objects.get(workspace=demo, person=mate.person)
    assert membership.role == "viewer" and membership.signs_for == ""
    assert "Enter the demo" not in client.get("/w/mobile/").content.decode()
    client.post("/w/demo/leave")
    assert client.get("/w/demo/").status_code == 404 and client.get("/w/mobile/").status_code == 200
    done = AuditEntry.objects.filter(workspace=demo).order_by("number").values_list("action", flat=True)
    assert list(done) == ["create workspace", "enter demo", "leave demo"]


def test_entering_twice_is_entering_once(mate: Membership, demo: Workspace) -> None:
    client = signed_in(mate)
    for _ in range(2):
        assert client.post("/demo/enter").headers["Location"] == "/w/demo/"
    assert Membership.objects.filter(workspace=demo).count() == 1


def test_somebody_in_no_workspace_may_enter_too(mate: Membership, demo: Workspace) -> None:
    client = signed_in(mate)
    mate.delete()
    assert "Enter the demo" in client.get("/").content.decode()
    assert client.post("/demo/enter").headers["Location"] == "/w/demo/"


def test_who_plays_in_the_demo_stays(demo: Workspace) -> None:
    for email, role, signs_for in (("a@example.com", "admin", ""), ("w@example.com", "viewer", "finance")):
        membership = enter(demo, email, role, signs_for)
        client = signed_in(membership)
        assert "Leave the demo" not in client.get("/w/demo/").content.decode()
        assert "just visit" in client.post("/w/demo/leave", follow=True).content.decode()
        assert Membership.objects.filter(pk=membership.pk).exists()


def test_no_other_workspace_is_entered_or_left_so(mate: Membership, workspace: Workspace) -> None:
    client = signed_in(mate)
    assert client.post("/demo/enter").status_code == 404
    assert "Enter the demo" not in client.get("/w/mobile/").content.decode()
    client.post("/w/mobile/leave")
    assert Membership.objects.filter(pk=mate.pk).exists()
    create_workspace(key="demo", name="Somebody's own", simulated=False, actor="test")
    assert client.post("/demo/enter").status_code == 404


def test_looking_changes_nothing(mate: Membership, demo: Workspace) -> None:
    client = signed_in(mate)
    assert client.get("/demo/enter").status_code == 302
    assert not Membership.objects.filter(workspace=demo).exists()
