"""The bench of pages finds every page of the table, and something on each."""

from __future__ import annotations

from tests.bench.pages import act, add, pages, queries
from tests.conftest import signed_in
from workspaces.models import Membership, Workspace


def test_every_page_is_measured(workspace: Workspace, owner: Membership) -> None:
    act(workspace)
    add(workspace, range(1))
    client = signed_in(owner)
    asked = {page: queries(client, page) for page in pages()}
    assert {"/w/mobile/", "/w/mobile/experiments/offers", "/w/mobile/docs/reading"} <= asked.keys()
    assert all(asked.values())
