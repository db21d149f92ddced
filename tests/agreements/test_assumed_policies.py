"""Policies may count with assumptions; one that changes publishes their next versions, and no signed arm moves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from experiments.assumed import as_declared, resolved
from experiments.models import Experiment, Policy
from experiments.selectors import experiment_named
from impact.config.declarations import apply_files
from tests.conftest import DECLARED, Caller, caller, decided, decision_row, enter, signed_in, started
from workspaces.errors import Refusal
from workspaces.models import AuditEntry, Workspace

INPUTS = {
    "at_stake": {"assumption": "kept"},
    "actions": {
        "bonus": {"effect": 0.1, "cost": {"assumption": "contact"}},
        "credit": {"effect": 0.2, "cost": 17.5},
    },
}
PAYS = {"key": "pays", "decision_point": "offer", "kind": "expected_value", "role": "champion", "inputs": INPUTS}
NUMBERS = {"owner": "Finance", "status": "agreed", "unit": "EUR"}


def assumption(key: str, base: float) -> dict[str, Any]:
    return {"key": key, "name": key, "low": base / 2, "base": base, "high": base * 2, **NUMBERS}


def apply(workspace: Workspace, folder: Path, *, dry_run: bool = False, **content: Any) -> dict[str, Any]:
    """Declare this; return what differs by key."""
    (folder / "more.yaml").write_text(yaml.safe_dump(content))
    return {one.key: one for one in apply_files(workspace, [folder / "more.yaml"], "test", dry_run=dry_run)}


@pytest.fixture
def pays(workspace: Workspace, churn: Experiment, tmp_path: Path) -> Policy:
    """A champion that counts with what a kept customer is worth and a contact costs."""
    apply(workspace, tmp_path, policies=[PAYS], assumptions=[assumption("contact", 4.0)])
    return newest(workspace)


def newest(workspace: Workspace) -> Policy:
    found: Policy = Policy.objects.within(workspace).current().get(key="pays")
    return found


def test_a_version_holds_the_number_of_its_time(pays: Policy) -> None:
    assert pays.content["inputs"]["at_stake"] == 300
    assert pays.content["inputs"]["actions"]["bonus"] == {"effect": 0.1, "cost": 4.0}
    assert pays.content["assumed"] == {"/at_stake": "kept", "/actions/bonus/cost": "contact"}


def test_a_changed_assumption_publishes_the_next_version(workspace: Workspace, pays: Policy, tmp_path: Path) -> None:
    tried = apply(workspace, tmp_path, dry_run=True, assumptions=[assumption("kept", 200.0)])
    assert tried["kept"].fields["policy pays"] == ("version 1", "version 2") and newest(workspace) == pays
    done = apply(workspace, tmp_path, assumptions=[assumption("kept", 200.0)], policies=[PAYS])
    assert done["kept"].fields["policy pays"] == ("version 1", "version 2")
    assert done["pays"].did == "unchanged"
    after = newest(workspace)
    assert (after.version, after.role, after.content["inputs"]["at_stake"]) == (2, "champion", 200)
    assert after.content["inputs"]["actions"] == pays.content["inputs"]["actions"]
    assert AuditEntry.objects.filter(action="declare policy", subject="pays").count() == 2


def test_what_isn_t_its_base_or_isn_t_named_publishes_nothing(
    workspace: Workspace, pays: Policy, tmp_path: Path
) -> None:
    apply(workspace, tmp_path, assumptions=[assumption("kept", 300.0) | {"high": 999.0}, assumption("other", 1.0)])
    apply(workspace, tmp_path, assumptions=[assumption("other", 2.0)])
    assert newest(workspace) == pays
    plain = PAYS | {"inputs": pays.content["inputs"]}
    assert apply(workspace, tmp_path, policies=[plain])["pays"].did == "changed"
    apply(workspace, tmp_path, assumptions=[assumption("kept", 200.0)])
    assert newest(workspace).version == 2


def test_a_signed_arm_stays_while_the_champion_moves(workspace: Workspace, api: Caller, tmp_path: Path) -> None:
    declared = yaml.safe_load((DECLARED / "churn.yaml").read_text())
    declared["assumptions"].append(assumption("contact", 4.0))
    declared["experiments"][0] |= {"arms": [{"action": "none"}, {"policy": "pays"}]}
    apply(workspace, tmp_path, **declared, policies=[PAYS])
    running = started(workspace, experiment_named(workspace, "offers"))
    plan = running.plan
    apply(workspace, tmp_path, assumptions=[assumption("kept", 1.0)])
    running.refresh_from_db()
    assert running.plan == plan
    assert [arm.policy.version for arm in running.arms.exclude(policy=None)] == [1]
    assert newest(workspace).version == 2
    # at 300 the credit is worth most for a score of .9, at 1 nothing is
    rows = decided(api, [decision_row(f"c{number}", 0.9) for number in range(30)])
    given = {row["decision"]["arm"]: row["decision"]["action"]["key"] for row in rows}
    assert given == {"none": "none", "pays": "credit"}


def test_by_rest(workspace: Workspace, pays: Policy, api: Caller, other_workspace: Workspace) -> None:
    listed = api.get("/policies").body["policies"]
    assert listed[0]["inputs"] == INPUTS
    assert api.post("/policies", PAYS).body["did"] == "unchanged"
    answer = api.post("/assumptions", assumption("contact", 6.0))
    assert answer.body["fields"]["policy pays"] == ["version 1", "version 2"]
    assert api.post("/assumptions", assumption("contact", 6.0)).body["did"] == "unchanged"
    missing = api.post("/policies", PAYS | {"inputs": {**INPUTS, "at_stake": {"assumption": "nothing"}}})
    assert (missing.status_code, missing.body["errors"][0]["pointer"]) == (404, "/inputs/at_stake")
    assert newest(workspace).version == 2
    # another's assumption moves nothing here
    caller(other_workspace).post("/assumptions", assumption("kept", 1.0))
    assert newest(workspace).version == 2


@pytest.mark.parametrize("said", [{"assumption": 5}, {"assumption": "kept", "times": 2}, {"assumed": "kept"}])
def test_refuses_what_is_neither_number_nor_assumption(
    workspace: Workspace, pays: Policy, tmp_path: Path, said: Any
) -> None:
    with pytest.raises(Refusal, match="at_stake"):
        apply(workspace, tmp_path, policies=[PAYS | {"inputs": {**INPUTS, "at_stake": said}}])
    assert newest(workspace) == pays


def test_a_number_that_its_place_can_t_take_stops_the_change(workspace: Workspace, pays: Policy, api: Caller) -> None:
    refused = api.post("/assumptions", assumption("kept", -5.0) | {"low": -9.0, "high": 0.0})
    assert (refused.status_code, refused.body["errors"][0]["pointer"]) == (422, "/base")
    assert "policy pays counts with it: at_stake == -5" in refused.body["detail"]
    assert newest(workspace) == pays


def test_on_pages(workspace: Workspace, pays: Policy) -> None:
    client = signed_in(enter(workspace, "ana@example.com", "analyst"))
    assert "gets a new version when one of them changes" in client.get("/w/mobile/policies/pays").content.decode()
    assert "Policies that count with it" in client.get("/w/mobile/assumptions/kept").content.decode()
    said = {name: str(value) for name, value in assumption("contact", 5.0).items()} | {"source": ""}
    looked = client.post("/w/mobile/declare/assumption?from=contact", said | {"look": "1"}).content.decode()
    assert "These policies count with it" in looked and newest(workspace) == pays
    client.post("/w/mobile/declare/assumption?from=contact", said)
    assert newest(workspace).content["inputs"]["actions"]["bonus"]["cost"] == 5


def test_what_was_declared_is_got_back() -> None:
    numbers, named = resolved(INPUTS, lambda key, place: float(len(key)))
    assert numbers["at_stake"] == 4 and as_declared(numbers, named) == INPUTS
    assert resolved(numbers, lambda key, place: 0.0) == (numbers, {})
