"""Deciding a batch: what is stored, what is answered again, what is refused; see test_decisions_api for one row."""

from __future__ import annotations

from datetime import timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError

from experiments.models import Assignment, Decision, EpisodeCounter, Execution, Experiment
from experiments.services import decide as deciding
from predictions.models import Prediction, PredictionModel
from tests.conftest import START, Caller, caller, decided, decision_row, declared_churn
from tests.experiments.design import running_with
from workspaces import clock
from workspaces.models import Quarantine, Workspace


def test_everything_known_then_is_stored(api: Caller, running: Experiment) -> None:
    answer = api.post("/decisions", decision_row("c1", 0.3, segment="shop")).body
    decision = Decision.objects.select_related("action", "assignment__arm", "decision_point", "prediction").get()
    assert (str(decision.pk), decision.pk.version) == (answer["decision_id"], 7)
    assert (decision.unit_id, decision.score, decision.decided_at) == ("c1", 0.3, START)
    assert decision.decision_point.key == "offer"
    assert decision.prediction.features_sha256 and decision.prediction.score == 0.3
    assert decision.candidates == {one: {"probability": p} for one, p in answer["probabilities"].items()}
    assert decision.action.key == decision.assignment.arm.action.key == answer["action"]["key"]
    assert decision.action.parameters == answer["action"]["parameters"]
    assert decision.matures_at == START + timedelta(days=90)


def test_the_answer_is_the_same_when_it_is_read_from_the_database(api: Caller, running: Experiment) -> None:
    rows = [
        decision_row("c1"),
        decision_row("c2", 0.05),
        # a time is an instant, in whatever zone it was stated
        decision_row("c3", at=START.astimezone(timezone(timedelta(hours=9)))),
        decision_row("c4", at=START + timedelta(microseconds=1)),
    ]
    first = [answer["decision"] for answer in decided(api, rows)]
    again = api.post("/decisions", {"decisions": rows}).body
    assert again["duplicate"] == 4
    assert [one["decision"] for one in again["results"]] == [one | {"replayed": True} for one in first]


