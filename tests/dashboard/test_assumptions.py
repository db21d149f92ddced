"""Assumptions: listed, compared with what they were, declared on a page; signed agreements keep theirs."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from experiments.models import Experiment
from impact.agreements.declarations import declare_assumption
from impact.agreements.models import Assumption
from impact.agreements.shapes import AssumptionDeclared
from impact.dashboard.assumptions import assumption_page
from tests.conftest import enter, signed_in
from workspaces.models import Membership, Workspace
from workspaces.strict import convert

TYPED = {
    "name": "Value of a kept customer", "key": "kept", "low": "170", "base": "310", "high": "340", "unit": "EUR",
    "owner": "Finance", "status": "agreed", "source": "",
}  # fmt: skip
AT = "/w/mobile/declare/assumption"


@pytest.fixture
def analyst(workspace: Workspace) -> Client:
    return signed_in(enter(workspace, "ana@example.com", "analyst"))


def test_lists_them_in_as_many_queries(mate: Membership, workspace: Workspace) -> None:
    client = signed_in(mate)
    assert "No assumption yet." in client.get("/w/mobile/assumptions").content.decode()

    def queries() -> int:
        with CaptureQueriesContext(connection) as made:
            assert client.get("/w/mobile/assumptions").status_code == 200
        return len(made)

    def declared(key: str) -> None:
        declare_assumption(workspace, convert(_numbers(key), AssumptionDeclared), "test")

    declared("first")
    few = queries()
    declared("second")
    declared("third")
    assert queries() == few


def _numbers(key: str) -> dict[str, Any]:
    return TYPED | {"key": key, "low": 1, "base": 2, "high": 3}


def test_shows_what_changes_and_for_whom_before_it_is_kept(
    analyst: Client, workspace: Workspace, running: Experiment
) -> None:
    page = analyst.post(AT, TYPED | {"look": "1"}).content.decode()
    assert ">300<" in page and ">310<" in page and "Offers" in page
    assert ">170<" not in page
    assert Assumption.objects.within(workspace).count() == 1


def test_a_new_version_leaves_what_was_signed(analyst: Client, workspace: Workspace, running: Experiment) -> None:
    signed = running.plan
    answer = analyst.post(AT, TYPED)
    assert (answer.status_code, answer["Location"]) == (302, "/w/mobile/assumptions/kept")
    page = assumption_page(workspace, "kept")
    assert [(one.version, one.base) for one in page["versions"]] == [(2, 310.0), (1, 300.0)]
    assert [(one["experiment"].key, one["version"]) for one in page["users"]] == [("offers", 1)]
    running.refresh_from_db()
    assert running.plan == signed


def test_how_its_money_arrives_stays(analyst: Client, workspace: Workspace) -> None:
    cash = {"months": 12, "kept": 0.9}
    said = _numbers("later") | {"cash": cash, "valid_from": "2026-01-01T00:00:00Z"}
    declare_assumption(workspace, convert(said, AssumptionDeclared), "test")
    assert analyst.post(AT, _numbers("later") | {"base": "2.5"}).status_code == 302
    first, second = Assumption.objects.within(workspace).filter(key="later").order_by("version")
    assert (second.base, second.cash, second.valid_from) == (2.5, first.cash, first.valid_from)
    assert second.cash["months"] == 12
    client = analyst
    client.cookies["django_language"] = "ja"
    assert client.get("/w/mobile/assumptions/later").status_code == 200


@pytest.mark.parametrize("changes", [{"base": "400"}, {"low": ""}, {"status": "hoped"}, {"key": "Kept!"}])
def test_refuses(analyst: Client, workspace: Workspace, churn: Experiment, changes: Any) -> None:
    assert analyst.post(AT, TYPED | changes).status_code == 422
    assert Assumption.objects.within(workspace).count() == 1


def test_a_viewer_declares_nothing(mate: Membership, stranger: Membership, churn: Experiment) -> None:
    assert signed_in(mate).post(AT, TYPED).status_code == 403
    assert signed_in(stranger).post(AT, TYPED).status_code == 404
    assert signed_in(stranger).get("/w/other/assumptions/kept").status_code == 404
    assert "declare/assumption" not in signed_in(mate).get("/w/mobile/assumptions/kept").content.decode()
