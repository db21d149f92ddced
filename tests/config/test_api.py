"""What holds for every call of the API, made from its table: a new call without its line here fails."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import pytest
from django.test import Client

from experiments.models import Decision, Experiment, Policy
from impact.config.api import ENDPOINTS
from impact.ledger.models import Cost, Feed, Outcome
from impact.reports.models import BenefitClaim, Report, ReportSchedule
from predictions.models import Prediction
from tests.conftest import START, Caller, caller, cost_row, decision_row, outcome_row
from workspaces.models import SCOPES, Person, Workspace
from workspaces.rest import Endpoint
from workspaces.services.jobs import enqueue

AT = START.isoformat()
CALLS = [pytest.param(endpoint, id=f"{endpoint.method} {endpoint.path}") for endpoint in ENDPOINTS]
PATHS = sorted({endpoint.path for endpoint in ENDPOINTS})
NONE = {"<id>": "01930000-0000-7000-8000-000000000000", "<key>": "missing", "<number>": "999", "<source>": "nobody"}
HEARTBEAT = {"type": "churned", "complete_until": AT, "at": AT}
# lists that say nothing of what others have; every other path names an object
LISTS = {
    "/models": "models", "/experiments": "experiments", "/jobs": "jobs", "/reports": "reports",
    "/actions": "actions", "/decision-points": "decision_points", "/policies": "policies",
    "/claims": "claims",
}  # fmt: skip


def send(api: Caller, endpoint: Endpoint, path: str, body: Any = None) -> Any:
    if endpoint.method == "GET":
        return api.get(path)
    return api.post(path, HEARTBEAT if "heartbeat" in path else body if body is not None else {})


@pytest.fixture
def theirs(workspace: Workspace, running: Experiment, api: Caller) -> Mapping[str, str]:
    """One of everything, in the workspace of the owner: what a stranger may try to name."""
    decision = api.post("/decisions", decision_row("c1")).body["decision_id"]
    job = enqueue(workspace=workspace, kind="k", key="1")
    api.post("/feeds/crm/heartbeat", HEARTBEAT)
    Policy.objects.create(
        workspace=workspace, key="now", decision_point="offer", kind="random", salt="now", created_at=START
    )
    schedule = ReportSchedule.objects.create(
        workspace=workspace, key="weekly", name="W", experiments=[], calendar={}, time_zone="UTC", language="en",
        next_run_at=START,
    )  # fmt: skip
    report = Report.objects.create(
        workspace=workspace,
        schedule=schedule,
        number=7,
        due_at=START,
        content={"name": "W"},
        sha256="",
        created_at=START,
    )
    BenefitClaim.objects.create(
        workspace=workspace, report=report, experiment=running, scope="offer", population="customer",
        metric="net value", option="bonus", against="none", from_on=START, until_on=START, currency="EUR",
        amount=1, low=1, high=1, claimed_by=Person.objects.all()[0], claimed_at=START,
    )  # fmt: skip
    return {"<key>": running.key, "<id>": str(job.pk), "<number>": "7", "<source>": "crm", "decision": decision}


@pytest.mark.parametrize("endpoint", CALLS)
def test_needs_a_key(endpoint: Endpoint, db: None) -> None:
    path = f"/api/v1{filled(endpoint.path, NONE)}"
    answer = Client().generic(endpoint.method, path, data="{}", content_type="application/json")
    assert (answer.status_code, json.loads(answer.content)["code"]) == (401, "unauthenticated")


@pytest.mark.parametrize("endpoint", CALLS)
def test_needs_its_scope(endpoint: Endpoint, workspace: Workspace) -> None:
    assert endpoint.scope in SCOPES
    others = [scope for scope in SCOPES if scope != endpoint.scope]
    answer = send(caller(workspace, *others), endpoint, filled(endpoint.path, NONE))
    assert (answer.status_code, answer.body["code"]) == (403, "scope-missing")
    assert send(caller(workspace, endpoint.scope), endpoint, filled(endpoint.path, NONE)).status_code != 403


@pytest.mark.parametrize("path", PATHS)
def test_takes_its_methods_and_no_others(path: str, db: None) -> None:
    own = {endpoint.method for endpoint in ENDPOINTS if endpoint.path == path}
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"} - own:
        answer = Client().generic(method, f"/api/v1{filled(path, NONE)}")
        assert (answer.status_code, answer["Allow"]) == (405, ", ".join(sorted(own)))
        assert json.loads(answer.content)["code"] == "method-not-allowed"


@pytest.mark.parametrize("endpoint", [call for call in CALLS if "<" in call.values[0].path])  # type: ignore[attr-defined]
def test_anothers_object_answers_like_a_missing_one(
    endpoint: Endpoint, theirs: Mapping[str, str], other_workspace: Workspace
) -> None:
    stranger = caller(other_workspace)
    tried = send(stranger, endpoint, filled(endpoint.path, theirs))
    missing = send(stranger, endpoint, filled(endpoint.path, NONE))
    assert tried.status_code == missing.status_code
    assert nameless(tried.content, theirs) == nameless(missing.content, NONE)
    if endpoint.path == "/feeds/<source>/heartbeat":
        # a source is what the sender calls itself: each workspace has its own
        assert Feed.objects.within(other_workspace).count() == 2
    else:
        assert (tried.status_code, tried.body["code"]) == (404, "not-found")
    experiment = Experiment.objects.get(key=theirs["<key>"])
    assert (experiment.status, experiment.workspace.key) == ("running", "mobile")


@pytest.mark.parametrize(
    "endpoint",
    [call for call in CALLS if call.values[0].method == "GET" and "<" not in call.values[0].path],  # type: ignore[attr-defined]
)
def test_a_list_holds_ones_own(endpoint: Endpoint, theirs: Mapping[str, str], other_workspace: Workspace) -> None:
    name = LISTS[endpoint.path]
    assert caller(Workspace.objects.get(key="mobile")).get(endpoint.path).body[name]
    assert caller(other_workspace).get(endpoint.path).body == {name: [], "next": None}


ROWS = {
    "/predictions": (
        {"model": "churn", "version": "1", "unit_id": "c1", "score": 0.5, "predicted_at": AT},
        Prediction,
        "unknown-model",
    ),
    "/decisions": (decision_row("c1"), Decision, "unknown-decision-point"),
    "/executions": ({"decision_id": "decision", "status": "delivered", "occurred_at": AT}, None, "unknown-decision"),
    "/outcomes": (outcome_row("c1", decision_id="decision", unit_id=None), Outcome, "unknown-decision"),
    "/costs": (cost_row("c1", 1.0, decision_id="decision", unit_id=None), Cost, "unknown-decision"),
}


@pytest.mark.parametrize("endpoint", [call for call in CALLS if call.values[0].rows])  # type: ignore[attr-defined]
def test_a_row_about_anothers_object_goes_to_quarantine_like_one_about_none(
    endpoint: Endpoint, theirs: Mapping[str, str], other_workspace: Workspace
) -> None:
    row, model, code = ROWS[endpoint.path]
    row = {"source": "crm", "event_id": "e9", "at": AT} | row
    tried = row | {name: theirs["decision"] for name in row if row[name] == "decision"}
    missing = row | {name: NONE["<id>"] for name in row if row[name] == "decision"}
    answers = [
        caller(other_workspace).post(endpoint.path, {endpoint.rows[0]: [one]})  # type: ignore[index]
        for one in (tried, missing)
    ]
    assert [answer.body["results"][0]["code"] for answer in answers] == [code, code]
    assert nameless(answers[0].content, {"d": theirs["decision"]}) == nameless(answers[1].content, {"d": NONE["<id>"]})
    if model is not None:
        assert not model.objects.within(other_workspace).exists()


def test_every_path_names_what_these_tests_know() -> None:
    for endpoint in ENDPOINTS:
        assert set(re.findall(r"<\w+>", endpoint.path)) <= set(NONE)
        assert endpoint.rows is None or endpoint.path in ROWS


def test_every_path_is_routed_once_with_all_its_methods() -> None:
    methods: dict[str, list[str]] = defaultdict(list)
    for endpoint in ENDPOINTS:
        methods[endpoint.path].append(endpoint.method)
    assert all(len(found) == len(set(found)) for found in methods.values())


@pytest.mark.parametrize("path", [path for path in PATHS if "<" in path])
@pytest.mark.parametrize("name", ["a%00b", "%F0%9F%9A%97", "a" * 5000, "%27%20OR%201=1--", "..", "%25"])
def test_no_name_in_a_path_ends_in_an_error(path: str, name: str, api: Caller) -> None:
    for endpoint in ENDPOINTS:
        if endpoint.path == path:
            answer = send(api, endpoint, re.sub(r"<\w+>", name, path))
            assert answer.status_code in (200, 404, 422)


def filled(path: str, values: Mapping[str, str]) -> str:
    return re.sub(r"<\w+>", lambda found: values[found[0]], path)


def nameless(content: bytes, values: Mapping[str, str]) -> str:
    """What was answered, but for the names that were asked for."""
    text = content.decode()
    for value in values.values():
        text = text.replace(json.dumps(value), '"..."').replace(repr(value), "'...'")
    return text
