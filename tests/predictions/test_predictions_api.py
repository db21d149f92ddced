"""POST /predictions: logged once, checked against their model."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from experiments.models import Experiment
from predictions.models import ModelVersion, Prediction, PredictionModel
from tests.conftest import START, Caller, caller, declared_churn
from workspaces import clock
from workspaces.canonical import digest
from workspaces.models import Quarantine, Workspace


def row(event: str = "e1", **changes: Any) -> dict[str, Any]:
    sent = {"source": "scorer", "event_id": event, "model": "churn", "version": "1", "unit_id": "c1", "score": 0.25}
    at = START.isoformat()
    return sent | {"predicted_at": at, "features": {"tenure": 12, "plan": "basic", "vip": True}, "at": at} | changes


def post(api: Caller, *rows: Any) -> list[Any]:
    answer = api.post("/predictions", {"predictions": list(rows)})
    assert answer.status_code == 200
    results: list[Any] = answer.body["results"]
    return results


def test_works(api: Caller, churn: Experiment) -> None:
    (result,) = post(api, row())
    stored = Prediction.objects.get()
    assert (result["status"], result["id"]) == ("accepted", str(stored.pk))
    assert (stored.unit_id, stored.score, stored.version.model.key) == ("c1", 0.25, "churn")
    assert (stored.predicted_at, stored.received_at) == (START, START)
    assert stored.features == {"tenure": 12.0, "plan": "basic", "vip": True}
    assert stored.features_sha256 == digest(stored.features)


def test_replays(api: Caller, churn: Experiment) -> None:
    (first,) = post(api, row())
    (again,) = post(api, row())
    assert again == first | {"status": "duplicate"}
    (conflict,) = post(api, row(score=0.26))
    assert (conflict["status"], conflict["code"]) == ("quarantined", "event-conflict")
    assert Prediction.objects.get().score == 0.25


@pytest.mark.parametrize("changes", [{"model": "nothing"}, {"version": "2"}])
def test_an_unknown_model_waits_in_quarantine(api: Caller, churn: Experiment, changes: dict[str, str]) -> None:
    (result,) = post(api, row(**changes))
    assert (result["status"], result["code"], result["pointer"]) == ("quarantined", "unknown-model", "/model")
    assert Quarantine.objects.get().kind == "prediction"
    PredictionModel.objects.filter(key="churn").update(key=changes.get("model", "churn"))
    ModelVersion.objects.update(version=changes.get("version", "1"))
    Workspace.objects.update(audit_length=1000)  # as a declaration would
    assert post(api, row(**changes))[0]["status"] == "accepted"


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"score": 1.0000001}, "/score"),
        ({"score": -0.1}, "/score"),
        ({"score": "0.5"}, "/score"),
        ({"score": True}, "/score"),
        ({"score": None}, "/score"),
        ({"features": {"tenure": "long"}}, "/features/tenure"),
        ({"features": {"tenure": True}}, "/features/tenure"),
        ({"features": {"plan": 7}}, "/features/plan"),
        ({"features": {"vip": 1}}, "/features/vip"),
        ({"features": {"vip": "yes"}}, "/features/vip"),
        ({"features": {"tenure": [1]}}, "/features"),
        ({"features": []}, "/features"),
        ({"features": {"plan": "x" * 10_001}}, "/features"),
        ({"unit_id": "c\n1"}, "/unit_id"),
        ({"model": "Churn"}, "/model"),
        ({"predicted_at": "2026-01-05T06:00:00"}, "/predicted_at"),
        ({"source": None}, "/source"),
        ({"segment": "gold"}, "/segment"),
    ],
)
def test_refuses(api: Caller, churn: Experiment, changes: dict[str, Any], pointer: str) -> None:
    (result,) = post(api, row(**changes))
    assert (result["status"], result["code"], result["pointer"]) == ("rejected", "invalid-field", pointer)
    assert not Prediction.objects.exists() and not Quarantine.objects.exists()


@pytest.mark.parametrize("name", ["source", "event_id", "model", "version", "unit_id", "score", "predicted_at"])
def test_what_is_missing_is_named(api: Caller, churn: Experiment, name: str) -> None:
    sent = row("e1")
    del sent[name]
    first, second = post(api, sent, row("e2"))
    assert (first["status"], first["code"], first["pointer"]) == ("rejected", "invalid-field", f"/{name}")
    assert second["status"] == "accepted"


@pytest.mark.parametrize(
    ("changes", "detail"),
    [
        ({"unit_id": "c\u200b1"}, "the character U+200B at place 2 is invisible; take it out"),
        ({"unit_id": "c\n1"}, "the character U+000A at place 2 is invisible; take it out"),
        ({"event_id": "e\u00ad"}, "the character U+00AD at place 2 is invisible; take it out"),
        ({"version": "\U000e0041"}, "the character U+E0041 at place 1 is invisible; take it out"),
        ({"source": " crm"}, "begins or ends with a blank; take it out"),
        ({"model": "Churn"}, "a key has 1 to 64 small letters, digits, dots, hyphens and underscores, got 'Churn'"),
    ],
)
def test_what_is_wrong_with_a_name_is_said_in_words(
    api: Caller, churn: Experiment, changes: dict[str, str], detail: str
) -> None:
    wrong, right = post(api, row("e1", **changes), row("e2"))
    assert wrong["pointer"] == f"/{next(iter(changes))}" and wrong["detail"].startswith(detail)
    assert right["status"] == "accepted"


@pytest.mark.parametrize("score", ["NaN", "Infinity", "1e400"])
def test_a_score_that_is_no_number_is_named(api: Caller, churn: Experiment, score: str) -> None:
    body = json.dumps({"predictions": [row("e1", score="here"), row("e2")]}).replace('"here"', score)
    wrong, right = api.raw("/predictions", body.encode()).body["results"]
    assert (wrong["status"], wrong["code"]) == ("rejected", "malformed-json") and "number" in wrong["detail"]
    assert right["status"] == "accepted"


@pytest.mark.parametrize("score", [0, 0.0, 1, 1.0, 1e-300])
def test_a_probability_may_be_certain(api: Caller, churn: Experiment, score: float) -> None:
    assert post(api, row(score=score))[0]["status"] == "accepted"


def test_a_regression_takes_any_number_that_can_be_stored(api: Caller, churn: Experiment) -> None:
    PredictionModel.objects.update(task="regression")
    scores = [-17.5, 1e299, 1e300, -1e305]
    results = post(api, *(row(f"e{place}", score=score) for place, score in enumerate(scores)))
    assert [result["status"] for result in results] == ["accepted", "accepted", "rejected", "rejected"]


@pytest.mark.parametrize(("ahead", "status"), [(-86400, "accepted"), (60, "accepted"), (61, "rejected")])
def test_a_prediction_is_not_newer_than_now(api: Caller, churn: Experiment, ahead: int, status: str) -> None:
    (result,) = post(api, row(predicted_at=(START + timedelta(seconds=ahead)).isoformat()))
    assert (result["status"], result.get("code", "")) == (
        status,
        "newer-than-the-decision" if status == "rejected" else "",
    )


def test_a_real_workspaces_prediction_is_not_newer_than_the_servers_time(real_workspace: Workspace) -> None:
    declared_churn(real_workspace)
    api, now = caller(real_workspace), clock.server_now()
    results = post(
        api,
        row("e1", predicted_at=now.isoformat(), at=None),
        row("e2", predicted_at=(now + timedelta(hours=1)).isoformat(), at=None),
        row("e3", predicted_at=now.isoformat()),
    )
    assert [result.get("code") for result in results] == [None, "newer-than-the-decision", "time-stated"]


def test_undeclared_and_empty_features_are_kept(api: Caller, churn: Experiment) -> None:
    post(api, row(features={"region": "north", "tenure": None, "": 1}))
    assert Prediction.objects.get().features == {"region": "north", "tenure": None, "": 1.0}


def test_another_workspaces_model_is_unknown(api: Caller, churn: Experiment, other_workspace: Workspace) -> None:
    (result,) = post(caller(other_workspace), row())
    assert (result["status"], result["code"]) == ("quarantined", "unknown-model")
    assert not Prediction.objects.exists()
    declared_churn(other_workspace)
    assert post(caller(other_workspace), row())[0]["status"] == "accepted"
    assert Prediction.objects.get().version.workspace == other_workspace


def test_a_batch_answers_every_row(api: Caller, churn: Experiment) -> None:
    body = api.post(
        "/predictions", {"predictions": [row("e1"), row("e2", score=2), row("e3", model="none"), row("e1"), 7]}
    ).body
    assert (body["accepted"], body["rejected"], body["quarantined"], body["duplicate"]) == (1, 2, 1, 1)
    assert [one["index"] for one in body["results"]] == [0, 1, 2, 3, 4]


def test_a_thousand_rows_take_few_queries(api: Caller, churn: Experiment, django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(20):
        results = post(api, *(row(f"e{place}", unit_id=f"c{place}") for place in range(1000)))
    assert {result["status"] for result in results} == {"accepted"}
