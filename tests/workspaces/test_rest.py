"""The REST machinery: who calls, may they, what did they send; every error a problem document."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError
from django.test import Client

from impact.ledger.models import Outcome
from tests.conftest import Caller, caller
from workspaces import clock
from workspaces.models import ApiKey, Workspace
from workspaces.services.keys import create_key, revoke_key


def problem(answer: Any, status: int, code: str) -> Any:
    """The problem document of an answer, which has this status and code."""
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
    body = json.loads(answer.content)
    assert (body["status"], body["code"]) == (status, code)
    assert body["title"] and body["detail"]
    assert set(body) <= {"type", "title", "status", "code", "detail", "errors"}
    return body


def bad_keys(workspace: Workspace) -> dict[str, str | None]:
    """Headers of every kind that opens nothing."""
    key, secret = create_key(workspace=workspace, name="k", scopes=["read"], actor="ann")
    revoked, of_revoked = create_key(workspace=workspace, name="k", scopes=["read"], actor="ann")
    revoke_key(key=revoked, actor="ann")
    over = clock.server_now() - timedelta(seconds=1)
    _, of_expired = create_key(workspace=workspace, name="k", scopes=["read"], actor="ann", expires_at=over)
    return {
        "no header": None,
        "empty": "",
        "no key": "Bearer",
        "empty key": "Bearer ",
        "other scheme": f"Basic {secret}",
        "no scheme": secret,
        "wrong secret": f"Bearer {key.prefix}_wrong",
        "prefix alone": f"Bearer {key.prefix}",
        "digest": f"Bearer {key.prefix}_{key.sha256}",
        "cut": f"Bearer {secret[:-1]}",
        "longer": f"Bearer {secret}x",
        "other case": f"Bearer {secret.upper()}",
        "two blanks": f"Bearer  {secret}",
        "NUL": f"Bearer {key.prefix}\x00_{secret}",
        "no ASCII": f"Bearer {secret}é",
        "unknown": "Bearer imp_000000000000_x",
        "revoked": f"Bearer {of_revoked}",
        "expired": f"Bearer {of_expired}",
    }


def test_every_bad_key_looks_the_same(workspace: Workspace) -> None:
    answers = {}
    for name, header in bad_keys(workspace).items():
        headers = {} if header is None else {"Authorization": header}
        answer = Client().get("/api/v1/jobs", headers=headers)
        problem(answer, 401, "unauthenticated")
        answers[name] = (answer.content, sorted(answer.headers.items()))
    assert len({str(answer) for answer in answers.values()}) == 1, answers
    assert ("WWW-Authenticate", "Bearer") in answers["revoked"][1]


def test_the_scheme_is_read_in_any_case(api: Caller) -> None:
    assert Client().get("/api/v1/jobs", headers={"Authorization": f"bearer {api.secret}"}).status_code == 200


def test_a_session_opens_nothing(owner: Any) -> None:
    client = Client()
    client.force_login(owner.person)
    problem(client.get("/api/v1/jobs"), 401, "unauthenticated")


def test_a_call_from_elsewhere_needs_no_token(workspace: Workspace) -> None:
    api = caller(workspace)
    api.client = Client(enforce_csrf_checks=True)
    assert api.post("/outcomes", {"outcomes": []}).status_code == 200


def test_a_missing_scope_is_named(workspace: Workspace) -> None:
    body = problem(caller(workspace, "read", "decide").post("/outcomes", {"outcomes": []}), 403, "scope-missing")
    assert "'log'" in body["detail"]


@pytest.mark.parametrize("path", ["/nowhere", "/jobs/1/2", "/outcomes/", "//jobs", "/%00"])
def test_an_unknown_call_is_not_found(api: Caller, path: str) -> None:
    problem(api.get(path), 404, "not-found")
    problem(Client().get(f"/api/v1{path}"), 404, "not-found")


def test_another_method_is_told_what_is_possible(api: Caller) -> None:
    answer = api.get("/outcomes")
    body = problem(answer, 405, "method-not-allowed")
    assert answer["Allow"] == "POST" and "use POST" in body["detail"]


@pytest.mark.parametrize(
    "body", [[], {}, {"outcomes": {}}, {"outcomes": None}, {"outcome": []}, {"outcomes": [], "more": 1}, 1, "a", None]
)
def test_what_is_no_batch_is_refused(api: Caller, body: Any) -> None:
    said = problem(api.post("/outcomes", body), 400, "not-a-batch")
    assert said["errors"][0]["pointer"] == "/outcomes"


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"outcomes": [], "outcomes": []}', b'{"outcomes": NaN, "outcomes": []}', b"\xff"]
)
def test_what_is_no_json_is_refused(api: Caller, body: bytes) -> None:
    problem(api.raw("/outcomes", body), 400, "malformed-json")


@pytest.mark.parametrize(
    ("flaw", "pointer", "said"),
    [
        (b"NaN", "", "NaN"),
        (b'{"value": -Infinity}', "/value", "-Infinity"),
        (b'{"value": 18446744073709551616}', "/value", "64 bits"),
        (b'{"value": 1e999}', "/value", "too large"),
        (b'{"type": "t", "type": "t"}', "/type", "stands twice"),
        (b'{"a": {"b": 1, "b": 2}}', "/a/b", "stands twice"),
        (b'{"unit_id": "a\\u0000"}', "/unit_id", "NUL"),
        (b'{"unit_id": "\\ud800"}', "/unit_id", "half a surrogate"),
        (b"[" * 20 + b"]" * 20, "/0" * 19, "deeper"),
    ],
)
def test_a_row_that_is_no_strict_json_spoils_no_other(api: Caller, flaw: bytes, pointer: str, said: str) -> None:
    good = (
        b'{"source": "s", "event_id": "%d", "type": "t", "unit_id": "u", "value": 1,'
        b' "occurred_at": "2026-01-01T00:00:00Z"}'
    )
    answer = api.raw("/outcomes", b'{"outcomes": [' + b",".join((good % 1, flaw, good % 2)) + b"]}")
    assert [one["status"] for one in answer.body["results"]] == ["accepted", "rejected", "accepted"], answer.body
    refused = answer.body["results"][1]
    assert (refused["code"], refused.get("pointer", "")) == ("malformed-json", pointer)
    assert said in refused["detail"]
    assert Outcome.objects.count() == 2


def test_one_decision_that_is_no_strict_json_is_refused(api: Caller) -> None:
    problem(api.raw("/decisions", b'{"source": NaN}'), 400, "malformed-json")
    problem(api.raw("/decisions", b'{"source": "a", "source": "a"}'), 400, "malformed-json")


def test_a_thousand_rows_are_a_batch_and_one_more_are_not(api: Caller) -> None:
    assert api.post("/outcomes", {"outcomes": [{}] * 1000}).body["rejected"] == 1000
    problem(api.post("/outcomes", {"outcomes": [{}] * 1001}), 413, "too-large")


def test_a_body_has_up_to_eight_mebibytes(api: Caller) -> None:
    body = b'{"outcomes": []' + b" " * (8 * 1024 * 1024 - 16) + b"}"
    assert api.raw("/outcomes", body).status_code == 200
    problem(api.raw("/outcomes", body + b" "), 413, "too-large")


def test_unknown_fields_of_a_body_are_refused(api: Caller) -> None:
    answer = api.post("/feeds/crm/heartbeat", {"type": "t", "complete_until": "2026-01-01T00:00:00Z", "extra": 1})
    assert problem(answer, 422, "invalid-field")["errors"][0]["pointer"] == "/extra"


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_a_database_that_is_away_is_said_so(
    api: Caller, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def away(*arguments: Any, **named: Any) -> Any:
        raise error("server closed the connection unexpectedly")

    monkeypatch.setattr("workspaces.rest.authenticate", away)
    answer = api.post("/outcomes", {"outcomes": []})
    problem(answer, 503, "unavailable")
    assert answer["Retry-After"] == "5"
    monkeypatch.undo()
    assert api.post("/outcomes", {"outcomes": []}).status_code == 200
    assert Client().get("/health/live").status_code == 200


def test_nothing_of_a_batch_is_stored_when_the_database_goes_away_in_it(
    api: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = {
        "source": "s",
        "event_id": "e",
        "type": "t",
        "unit_id": "u",
        "value": 1,
        "occurred_at": "2026-01-01T00:00:00Z",
    }

    def away(*arguments: Any) -> Any:
        raise OperationalError("gone")

    monkeypatch.setattr("workspaces.services.facts.clock.advance", away)
    assert api.post("/outcomes", {"outcomes": [row]}).status_code == 503
    assert not Outcome.objects.exists()
    monkeypatch.undo()
    assert api.post("/outcomes", {"outcomes": [row]}).body["accepted"] == 1


def test_health_says_whether_the_database_answers(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Client().get("/health/ready").status_code == 200

    def away(*arguments: Any) -> Any:
        raise OperationalError("gone")

    monkeypatch.setattr("django.db.backends.utils.CursorWrapper.execute", away)
    answer = Client().get("/health/ready")
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert Client().get("/health/live").status_code == 200
    monkeypatch.undo()


def test_no_answer_holds_the_secret(api: Caller) -> None:
    for answer in (api.get("/jobs"), api.get("/outcomes"), api.raw("/outcomes", api.secret.encode())):
        assert api.secret not in answer.content.decode()
    assert ApiKey.objects.get().sha256 not in answer.content.decode()
