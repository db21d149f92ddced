"""POST /experiments/{key}/start."""

from __future__ import annotations

import pytest

from experiments.models import Experiment, Status
from experiments.selectors import experiment_named
from impact.agreements.services import sign
from tests.conftest import Caller, caller, enter
from workspaces.models import AuditEntry, Workspace


@pytest.fixture
def agreed(workspace: Workspace, churn: Experiment) -> Experiment:
    agreement = churn.agreements.get()
    for name, signs_for in (("bea", "business"), ("fin", "finance"), ("dan", "data science")):
        member = enter(workspace, f"{name}@example.com", "viewer", signs_for)
        sign(agreement=agreement, membership=member, sha256=agreement.sha256)
    return experiment_named(workspace, "offers")


def test_works(api: Caller, agreed: Experiment) -> None:
    answer = api.post("/experiments/offers/start")
    assert answer.status_code == 200
    assert (answer.body["key"], answer.body["status"]) == ("offers", "running")
    assert AuditEntry.objects.filter(action="start experiment", actor__startswith="key imp_").count() == 1


def test_refuses_without_signatures(api: Caller, churn: Experiment) -> None:
    answer = api.post("/experiments/offers/start")
    assert (answer.status_code, answer.body["code"]) == (409, "no-agreement")
    assert answer.body["detail"].endswith("signatures for business, data science, finance are missing.")
    assert experiment_named(churn.workspace, "offers").status == Status.DRAFT


def test_refuses_a_second_start(api: Caller, agreed: Experiment) -> None:
    api.post("/experiments/offers/start")
    answer = api.post("/experiments/offers/start")
    assert (answer.status_code, answer.body["code"]) == (409, "wrong-status")


def test_another_workspaces_experiment_is_a_missing_one(other_workspace: Workspace, agreed: Experiment) -> None:
    stranger = caller(other_workspace)
    theirs, none = (stranger.post(f"/experiments/{key}/start") for key in ("offers", "nothing"))
    assert theirs.status_code == none.status_code == 404
    assert theirs.body | {"detail": ""} == none.body | {"detail": ""}
    assert experiment_named(agreed.workspace, "offers").status == Status.AGREED


def test_needs_the_scope(workspace: Workspace, agreed: Experiment) -> None:
    answer = caller(workspace, "read", "log", "decide", "predict").post("/experiments/offers/start")
    assert (answer.status_code, answer.body["code"]) == (403, "scope-missing")
