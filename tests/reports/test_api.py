"""GET /reports and GET /reports/{number}."""

from __future__ import annotations

from datetime import timedelta

import pytest

from experiments.models import Experiment
from tests.conftest import Caller, caller
from tests.reports.board import DUE, frozen, schedule
from workspaces.canonical import digest
from workspaces.models import Workspace


def test_lists_what_was_frozen(api: Caller, workspace: Workspace, churn: Experiment) -> None:
    made = schedule(workspace)
    reports = [frozen(made), frozen(made, DUE + timedelta(days=1))]
    answer = api.get("/reports")
    assert answer.status_code == 200
    assert answer.body == {
        "reports": [
            {"number": report.number, "name": "Offers", "due_at": f"{report.due_at.isoformat()[:-6]}Z",
             "status": "draft", "sha256": report.sha256}
            for report in reports
        ],
        "next": None,
    }  # fmt: skip


def test_pages_through_them(api: Caller, workspace: Workspace, churn: Experiment) -> None:
    made = schedule(workspace)
    for place in range(3):
        frozen(made, DUE + timedelta(days=place))
    first = api.get("/reports", limit="2").body
    second = api.get("/reports", limit="2", cursor=first["next"]).body
    assert [one["number"] for one in first["reports"] + second["reports"]] == [1, 2, 3]
    assert second["next"] is None


def test_gives_the_content_that_the_digest_is_of(api: Caller, workspace: Workspace, churn: Experiment) -> None:
    report = frozen(schedule(workspace))
    body = api.get("/reports/1").body
    assert (body.pop("sha256"), body.pop("status")) == (report.sha256, "draft")
    assert body.pop("names") == {"reviewed": None, "signed": None}
    assert digest(body) == report.sha256
    assert api.get("/reports/1").content == api.get("/reports/1").content


@pytest.mark.parametrize("number", ["0", "2", "-1", "one", "1.0", "01x", "9" * 30, "٣"])
def test_a_number_that_is_none_is_missing(api: Caller, workspace: Workspace, churn: Experiment, number: str) -> None:
    frozen(schedule(workspace))
    answer = api.get(f"/reports/{number}")
    assert (answer.status_code, answer.body["code"]) == (404, "not-found")


def test_anothers_report_is_missing(workspace: Workspace, churn: Experiment, other_workspace: Workspace) -> None:
    frozen(schedule(workspace))
    assert caller(other_workspace).get("/reports/1").status_code == 404


def test_reading_needs_its_scope(workspace: Workspace, churn: Experiment) -> None:
    frozen(schedule(workspace))
    assert caller(workspace, "log").get("/reports/1").status_code == 403
    assert caller(workspace, "read").get("/reports/1").status_code == 200
