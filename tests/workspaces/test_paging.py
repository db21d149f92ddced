"""Pages: every row once, in order, whatever is added meanwhile."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import Caller, stored_examples
from workspaces.models import Job, Workspace
from workspaces.paging import page
from workspaces.services.jobs import enqueue


def jobs(workspace: Workspace, number: int) -> list[str]:
    return [str(enqueue(workspace=workspace, kind="k", key=f"{place}").pk) for place in range(number)]


@stored_examples
@given(st.integers(1, 9))
def test_every_row_comes_once(workspace: Workspace, limit: int) -> None:
    made = jobs(workspace, 7)
    found, query = [], {"limit": str(limit)}
    while True:
        rows, following = page(Job.objects.within(workspace), query)
        assert len(rows) <= limit
        found += [str(row.pk) for row in rows]
        if following is None:
            break
        query = query | {"cursor": following}
    assert found == made


def test_a_row_that_is_added_meanwhile_comes_last(api: Caller, workspace: Workspace) -> None:
    jobs(workspace, 2)
    first = api.get("/jobs", limit="1").body
    added = enqueue(workspace=workspace, kind="k", key="new")
    rest = api.get("/jobs", cursor=first["next"]).body
    assert [job["key"] for job in rest["jobs"]] == ["1", "new"]
    assert rest["jobs"][-1]["id"] == str(added.pk)
    assert rest["next"] is None


def test_a_hundred_come_unless_asked_otherwise(api: Caller, workspace: Workspace) -> None:
    jobs(workspace, 101)
    assert len(api.get("/jobs").body["jobs"]) == 100
    assert len(api.get("/jobs", limit="500").body["jobs"]) == 101


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "501"},
        {"limit": "-1"},
        {"limit": "ten"},
        {"limit": ""},
        {"limit": "1.0"},
        {"limit": "9" * 5000},
        {"cursor": ""},
        {"cursor": "nonsense"},
        {"cursor": "a\x00"},
    ],
)
def test_refuses(api: Caller, query: dict[str, str]) -> None:
    answer = api.get("/jobs", **query)
    assert (answer.status_code, answer.body["code"]) == (400, "invalid-parameter")


def test_an_unknown_parameter_is_refused(api: Caller) -> None:
    answer = api.get("/jobs", page="2")
    assert (answer.status_code, answer.body["code"]) == (400, "unknown-parameter")
    assert "'page'" in answer.body["detail"] and "limit, cursor" in answer.body["detail"]
