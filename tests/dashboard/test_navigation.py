"""The navigation: every page stands under one part, and each entry leads somewhere."""

from __future__ import annotations

import pytest
from django.urls import reverse

from impact.dashboard.navigation import PARTS, navigation
from tests.conftest import signed_in
from workspaces.models import Membership

NAMES = [name for _, entries in PARTS for entry in entries for name in (entry.url, *entry.beneath)]


def test_a_page_stands_in_one_place() -> None:
    assert len(NAMES) == len(set(NAMES))


def test_every_entry_leads_somewhere() -> None:
    for _, entries in PARTS:
        for entry in entries:
            assert reverse(entry.url, kwargs={"workspace": "mobile"})


@pytest.mark.parametrize(
    ("name", "part", "entry"), [("agreement", "Experiments", "experiments"), ("home", "Impact", "home")]
)
def test_says_where_one_is(name: str, part: str, entry: str) -> None:
    [here] = [one for one in navigation(name) if one["here"]]
    assert str(here["text"]) == part
    assert [one["url"] for one in here["entries"] if one["here"]] == [entry]


def test_a_page_shows_its_part_and_the_pages_beneath(mate: Membership) -> None:
    shown = signed_in(mate).get("/w/mobile/jobs").content.decode()
    assert 'href="/w/mobile/" aria-current="true"' in shown
    assert 'href="/w/mobile/jobs" aria-current="page"' in shown
    assert 'href="/w/mobile/reports">' in shown
