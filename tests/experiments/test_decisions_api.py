"""POST /decisions: one unit, a batch, replays and refusals."""

from __future__ import annotations

import pytest

from experiments.models import Assignment, Decision, Experiment
from predictions.models import Prediction
from tests.conftest import Caller, caller, decision_row
from workspaces.models import Quarantine, Workspace


def test_works(api: Caller, running: Experiment) -> None:
    answer = api.post("/decisions", decision_row("c1"))
    assert answer.status_code == 200
    body = answer.body
    assert body["mode"] == "randomized"
    assert body["experiment"] == "offers"
    assert body["action"]["key"] == body["arm"]
    assert body["propensity"] == 0.5
    assert body["probabilities"] == {"none": 0.5, "bonus": 0.5, "credit": 0.0}
    assert body["replayed"] is False
    decision = Decision.objects.get()
    assert str(decision.pk) == body["decision_id"]
    assert decision.prediction.features == {"tenure": 12.0, "plan": "basic"}


def test_replays(api: Caller, running: Experiment) -> None:
    first = api.post("/decisions", decision_row("c1")).body
    again = api.post("/decisions", decision_row("c1")).body
    assert again == first | {"replayed": True}
    assert Decision.objects.count() == Assignment.objects.count() == Prediction.objects.count() == 1


def test_other_content_is_a_conflict_and_is_kept(api: Caller, running: Experiment) -> None:
    api.post("/decisions", decision_row("c1"))
    answer = api.post("/decisions", decision_row("c1", score=0.4))
    assert (answer.status_code, answer.body["code"]) == (409, "event-conflict")
    assert Quarantine.objects.get().row["prediction"]["score"] == 0.4
    assert Decision.objects.count() == 1


def test_batch_answers_every_row(api: Caller, running: Experiment) -> None:
    rows = [
        decision_row("c1"),
        decision_row("c2", score=1.7),
        decision_row("c3", decision_point="nowhere"),
        decision_row("c4", score=0.05),
        {"source": "crm"},
        decision_row("c1"),
    ]
    body = api.post("/decisions", {"decisions": rows}).body
    assert [row["status"] for row in body["results"]] == [
        "accepted", "rejected", "quarantined", "accepted", "rejected", "duplicate",
    ]  # fmt: skip
    assert (body["accepted"], body["duplicate"], body["quarantined"], body["rejected"]) == (2, 1, 1, 2)
    assert body["results"][1]["pointer"] == "/prediction/score"
    assert body["results"][3]["decision"]["ineligible"] == {
        "bonus": "too unlikely to leave",
        "credit": "too unlikely to leave",
    }
    assert body["results"][3]["decision"]["mode"] == "policy"


@pytest.mark.parametrize(
    ("changes", "code", "pointer"),
    [
        ({"decision_point": "nowhere"}, "unknown-decision-point", "/decision_point"),
        ({"unit_id": "a\u200bb"}, "invalid-field", "/unit_id"),
        ({"unit_id": ""}, "invalid-field", "/unit_id"),
        ({"extra": 1}, "invalid-field", "/extra"),
    ],
)
def test_refuses(api: Caller, running: Experiment, changes: dict, code: str, pointer: str) -> None:
    answer = api.post("/decisions", decision_row("c1", **changes))
    assert (answer.status_code, answer.body["code"]) == (422, code)
    assert answer.body["errors"][0]["pointer"] == pointer
    assert not Decision.objects.exists()


def test_needs_the_scope(workspace: Workspace, running: Experiment) -> None:
    answer = caller(workspace, "read", "log").post("/decisions", decision_row("c1"))
    assert (answer.status_code, answer.body["code"]) == (403, "scope-missing")


def test_another_workspaces_point_is_unknown(other_workspace: Workspace, running: Experiment) -> None:
    answer = caller(other_workspace).post("/decisions", decision_row("c1"))
    assert answer.body["code"] == "unknown-decision-point"
    assert not Decision.objects.exists()
