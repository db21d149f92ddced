"""manage.py create_workspace and create_key: a link that lets the first administrator in, a key shown once."""

from __future__ import annotations

import re
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from tests.conftest import PASSWORD, Caller
from workspaces.models import ApiKey, Membership, Workspace

ANN = {"email": "ann@example.com", "name": "Ann", "password": PASSWORD}


def run(command: str, *arguments: str) -> str:
    out = StringIO()
    call_command(command, *arguments, stdout=out)
    return out.getvalue()


def test_a_workspace_lets_its_first_administrator_in_once(db: None, settings: Any) -> None:
    settings.BASE_URL = "https://impact.example.com"
    out = run("create_workspace", "shop", "--name", "Shop", "--currency", "JPY", "--time-zone", "Asia/Tokyo")
    made = Workspace.objects.get()
    assert (made.key, made.name, made.currency, made.time_zone, made.simulated) == (
        "shop", "Shop", "JPY", "Asia/Tokyo", False,
    )  # fmt: skip
    link = re.search(r"https://impact\.example\.com(/join/\S+)", out)
    assert link
    assert Client().post(link[1], ANN)["Location"] == "/w/shop/"
    assert Membership.objects.get().role == "admin"
    assert Client().post(link[1], ANN | {"email": "eve@example.com"}).status_code == 422


def test_a_fiscal_year_begins_when_it_is_told(db: None) -> None:
    out = run("create_workspace", "shop", "--fiscal-year-start", "4")
    assert Workspace.objects.get().fiscal_year_start == 4
    link = re.search(r"(/join/\S+)", out)
    assert link
    client = Client()
    client.post(link[1], ANN)
    assert "fiscal year from April" in client.get("/w/shop/").content.decode()
    client.cookies["django_language"] = "ja"
    assert "会計年度：4月から" in client.get("/w/shop/").content.decode()


def test_a_workspace_may_be_simulated(db: None) -> None:
    run("create_workspace", "play", "--simulated")
    assert (Workspace.objects.get().name, Workspace.objects.get().simulated) == ("play", True)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["Shop"], "invalid-workspace"),
        (["shop", "--currency", "euro"], "invalid-workspace"),
        (["shop", "--fiscal-year-start", "13"], "invalid-workspace"),
        (["mobile"], "workspace-exists"),
    ],
)
def test_a_workspace_is_refused(workspace: Workspace, arguments: list[str], code: str) -> None:
    with pytest.raises(CommandError, match=rf"\[{code}\]"):
        run("create_workspace", *arguments)
    assert Workspace.objects.count() == 1


def test_a_key_is_printed_once_and_works(workspace: Workspace) -> None:
    secret = run("create_key", "--scopes", "read, log", "--name", "crm").strip()
    key = ApiKey.objects.within(workspace).get()
    assert (key.name, sorted(key.scopes)) == ("crm", ["log", "read"])
    assert secret not in key.sha256 and secret.startswith(key.prefix)
    api = Caller(secret, Client())
    assert api.get("/jobs").status_code == 200
    assert api.post("/experiments/none/start").status_code == 403


@pytest.mark.parametrize("scopes", ["", "write", "read,write"])
def test_an_unknown_scope_is_refused(workspace: Workspace, scopes: str) -> None:
    with pytest.raises(CommandError):
        run("create_key", "--scopes", scopes)
    assert not ApiKey.objects.exists()
