"""API keys: shown once, kept as a digest, ended by time or by hand."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest

from tests.conftest import Caller, caller
from workspaces import clock
from workspaces.errors import Refusal
from workspaces.models import SCOPES, ApiKey, AuditEntry, Workspace
from workspaces.services.keys import create_key, revoke_key


def test_works(workspace: Workspace) -> None:
    key, secret = create_key(workspace=workspace, name="crm", scopes=["read", "log", "read"], actor="ann")
    assert key.scopes == ["log", "read"]
    assert secret.startswith(f"{key.prefix}_")
    assert key.sha256 == hashlib.sha256(secret.encode()).hexdigest()
    entry = AuditEntry.objects.within(workspace).latest("number")
    assert (entry.actor, entry.action, entry.subject) == ("ann", "create key", key.prefix)


def test_the_secret_is_kept_nowhere(workspace: Workspace) -> None:
    key, secret = create_key(workspace=workspace, name="crm", scopes=["read"], actor="ann")
    kept = [str(value) for value in ApiKey.objects.filter(pk=key.pk).values_list()[0]]
    kept += [str(value) for row in AuditEntry.objects.values_list() for value in row]
    assert not any(secret.removeprefix(f"{key.prefix}_") in text for text in kept)
    assert secret not in str(key)


@pytest.mark.parametrize("scopes", [[], ["admin"], ["read", "Read"]])
def test_refuses_unknown_scopes(workspace: Workspace, scopes: list[str]) -> None:
    with pytest.raises(Refusal) as refusal:
        create_key(workspace=workspace, name="crm", scopes=scopes, actor="ann")
    assert refusal.value.code == "unknown-scope"
    assert not ApiKey.objects.exists()


@pytest.mark.parametrize("scope", SCOPES)
def test_a_scope_opens_its_calls_and_no_others(workspace: Workspace, scope: str) -> None:
    calls = {
        "predict": ("/predictions", {"predictions": []}),
        "decide": ("/decisions", {"decisions": []}),
        "log": ("/outcomes", {"outcomes": []}),
        "manage": ("/experiments/none/start", None),
    }
    api = caller(workspace, scope)
    answers = {name: api.post(*call).status_code for name, call in calls.items()} | {
        "read": api.get("/jobs").status_code
    }
    assert {name for name, status in answers.items() if status != 403} == {scope}


def test_two_keys_work_at_a_time(api: Caller, workspace: Workspace) -> None:
    assert caller(workspace).get("/jobs").status_code == api.get("/jobs").status_code == 200


def test_a_revoked_key_ends_at_once(workspace: Workspace) -> None:
    api = caller(workspace)
    assert api.get("/jobs").status_code == 200
    key = revoke_key(key=ApiKey.objects.get(), actor="ann")
    assert api.get("/jobs").status_code == 401
    assert AuditEntry.objects.within(workspace).latest("number").subject == key.prefix


@pytest.mark.parametrize(("lasts", "status"), [(timedelta(seconds=-1), 401), (timedelta(minutes=1), 200)])
def test_a_key_ends_by_time(workspace: Workspace, api: Caller, lasts: timedelta, status: int) -> None:
    # real time: the simulated clock doesn't lengthen a key's life
    _, api.secret = create_key(
        workspace=workspace, name="crm", scopes=["read"], actor="ann", expires_at=clock.server_now() + lasts
    )
    assert api.get("/jobs").status_code == status


def test_the_day_of_its_last_use_is_kept(workspace: Workspace, api: Caller) -> None:
    assert ApiKey.objects.get().last_used_on is None
    api.get("/jobs")
    assert ApiKey.objects.get().last_used_on == clock.server_now().date()
