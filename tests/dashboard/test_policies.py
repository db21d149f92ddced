"""Policies: rules in words, and what each would have done."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from experiments.declarations import PolicyDeclared, declare_policy
from experiments.models import Experiment
from impact.analysis.services import analyze
from impact.dashboard.policies import policies, policy_page
from tests.conftest import Caller, decided, decision_row, signed_in, started
from workspaces.models import Membership, Workspace

INPUTS = {"at_stake": 300, "actions": {"bonus": {"effect": 0.02, "cost": 1.7}, "credit": {"effect": -0.05, "cost": 17}}}
KINDS: dict[str, dict[str, Any]] = {
    "fixed": {"action": "bonus"},
    "random": {},
    "bands": {"bands": [{"from": 0.2, "action": "bonus"}, {"from": 0.35, "action": "credit"}]},
    "table": {"by": {"feature": "plan"}, "table": [{"is": "basic", "action": "bonus"}], "default": "none"},
    "expected_value": {"inputs": INPUTS},
}


def declared(workspace: Workspace, kind: str, key: str = "", role: Any = "shadow") -> None:
    content = {"key": key or kind.replace("_", "-"), "decision_point": "offer", "kind": kind, "role": role}
    said = PolicyDeclared(**content, **KINDS[kind])
    declare_policy(workspace, said, "test")


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("fixed", ["Everybody gets Bonus."]),
        ("random", ["Each eligible action has the same chance."]),
        ("bands", ["below 0.2", "from 0.2 to below 0.35", "from 0.35", "No action"]),
        ("table", ["The feature plan chooses, by a table.", "basic", "anything else"]),
        ("expected_value", ["Value at stake: 300.00 EUR", "1.7 / (300 × 0.02)", "0.2833"]),
    ],
)
def test_says_its_rule(mate: Membership, workspace: Workspace, churn: Experiment, kind: str, said: list[str]) -> None:
    declared(workspace, kind)
    client, path = signed_in(mate), f"/w/mobile/policies/{kind.replace('_', '-')}"
    shown = client.get(path).content.decode().replace("\u00a0", " ")
    assert all(text in shown for text in said)
    assert "asked about no decision in these 7 days" in shown
    client.cookies["django_language"] = "ja"
    assert client.get(path).status_code == 200


def test_a_harmful_action_never_pays(workspace: Workspace, churn: Experiment) -> None:
    declared(workspace, "expected_value")
    _, credit = policy_page(workspace, "expected-value", "en")["rule"]["worth"]
    assert (credit["action"], credit["formula"], credit["threshold"]) == ("Credit", "", "")


def test_what_each_would_have_done_stands_beside_what_was(api: Caller, workspace: Workspace, churn: Experiment) -> None:
    for kind in ("fixed", "random", "bands"):
        declared(workspace, kind)
    started(workspace, churn)
    decided(api, [decision_row(f"c{number}", 0.05 + number / 20) for number in range(10)])
    table = policy_page(workspace, "fixed", "en")["would_have"]
    shares = {row["policy"].key: dict(row["cells"]) for row in table["rows"]}
    # 0.05 is too low for anything; from 0.20 on seven are in a band, four of them from 0.35
    assert shares["fixed"] == {"No action": "10.0\u00a0%", "Bonus": "90.0\u00a0%", "Credit": "0.0\u00a0%"}
    assert shares["bands"] == {"No action": "30.0\u00a0%", "Bonus": "30.0\u00a0%", "Credit": "40.0\u00a0%"}
    assert shares["random"] == {"No action": "40.0\u00a0%", "Bonus": "30.0\u00a0%", "Credit": "30.0\u00a0%"}
    assert table["total"] == "10" and [name for name, _ in table["done"]] == ["No action", "Bonus", "Credit"]


def test_lists_the_champion_first(mate: Membership, workspace: Workspace, churn: Experiment) -> None:
    client = signed_in(mate)
    assert "No policy yet." in client.get("/w/mobile/policies").content.decode()

    def queries() -> int:
        with CaptureQueriesContext(connection) as made:
            assert client.get("/w/mobile/policies").status_code == 200
        return len(made)

    declared(workspace, "fixed")
    few = queries()
    declared(workspace, "random")
    declared(workspace, "bands", role="champion")
    assert [one.key for one in policies(workspace)] == ["bands", "fixed", "random"]
    assert queries() == few


def test_a_page_lists_its_versions(mate: Membership, workspace: Workspace, churn: Experiment) -> None:
    declared(workspace, "fixed", "changing")
    declared(workspace, "bands", "changing")
    assert [one.version for one in policy_page(workspace, "changing", "en")["versions"]] == [2, 1]


def test_nobody_else_s(stranger: Membership, workspace: Workspace, churn: Experiment) -> None:
    declared(workspace, "fixed")
    assert signed_in(stranger).get("/w/mobile/policies/fixed").status_code == 404
    assert signed_in(stranger).get("/w/other/policies/fixed").status_code == 404


def test_leads_to_what_it_would_have_earned(mate: Membership, workspace: Workspace, churn: Experiment) -> None:
    declared(workspace, "bands")
    address = f"/w/mobile/experiments/{churn.key}/what-if"
    assert address not in signed_in(mate).get("/w/mobile/policies/bands").content.decode()
    analyze(experiment=started(workspace, churn))
    assert address in signed_in(mate).get("/w/mobile/policies/bands").content.decode()
