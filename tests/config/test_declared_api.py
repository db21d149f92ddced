"""POST of what a declarative file may hold."""

from __future__ import annotations

from experiments.models import Action, Experiment
from tests.conftest import Caller, caller
from workspaces.models import AuditEntry, Workspace

CALL = {"key": "call", "name": "Call", "cost": {"fixed": 4.5}}


def test_declares_changes_and_leaves_alone(workspace: Workspace) -> None:
    api = caller(workspace, "manage")
    first = api.post("/actions", CALL)
    assert (first.status_code, first.body["did"]) == (200, "created")
    assert api.post("/actions", CALL).body == {"kind": "action", "key": "call", "did": "unchanged", "fields": {}}
    changed = api.post("/actions", CALL | {"cost": {"fixed": 5.0}}).body
    assert (changed["did"], changed["fields"]) == ("changed", {"fixed_cost": ["4.5", "5.0"]})
    assert list(Action.objects.filter(key="call").order_by("version").values_list("fixed_cost", flat=True)) == [4.5, 5]
    assert AuditEntry.objects.filter(workspace=workspace, action="declare action", subject="call").count() == 2


def test_what_one_call_declared_another_lists(workspace: Workspace) -> None:
    api = caller(workspace, "manage", "read")
    api.post("/actions", CALL)
    listed = api.get("/actions").body["actions"]
    assert [one["key"] for one in listed] == ["call"]
    assert api.post("/actions", listed[0]).body["did"] == "unchanged"


def test_says_what_is_wrong_where(workspace: Workspace) -> None:
    api = caller(workspace, "manage")
    for body, pointer in (({"key": "call"}, "/name"), (CALL | {"price": 1}, "/price"), (CALL | {"key": "A B"}, "/key")):
        refused = api.post("/actions", body)
        assert (refused.status_code, refused.body["errors"][0]["pointer"]) == (422, pointer)
    assert not Action.objects.exists()


def test_refuses_what_is_in_use(workspace: Workspace, running: Experiment) -> None:
    body = {
        "key": "offers", "name": "Offers", "decision_point": "offer", "baseline": "none",
        "arms": [{"action": "none"}, {"action": "credit"}],
    }  # fmt: skip
    refused = caller(workspace, "manage").post("/experiments", body)
    assert (refused.status_code, refused.body["code"]) == (409, "in-use")


def test_anothers_things_stay_as_they_are(workspace: Workspace, other_workspace: Workspace, api: Caller) -> None:
    caller(workspace, "manage").post("/actions", CALL)
    assert caller(other_workspace, "manage").post("/actions", CALL).body["did"] == "created"
    assert Action.objects.filter(key="call").count() == 2