def test_a_replay_is_answered_whatever_has_changed(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    experiment = running_with(workspace, tmp_path)
    first = api.post("/decisions", decision_row("c1")).body
    Experiment.objects.filter(pk=experiment.pk).update(status="aborted")
    Workspace.objects.filter(pk=workspace.pk).update(audit_length=1000)
    assert api.post("/decisions", decision_row("c1")).body == first | {"replayed": True}


def test_the_same_event_twice_in_a_batch_is_decided_once(api: Caller, running: Experiment) -> None:
    rows = [decision_row("c1"), decision_row("c1"), decision_row("c1", 0.4)]
    results = api.post("/decisions", {"decisions": rows}).body["results"]
    assert [one["status"] for one in results] == ["accepted", "duplicate", "quarantined"]
    assert results[0]["decision"] | {"replayed": True} == results[1]["decision"]
    assert results[2]["code"] == "event-conflict"
    assert Decision.objects.count() == Prediction.objects.count() == 1


def test_one_unit_twice_in_a_batch_has_one_arm(api: Caller, running: Experiment) -> None:
    rows = [decision_row("c1", event=f"e{number}") for number in range(5)]
    answers = decided(api, rows)
    assert len({answer["decision"]["arm"] for answer in answers}) == 1
    assert (Assignment.objects.count(), Decision.objects.count()) == (1, 5)


def test_an_event_that_was_only_logged_as_a_prediction_is_a_conflict(api: Caller, running: Experiment) -> None:
    """It must not come back as busy: the sender would send it for ever, and the rows beside it with it."""
    row = decision_row("c1")
    logged = {"source": row["source"], "event_id": row["event_id"], "unit_id": "c1", "at": row["at"]}
    assert api.post("/predictions", {"predictions": [logged | row["prediction"]]}).body["accepted"] == 1
    body = api.post("/decisions", {"decisions": [row, decision_row("c2")]}).body
    assert [one["status"] for one in body["results"]] == ["quarantined", "accepted"]
    assert body["results"][0]["code"] == "event-conflict"
    assert api.post("/decisions", row).status_code == 409
    assert Decision.objects.get().unit_id == "c2"


def test_a_unit_that_was_assigned_elsewhere_meanwhile_is_tried_again(
    api: Caller, running: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    def collides(*arguments: Any, **named: Any) -> Any:
        raise IntegrityError("assignment_once_a_key")

    monkeypatch.setattr(deciding, "draw_arms", collides)
    answer = api.post("/decisions", {"decisions": [decision_row("c1"), decision_row("c2")]})
    assert (answer.status_code, answer.body["code"], answer["Retry-After"]) == (503, "busy", "1")
    assert not Decision.objects.exists() and not Prediction.objects.exists() and not EpisodeCounter.objects.exists()
    monkeypatch.undo()
    assert api.post("/decisions", {"decisions": [decision_row("c1"), decision_row("c2")]}).body["accepted"] == 2


@pytest.mark.parametrize(
    ("changes", "code", "pointer"),
    [
        ({"prediction": {"model": "other"}}, "invalid-field", "/prediction/model"),
        ({"prediction": {"version": "9"}}, "unknown-model", "/prediction/model"),
        ({"prediction": {"score": 1.5}}, "invalid-field", "/prediction/score"),
        ({"prediction": {"score": "high"}}, "invalid-field", "/prediction/score"),
        ({"prediction": {"features": {"tenure": "long"}}}, "invalid-field", "/prediction/features/tenure"),
        ({"prediction": {"features": {"tenure": {}}}}, "invalid-field", "/prediction/features"),
        (
            {"prediction": {"predicted_at": "2026-01-05T06:01:01Z"}},
            "newer-than-the-decision",
            "/prediction/predicted_at",
        ),
        ({"prediction": {"predicted_at": "2026-01-05T06:00:00"}}, "invalid-field", "/prediction/predicted_at"),
        ({"prediction": {"colour": "red"}}, "invalid-field", "/prediction/colour"),
        ({"cluster_id": ""}, "invalid-field", "/cluster_id"),
        ({"segment": "a\u202eb"}, "invalid-field", "/segment"),
        ({"at": "now"}, "invalid-field", "/at"),
    ],
)
def test_refuses(api: Caller, running: Experiment, changes: Any, code: str, pointer: str) -> None:
    row = decision_row("c1")
    row = row | changes | {"prediction": row["prediction"] | changes.get("prediction", {})}
    answer = api.post("/decisions", row)
    assert (answer.status_code, answer.body["code"]) == (422, code)
    assert answer.body["errors"][0]["pointer"] == pointer
    assert not Decision.objects.exists() and not Prediction.objects.exists()


def test_a_score_that_is_no_probability_has_a_limit_too(api: Caller, running: Experiment) -> None:
    PredictionModel.objects.update(task="regression")
    Workspace.objects.update(audit_length=1000)
    answer = api.post("/decisions", decision_row("c1", 1e301))
    assert (answer.status_code, answer.body["code"]) == (422, "invalid-field")


def test_a_real_workspace_decides_at_the_servers_time(real_workspace: Workspace) -> None:
    declared_churn(real_workspace)
    api, now = caller(real_workspace), clock.server_now()
    row = decision_row("c1")
    row["prediction"]["predicted_at"] = now.isoformat()
    answer = api.post("/decisions", row)
    assert (answer.status_code, answer.body["code"]) == (422, "time-stated")
    del row["at"]
    assert api.post("/decisions", row).status_code == 200
    assert abs(Decision.objects.get().decided_at - now) < timedelta(seconds=20)


def test_a_row_in_quarantine_is_decided_when_the_point_is_declared(api: Caller, workspace: Workspace) -> None:
    row = decision_row("c1")
    for _ in range(2):
        assert api.post("/decisions", row).body["code"] == "unknown-decision-point"
    assert Quarantine.objects.within(workspace).get().kind == "decision"
    declared_churn(workspace)
    assert api.post("/decisions", row).status_code == 200


def test_nothing_is_executed_by_deciding(api: Caller, running: Experiment) -> None:
    decided(api, [decision_row("c1")])
    assert not Execution.objects.exists()


def test_a_batch_takes_as_many_queries_as_one_row(
    api: Caller, running: Experiment, django_assert_max_num_queries: Any
) -> None:
    decided(api, [decision_row("c0")])
    for number in (1, 300):
        with django_assert_max_num_queries(26):
            decided(api, [decision_row(f"c{number}-{place}") for place in range(number)])


def test_a_thousand_rows_are_decided_at_once(api: Caller, running: Experiment) -> None:
    body = api.post("/decisions", {"decisions": [decision_row(f"c{number}") for number in range(1000)]}).body
    assert body["accepted"] == Decision.objects.count() == Assignment.objects.count() == 1000
