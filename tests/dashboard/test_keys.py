"""API keys: made and revoked by administrators, seen by operators, the secret once, a first call that works."""

from __future__ import annotations

import json
import re
import shlex
from datetime import timedelta
from html import unescape
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from experiments.models import Decision, DecisionPoint, Experiment
from predictions.models import Prediction, PredictionModel
from tests.conftest import enter, signed_in
from workspaces import clock
from workspaces.models import ApiKey, AuditEntry, Membership, Workspace
from workspaces.services.keys import create_key, revoke_key


def made(owner: Membership, *scopes: str, **more: str) -> str:
    """The page that answers when a key is made."""
    answer = signed_in(owner).post("/w/mobile/keys/new", {"name": "Billing", "scopes": scopes} | more)
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    return answer.content.decode()


def called(page: str) -> Any:
    """Make the call that the page shows, as a shell would."""
    shown = re.search(r'aria-label="curl">(.*?)</pre>', page, re.S)
    assert shown
    _, url, *rest = shlex.split(unescape(shown[1]))
    headers = dict(value.split(": ", 1) for flag, value in pairwise(rest) if flag == "-H")
    bearer = {"Authorization": headers["Authorization"]}
    path = url.removeprefix("http://testserver")
    if "-d" not in rest:
        return Client().get(path, headers=bearer)
    return Client().post(path, rest[rest.index("-d") + 1], headers["Content-Type"], headers=bearer)


def key_of(workspace: Workspace, name: str = "CRM") -> ApiKey:
    return create_key(workspace=workspace, name=name, scopes=["log"], actor="test")[0]


def test_the_secret_is_shown_once_and_opens(owner: Membership, churn: Experiment) -> None:
    page = made(owner, "read", "log")
    [secret] = set(re.findall(r"imp_[0-9a-f]{12}_[\w-]+", page))
    key = ApiKey.objects.get()
    assert (key.name, key.scopes, key.expires_at) == ("Billing", ["log", "read"], None)
    assert Client().get("/api/v1/experiments", headers={"Authorization": f"Bearer {secret}"}).status_code == 200
    again = signed_in(owner).get("/w/mobile/keys").content.decode()
    assert key.prefix in again and secret not in again and key.sha256 not in again
    entry = AuditEntry.objects.get(action="create key")
    assert (entry.actor, entry.subject) == ("owner@example.com", key.prefix)


def test_the_call_decides_at_the_decision_point_there_is(owner: Membership, running: Experiment) -> None:
    answer = called(made(owner, "decide"))
    assert answer.status_code == 200, answer.content
    decision = Decision.objects.get()
    assert decision.decision_point.key == "offer"
    assert set(Prediction.objects.get().features) == {"tenure", "plan", "vip"}


def test_the_call_only_predicts_where_nothing_is_decided(owner: Membership, churn: Experiment) -> None:
    answer = called(made(owner, "predict", "read"))
    assert json.loads(answer.content)["accepted"] == 1
    assert Prediction.objects.get().version.model.key == "churn"


def test_names_that_a_shell_would_read_are_quoted(owner: Membership, churn: Experiment) -> None:
    PredictionModel.objects.update(features={"it's $HOME": "text", "<b>": "number"})
    assert called(made(owner, "predict")).status_code == 200
    assert Prediction.objects.get().features == {"it's $HOME": "text", "<b>": 1}


def test_a_cluster_is_named_where_the_decision_point_has_one(owner: Membership, running: Experiment) -> None:
    DecisionPoint.objects.update(cluster="region")
    assert called(made(owner, "decide")).status_code == 200
    assert Decision.objects.get().cluster_id == "example"


@pytest.mark.parametrize("scopes", [("read",), ("log",), ("decide", "read")])
def test_the_call_works_where_nothing_is_declared(owner: Membership, scopes: tuple[str, ...]) -> None:
    answer = called(made(owner, *scopes))
    assert answer.status_code == 200
    assert json.loads(answer.content).get("rejected", 0) == 0


@pytest.mark.parametrize("scopes", [("manage",), ("decide",)])
def test_there_is_no_call_that_would_not_work(owner: Membership, scopes: tuple[str, ...]) -> None:
    page = made(owner, *scopes)
    assert 'aria-label="curl"' not in page and "Nothing is declared yet" in page


