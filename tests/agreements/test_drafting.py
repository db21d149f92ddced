"""A draft is declared whole or not at all, and never over an experiment that there is."""

from __future__ import annotations

from typing import Any

import pytest

from experiments.models import Experiment
from impact.agreements.drafting import save_draft
from impact.agreements.models import Agreement, Assumption
from tests.conftest import started
from workspaces.errors import Refusal
from workspaces.models import Workspace

EXPERIMENT = {
    "key": "more", "name": "More", "decision_point": "offer", "arms": [{"action": "none"}, {"action": "credit"}],
    "baseline": "none",
}  # fmt: skip
AGREEMENT = {
    "experiment": "more", "hypothesis": "h", "decision": "d", "owner": "o", "primary": "net", "drivers": ["churn"],
    "rows_per_arm": 500, "if_wins": "a", "if_unclear": "b", "if_loses": "c",
}  # fmt: skip
VALUE = {
    "key": "kept", "name": "Kept", "low": 100, "base": 200, "high": 300, "unit": "EUR", "owner": "F", "status": "guess",
}  # fmt: skip


def draft(**changes: Any) -> dict[str, Any]:
    return {"assumptions": [VALUE], "experiments": [EXPERIMENT], "agreements": [AGREEMENT | changes]}


def test_everything_is_declared_in_order(workspace: Workspace, churn: Experiment) -> None:
    changes = save_draft(workspace=workspace, document=draft(), actor="test", anew=True)
    assert [one.did for one in changes] == ["changed", "created", "created"]
    agreement = Agreement.objects.get(experiment__key="more")
    # the value that was declared in the same breath
    assert agreement.content["net"]["value"][0]["times"] == -200


def test_what_is_refused_leaves_nothing_and_names_its_place(workspace: Workspace, churn: Experiment) -> None:
    with pytest.raises(Refusal) as refused:
        save_draft(workspace=workspace, document=draft(rows_per_arm=1), actor="test", anew=True)
    assert refused.value.pointer == "/agreements/0/rows_per_arm"
    assert not Experiment.objects.filter(key="more").exists()
    assert Assumption.objects.get(key="kept").base == 300


def test_an_experiment_that_there_is_stays(workspace: Workspace, churn: Experiment) -> None:
    document = {"experiments": [EXPERIMENT | {"key": "offers"}]}
    with pytest.raises(Refusal, match="already"):
        save_draft(workspace=workspace, document=document, actor="test", anew=True)
    save_draft(workspace=workspace, document=document, actor="test", anew=False)
    assert Experiment.objects.get(key="offers").name == "More"


def test_what_has_started_is_no_draft(workspace: Workspace, churn: Experiment) -> None:
    started(workspace, churn)
    with pytest.raises(Refusal, match="is running"):
        save_draft(
            workspace=workspace, document={"experiments": [EXPERIMENT | {"key": "offers"}]}, actor="test", anew=False
        )


def test_a_draft_takes_the_newest_version_of_its_actions(workspace: Workspace, churn: Experiment) -> None:
    dearer = {"key": "bonus", "name": "Bonus", "cost": {"fixed": 3.0}}
    same = {"key": "offers", "name": "Offers", "decision_point": "offer", "baseline": "none",
            "arms": [{"action": "none"}, {"action": "bonus"}]}  # fmt: skip
    save_draft(workspace=workspace, document={"actions": [dearer], "experiments": [same]}, actor="test", anew=False)
    assert churn.arms.get(key="bonus").action.planned_cost == 3.0
