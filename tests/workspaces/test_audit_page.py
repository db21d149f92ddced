"""The audit page: newest first, filtered by the address, page by page, and whether the chain is whole."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.conftest import signed_in
from workspaces import selectors, views
from workspaces.models import AuditEntry, Membership, Workspace
from workspaces.services import audit
from workspaces.services.audit import broken_at, record


def acted(workspace: Workspace, number: int = 1, actor: str = "ann@example.com", action: str = "declare") -> None:
    for place in range(number):
        record(workspace=workspace, actor=actor, action=action, subject=f"thing {place}", before={"n": 1}, after=place)


def shown(client: Client, query: str = "") -> str:
    answer = client.get(f"/w/mobile/audit{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def numbers(page: str) -> list[int]:
    return [int(one) for one in re.findall(r'<th scope="row" class="n">(\d+)</th>', page)]


def test_is_newest_first_with_before_and_after(mate: Membership, workspace: Workspace) -> None:
    acted(workspace)
    page = shown(signed_in(mate))
    entry = AuditEntry.objects.within(workspace).order_by("-number")[0]
    assert numbers(page) == list(range(entry.number, 0, -1))
    assert entry.before_sha256 in page and entry.after_sha256 in page
    assert "ann@example.com" in page and "thing 0" in page


def test_pages_follow_one_another_without_a_gap(
    mate: Membership, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selectors, "ENTRIES_A_PAGE", 3)
    acted(workspace, 7)
    acted(workspace, 2, actor="bob & co")
    client, seen = signed_in(mate), []
    page = shown(client, "?actor=ann%40example.com")
    while True:
        seen += numbers(page)
        older = re.search(r'href="(\?[^"]*before=\d+)"', page)
        if not older:
            break
        acted(workspace)  # what comes in meanwhile moves nothing
        page = shown(client, older[1].replace("&amp;", "&"))
    mine = AuditEntry.objects.within(workspace).filter(actor="ann@example.com").order_by("-number")
    assert seen == list(mine.values_list("number", flat=True))[-7:]


def test_acts_are_told_in_the_readers_language(mate: Membership, workspace: Workspace) -> None:
    acted(workspace, action="waive check")
    client = signed_in(mate)
    assert '<option value="waive check">waive check</option>' in shown(client)
    client.cookies["django_language"] = "ja"
    page = shown(client, "?action=waive+check")
    assert '<option value="waive check" selected>検査の免除</option>' in page and len(numbers(page)) == 1


def test_is_filtered_by_the_address(mate: Membership, workspace: Workspace) -> None:
    acted(workspace, 2, actor="bob & co", action="sign")
    acted(workspace, 1, actor="bob & co")
    client = signed_in(mate)
    assert len(numbers(shown(client, "?actor=bob+%26+co"))) == 3
    assert len(numbers(shown(client, "?actor=bob+%26+co&action=sign"))) == 2
    assert "<option selected>bob &amp; co</option>" in shown(client, "?actor=bob+%26+co")


@pytest.mark.parametrize("query", ["?actor=nobody", "?action=a%00b", "?before=0", "?before=1&actor=%F0%9F%9A%97"])
def test_says_where_nothing_is_found(mate: Membership, workspace: Workspace, query: str) -> None:
    assert "No entry here." in shown(signed_in(mate), query)


@pytest.mark.parametrize("before", ["x", "-1", "9" * 400, "٣٣", "%00", "1.5"])
def test_a_nonsensical_place_is_no_error(mate: Membership, workspace: Workspace, before: str) -> None:
    shown(signed_in(mate), f"?before={before}")


def test_says_that_the_chain_is_whole_with_its_head(mate: Membership, workspace: Workspace) -> None:
    acted(workspace)
    page = shown(signed_in(mate))
    workspace.refresh_from_db()
    assert "The chain is whole" in page and workspace.audit_head in page


def test_of_a_long_chain_the_end_is_read(
    mate: Membership, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "CHAIN_A_PAGE", 3)
    acted(workspace, 9)
    length = AuditEntry.objects.within(workspace).count()
    client = signed_in(mate)
    assert f"The last 3 of {length} entries fit together" in shown(client)
    # what lies before the end is for verify to find
    AuditEntry.objects.within(workspace).filter(number=2).update(actor="somebody")
    assert "The end of the chain is whole" in shown(client) and broken_at(workspace) == 2
    AuditEntry.objects.within(workspace).filter(number=length - 1).update(subject="else")
    assert f"Entry {length - 1} is missing" in shown(client)
    AuditEntry.objects.within(workspace).filter(number=length - 3).delete()
    assert f"Entry {length - 3} is missing" in shown(client)


def test_says_where_the_chain_is_broken(mate: Membership, workspace: Workspace) -> None:
    acted(workspace, 3)
    AuditEntry.objects.within(workspace).filter(number=4).update(actor="eve")
    page = shown(signed_in(mate), "?actor=ann%40example.com")
    assert "The chain is broken" in page and "Entry 4 is missing" in page and "whole" not in page


def test_what_is_appended_while_the_chain_is_read_breaks_nothing(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    heads = iter([(1, "older"), *[audit._head(workspace)] * 9])
    monkeypatch.setattr(audit, "_head", lambda workspace: next(heads))
    assert broken_at(workspace) is None


def test_shows_nothing_of_another_workspace(mate: Membership, other_workspace: Workspace, stranger: Membership) -> None:
    acted(other_workspace, actor="eve@example.com")
    assert "eve@example.com" not in shown(signed_in(mate))
    assert signed_in(stranger).get("/w/mobile/audit").status_code == 404


def test_many_entries_cost_no_more_queries(mate: Membership, workspace: Workspace) -> None:
    client, counts = signed_in(mate), []
    for number in (1, 20):
        acted(workspace, number)
        with CaptureQueriesContext(connection) as queries:
            shown(client)
        counts.append(len(queries))
    assert counts[0] == counts[1]
