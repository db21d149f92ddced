"""The link out of a report's mails: for one address, without an account, by one click, and back again."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from impact.reports.models import ReportSchedule, Unsubscription
from impact.reports.unsubscribing import unsubscribe_link
from tests.conftest import signed_in
from tests.reports.board import schedule
from workspaces.models import AuditEntry, Membership, Workspace

ADDRESS = "cfo@example.com"


@pytest.fixture
def board(workspace: Workspace) -> ReportSchedule:
    return schedule(workspace)


def path_of(board: ReportSchedule, address: str = ADDRESS) -> str:
    return unsubscribe_link(board, address).removeprefix("http://127.0.0.1:8000")


def test_a_page_asks_and_changes_nothing(board: ReportSchedule, client: Client) -> None:
    page = client.get(path_of(board)).content.decode()
    assert "Get no more of these mails?" in page and "Offers" in page and ADDRESS in page
    assert not Unsubscription.objects.exists()


def test_one_click_of_a_mail_program_is_enough(board: ReportSchedule) -> None:
    answer = Client(enforce_csrf_checks=True).post(path_of(board), {"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    assert board.addresses == [(ADDRESS, False), ("coo@example.com", True)]


def test_twice_is_once_and_back_is_possible(board: ReportSchedule, client: Client) -> None:
    client.post(path_of(board), {"step": "leave"})
    page = client.post(path_of(board), {"step": "leave"}).content.decode()
    assert "You get no more of these mails" in page and "Get them again" in page
    assert board.unsubscriptions.count() == 1
    page = client.post(path_of(board), {"step": "back"}).content.decode()
    assert "Get no more of these mails?" in page
    assert not board.unsubscriptions.exists()
    acts = AuditEntry.objects.filter(actor=ADDRESS).order_by("number").values_list("action", "subject")
    assert list(acts) == [("unsubscribe", "board"), ("subscribe again", "board")]


@pytest.mark.parametrize("change", ["x", ":x", ""])
def test_a_link_that_was_changed_is_none(board: ReportSchedule, client: Client, change: str) -> None:
    path = path_of(board)
    answer = client.post(f"{path}{change}" if change else path[:-1], {"step": "leave"})
    assert answer.status_code == 404
    assert not Unsubscription.objects.exists()


def test_a_link_is_for_one_schedule(board: ReportSchedule, other_workspace: Workspace, client: Client) -> None:
    theirs = schedule(other_workspace)
    client.post(path_of(board))
    assert theirs.addresses == [(ADDRESS, True), ("coo@example.com", True)]


@pytest.mark.parametrize(
    ("written", "chosen", "said"),
    [("ja", "", "このメールの配信を停止しますか"), ("ja", "en", "Get no more"), ("en", "", "Get no more")],
)
def test_speaks_the_mails_language_or_the_chosen_one(
    workspace: Workspace, client: Client, written: str, chosen: str, said: str
) -> None:
    if chosen:
        client.cookies["django_language"] = chosen
    page = client.get(path_of(schedule(workspace, language=written))).content.decode()
    assert said in page and f'<html lang="{chosen or written}">' in page


def test_the_schedule_shows_who_left(board: ReportSchedule, mate: Membership, client: Client) -> None:
    client.post(path_of(board))
    page: Any = signed_in(mate).get("/w/mobile/reports").content.decode()
    assert f"<s>{ADDRESS}</s> (unsubscribed), coo@example.com" in page
