"""What decisions need of the configuration: kept, and seen at once when it changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments import setup
from experiments.models import Experiment
from experiments.services.lifecycle import change_status
from tests.conftest import Caller, caller, decision_row, declared_churn
from tests.experiments.design import CHURN, POINT, apply, declared, running_with
from workspaces.errors import Refusal
from workspaces.models import Workspace


def decide(api: Caller, event: str, score: float = 0.3) -> Any:
    return api.post("/decisions", decision_row(event, score, event=event)).body


def again(workspace: Workspace, folder: Path, **lists: list[Any]) -> None:
    apply(Workspace.objects.get(pk=workspace.pk), folder, **lists)


def test_is_read_once(api: Caller, running: Experiment, workspace: Workspace, django_assert_num_queries: Any) -> None:
    fresh = Workspace.objects.get(pk=workspace.pk)
    first = setup.points(fresh)
    with django_assert_num_queries(0):
        assert setup.points(fresh) is first
        assert [one.experiment.key for one in first["offer"].experiments] == ["offers"]


def test_a_changed_rule_is_seen_at_once(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    declared(workspace, tmp_path, policies=[
        {"key": "now", "decision_point": "offer", "kind": "fixed", "action": "bonus", "role": "champion"}
    ])  # fmt: skip
    assert decide(api, "c1")["action"]["key"] == "bonus"
    stricter = POINT | {"eligibility": [{"rule": "score >= 0.5", "reason": "too unlikely"}]}
    again(workspace, tmp_path, decision_points=[stricter])
    assert decide(api, "c2")["ineligible"]["bonus"] == "too unlikely"


def test_a_changed_policy_holdout_and_action_are_seen_at_once(
    api: Caller, workspace: Workspace, tmp_path: Path
) -> None:
    declared(workspace, tmp_path)
    champion = {"key": "now", "decision_point": "offer", "kind": "fixed", "action": "bonus", "role": "champion"}
    assert decide(api, "c1")["action"]["key"] == "none"
    again(workspace, tmp_path, policies=[champion])
    assert decide(api, "c2")["action"] == {"key": "bonus", "parameters": {"data_gb": 5}}
    again(workspace, tmp_path, actions=[CHURN["actions"][1] | {"parameters": {"data_gb": 9}}])
    assert decide(api, "c3")["action"] == {"key": "bonus", "parameters": {"data_gb": 9}}
    again(workspace, tmp_path, policies=[champion | {"action": "credit"}])
    assert decide(api, "c4")["action"]["key"] == "credit"
    holdout = {"key": "h", "unit_type": "customer", "share": 0.5, "valid_from": "2026-01-01T00:00:00Z"}
    again(workspace, tmp_path, holdouts=[holdout])
    assert {decide(api, f"d{number}")["mode"] for number in range(20)} == {"policy", "holdout"}


def test_a_step_of_an_experiment_is_seen_at_once(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    assert declared(workspace, tmp_path).status == "draft"
    assert decide(api, "c1")["mode"] == "policy"
    experiment = running_with(workspace, tmp_path)
    assert decide(api, "c2")["mode"] == "randomized"
    change_status(experiment=experiment, step="pause", actor="test")
    assert decide(api, "c3")["mode"] == "policy"
    change_status(experiment=experiment, step="resume", actor="test")
    assert decide(api, "c4")["mode"] == "randomized"


def test_one_workspaces_configuration_is_not_anothers(
    api: Caller, running: Experiment, other_workspace: Workspace
) -> None:
    assert decide(api, "c1")["mode"] == "randomized"
    theirs = caller(other_workspace)
    assert theirs.post("/decisions", decision_row("c1")).body["code"] == "unknown-decision-point"
    declared_churn(other_workspace)
    assert decide(theirs, "c1")["mode"] == "policy"


@pytest.mark.parametrize(("score", "label"), [(-1, ""), (0, "L"), (0.1999, "L"), (0.2, "M"), (0.5, "H"), (1, "H")])
def test_a_band_begins_at_its_bound(score: float, label: str) -> None:
    assert setup.band({"H": 0.5, "L": 0.0, "M": 0.2}, score) == label


@given(st.dictionaries(st.text(max_size=3), st.floats(0, 1), min_size=1), st.floats(0, 1))
def test_a_band_is_the_highest_that_the_score_reaches(bands: dict[str, float], score: float) -> None:
    reached = [bound for bound in bands.values() if bound <= score]
    label = setup.band(bands, score)
    assert bands[label] == max(reached) if reached else label == ""


def test_other_cells_of_the_design_are_other_strata(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    design = {"method": "blocks", "strata": ["cluster", "segment"]}
    experiment = running_with(workspace, tmp_path, point={"cluster": "shop"}, experiment=design)
    for unit, cluster, segment in (("c1", "a|b", "c"), ("c2", "a", "b|c")):
        api.post("/decisions", decision_row(unit, cluster_id=cluster, segment=segment))
    assert len(set(experiment.assignments.values_list("stratum", flat=True))) == 2


def test_a_stratum_that_is_too_long_is_refused(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    running_with(workspace, tmp_path, experiment={"strata": [{"feature": "plan"}]})
    row = decision_row("c1")
    row["prediction"]["features"]["plan"] = "x" * 501
    assert api.post("/decisions", row).status_code == 422


def test_a_model_keeps_the_features_that_rules_speak_of(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    declared(workspace, tmp_path)
    (model,) = CHURN["models"]
    with pytest.raises(Refusal) as refusal:
        again(workspace, tmp_path, models=[model | {"features": {"tenure": "number"}}])
    assert (refusal.value.code, refusal.value.pointer) == ("in-use", "/features")
    assert api.post("/decisions", decision_row("c1")).status_code == 200