def test_a_key_lasts_until_the_end_of_its_day_where_the_workspace_is(owner: Membership) -> None:
    day = (clock.server_now() + timedelta(days=3)).date()
    made(owner, "log", expires_on=day.isoformat())
    expires = ApiKey.objects.get().expires_at
    assert expires is not None
    assert (expires + timedelta(hours=1)).date() in (day, day + timedelta(days=1))
    assert expires.hour in (21, 22)


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"scopes": ["log"]}, "required"),
        ({"name": "CRM"}, "required"),
        ({"name": "CRM", "scopes": ["everything"]}, "Select a valid choice"),
        ({"name": "x" * 101, "scopes": ["log"]}, "at most 100"),
        ({"name": "CRM", "scopes": ["log"], "expires_on": "2020-01-01"}, "This day is over"),
        ({"name": "CRM", "scopes": ["log"], "expires_on": "soon"}, "Enter a valid date"),
    ],
)
def test_a_wrong_form_says_why_and_makes_nothing(owner: Membership, sent: dict[str, Any], said: str) -> None:
    answer = signed_in(owner).post("/w/mobile/keys/new", sent)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not ApiKey.objects.exists()


def test_a_key_is_revoked_after_a_question(owner: Membership, workspace: Workspace) -> None:
    key, client = key_of(workspace), signed_in(owner)
    asked = client.get(f"/w/mobile/keys/{key.pk}/revoke").content.decode()
    assert "Revoke CRM?" in asked
    key.refresh_from_db()
    assert key.revoked_at is None
    answer = client.post(f"/w/mobile/keys/{key.pk}/revoke", follow=True).content.decode()
    assert "The key CRM opens nothing any more." in answer and "revoked" in answer
    again = client.post(f"/w/mobile/keys/{key.pk}/revoke", follow=True).content.decode()
    assert "was revoked already" in again
    assert AuditEntry.objects.filter(action="revoke key", actor="owner@example.com").count() == 1


@pytest.mark.parametrize(("role", "status"), [("viewer", 403), ("analyst", 403), ("operator", 200)])
def test_others_make_and_revoke_none(workspace: Workspace, role: str, status: int) -> None:
    key, client = key_of(workspace), signed_in(enter(workspace, "ann@example.com", role))
    seen = client.get("/w/mobile/keys")
    assert seen.status_code == status
    assert "Make a key" not in seen.content.decode() and "/revoke" not in seen.content.decode()
    assert ('href="/w/mobile/keys"' in client.get("/w/mobile/members").content.decode()) is (status == 200)
    assert client.post("/w/mobile/keys/new", {"name": "x", "scopes": ["log"]}).status_code == 403
    assert client.post(f"/w/mobile/keys/{key.pk}/revoke").status_code == 403
    assert ApiKey.objects.get().revoked_at is None


def test_a_stranger_finds_nothing(owner: Membership, workspace: Workspace, stranger: Membership) -> None:
    key, client = key_of(workspace), signed_in(stranger)
    assert client.post("/w/mobile/keys/new", {"name": "x", "scopes": ["log"]}).status_code == 404
    # nor by way of a workspace of one's own
    assert client.post(f"/w/other/keys/{key.pk}/revoke").status_code == 404
    assert "CRM" not in client.get("/w/other/keys").content.decode()
    assert ApiKey.objects.get().revoked_at is None


def test_says_which_keys_still_open(owner: Membership, workspace: Workspace) -> None:
    revoke_key(key=key_of(workspace, "Old"), actor="test")
    create_key(workspace=workspace, name="Late", scopes=["log"], actor="test", expires_at=clock.server_now())
    key_of(workspace, "New")
    page = signed_in(owner).get("/w/mobile/keys").content.decode()
    assert re.findall(r'class="state (\w+)"', page) == ["active", "expired", "revoked"]
    assert page.count("/revoke") == 1


def test_one_key_and_three_cost_as_many_queries(owner: Membership, workspace: Workspace) -> None:
    counts = []
    client = signed_in(owner)
    for number in (1, 2):
        for _ in range(number):
            key_of(workspace)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert client.get("/w/mobile/keys").status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]
