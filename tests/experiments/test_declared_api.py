"""GET /actions, /decision-points and /policies: what is declared, as it would be declared again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from experiments.declarations import DECLARATIONS, PolicyDeclared, declare_policy
from experiments.models import Experiment
from tests.conftest import Caller, caller
from tests.experiments.design import EXPERIMENT, LADDER, LADDER_ARMS, apply, declared
from workspaces.models import Workspace

PLACES = {"actions": "actions", "decision-points": "decision_points", "policies": "policies"}


@pytest.fixture
def policy(workspace: Workspace, churn: Experiment) -> None:
    content: Any = {"by": {"feature": "plan"}, "table": [{"is": "basic", "action": "bonus"}], "default": "none"}
    said = PolicyDeclared(key="by-plan", decision_point="offer", kind="table", role="champion", **content)
    declare_policy(workspace, said, "test")


@pytest.mark.parametrize("place", PLACES)
def test_what_is_listed_declares_the_same_again(api: Caller, workspace: Workspace, policy: None, place: str) -> None:
    listed = api.get(f"/{place}").body
    assert listed["next"] is None and listed[PLACES[place]]
    declaration = next(one for one in DECLARATIONS if one.name == PLACES[place])
    for item in listed[PLACES[place]]:
        said = msgspec.convert(item, declaration.shape)
        assert declaration.declare(workspace, said, "test").did == "unchanged"


def test_pages(api: Caller, churn: Experiment) -> None:
    first = api.get("/actions", limit="2").body
    second = api.get("/actions", limit="2", cursor=first["next"]).body
    assert [one["key"] for one in first["actions"] + second["actions"]] == ["none", "bonus", "credit"]
    assert second["next"] is None
    assert api.get("/actions", limit="0").status_code == 400


@pytest.mark.parametrize("place", PLACES)
def test_refuses_others(workspace: Workspace, other_workspace: Workspace, policy: None, place: str) -> None:
    assert caller(workspace, "log").get(f"/{place}").status_code == 403
    assert caller(other_workspace).get(f"/{place}").body == {PLACES[place]: [], "next": None}


def test_every_design_is_declared_by_rest_as_by_file(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    cooling = {"cluster": "household", "cool_down": {"days": 90}}
    declared(workspace, tmp_path, point=cooling, policies=LADDER)
    designs: dict[str, Any] = {
        "ladder": {"arms": LADDER_ARMS, "baseline": "nobody"},
        "homes": {"randomize": "cluster", "layer": "homes"},
        "months": {"randomize": "cluster-period", "period_days": 90, "strata": ["cluster"], "method": "blocks"},
    }
    for key, design in designs.items():
        said = EXPERIMENT | {"key": key} | design
        assert api.post("/experiments", said).body["did"] == "created"
        [change] = apply(Workspace.objects.get(), tmp_path, experiments=[said])
        assert change.did == "unchanged"
    refused = api.post("/experiments", EXPERIMENT | {"key": "x", "arms": [{"action": "none"}, {"policy": "unknown"}]})
    assert (refused.status_code, refused.body["errors"][0]["pointer"]) == (422, "/arms/1/policy")
    listed = {one["key"]: one["randomize"] for one in api.get("/experiments").body["experiments"]}
    assert listed == {"offers": "unit", "ladder": "unit", "homes": "cluster", "months": "cluster-period"}
