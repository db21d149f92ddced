"""Mail: once to each address, with the figures in text, page and PDF; a bad address stops nobody else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from email import message_from_string
from html import unescape
from pathlib import Path
from smtplib import SMTPRecipientsRefused
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend

from impact.analysis.models import Analysis
from impact.config import jobs
from impact.reports.deliveries import RETRIES, address_report, send_again
from impact.reports.models import Delivery, Report
from impact.reports.services import claim_due_schedules
from impact.reports.unsubscribing import subscribe_again, unsubscribe
from tests.conftest import race
from tests.reports.board import frozen, schedule
from workspaces import clock
from workspaces.models import AuditEntry, Job, Workspace

LOCMEM = "django.core.mail.backends.locmem.EmailBackend"


class Fussy(EmailBackend):
    """Mail that doesn't go to one address."""

    refused = "cfo@example.com"

    def send_messages(self, messages: Any) -> int:
        for message in messages:
            if Fussy.refused in message.to:
                raise SMTPRecipientsRefused({Fussy.refused: (550, b"no such mailbox")})
        return super().send_messages(messages)


@pytest.fixture
def report(workspace: Workspace, analysed: Analysis) -> Report:
    return frozen(schedule(workspace))


@pytest.fixture
def deliver(drain: Callable[[], None]) -> Callable[[Report], None]:
    def deliver(report: Report) -> None:
        address_report(report)
        drain()

    return deliver


def later() -> None:
    """What waits has waited long enough."""
    Job.objects.filter(state="queued").update(due_at=clock.server_now())


def test_everybody_gets_it_with_its_figures(report: Report, deliver: Callable[[Report], None]) -> None:
    deliver(report)
    assert sorted(message.to for message in mail.outbox) == [["cfo@example.com"], ["coo@example.com"]]
    message = mail.outbox[0]
    sentence = report.content["experiments"][0]["results"]["verdict"]["sentence"]
    assert message.subject == "[simulated] Impact: Offers, report 1"
    assert sentence in message.body and report.sha256 in message.body
    assert "/w/mobile/reports/1" in message.body
    html, kind = message.alternatives[0]  # type: ignore[misc]
    assert kind == "text/html"
    for text in (sentence, "Simulated workspace.", *report.content["experiments"][0]["points"][1]["rows"][0]):
        assert text in unescape(str(html))
    assert "<style" not in str(html)
    [(name, content, kind)] = message.attachments  # type: ignore[misc]
    assert (name, kind) == ("report-1.pdf", "application/pdf")
    assert bytes(content).startswith(b"%PDF")  # type: ignore[arg-type]


def test_nobody_gets_it_twice(report: Report, deliver: Callable[[Report], None]) -> None:
    deliver(report)
    deliver(report)
    assert len(mail.outbox) == 2
    assert {(one.state, one.attempts) for one in report.deliveries.all()} == {("sent", 1)}
    assert len({message.extra_headers["Message-ID"] for message in mail.outbox}) == 2


def test_an_address_written_twice_is_one(
    workspace: Workspace, analysed: Analysis, deliver: Callable[[Report], None]
) -> None:
    deliver(frozen(schedule(workspace, recipients=["Cfo@example.com", "coo@example.com", "cfo@example.com"])))
    assert sorted(message.to[0] for message in mail.outbox) == ["Cfo@example.com", "coo@example.com"]


@pytest.mark.django_db(transaction=True)
def test_three_workers_at_once_make_and_send_one(workspace: Workspace, analysed: Analysis) -> None:
    schedule(workspace)

    def work(_: int) -> None:
        claim_due_schedules()
        jobs.drain()

    race(3, work)
    later()
    race(3, work)
    assert [report.number for report in Report.objects.all()] == [1]
    assert sorted(message.to[0] for message in mail.outbox) == ["cfo@example.com", "coo@example.com"]
    assert {(one.state, one.attempts) for one in Delivery.objects.all()} == {("sent", 1)}


def test_a_bad_address_stops_nobody_else_and_is_tried_again(
    report: Report, deliver: Callable[[Report], None], drain: Callable[[], None], settings: Any
) -> None:
    settings.EMAIL_BACKEND = "tests.reports.test_delivery.Fussy"
    before = clock.server_now()
    deliver(report)
    assert [message.to for message in mail.outbox] == [["coo@example.com"]]
    waits = Delivery.objects.get(recipient="cfo@example.com")
    assert (waits.state, waits.attempts) == ("pending", 1) and "no such mailbox" in waits.error
    assert waits.next_try_at - before > timedelta(minutes=RETRIES[0])
    settings.EMAIL_BACKEND = LOCMEM
    drain()
    assert len(mail.outbox) == 1, "not before its time"
    later()
    drain()
    assert [message.to for message in mail.outbox] == [["coo@example.com"], ["cfo@example.com"]]
    again = Delivery.objects.get(recipient="cfo@example.com")
    assert (again.state, again.error, again.attempts, again.message_id) == ("sent", "", 2, waits.message_id)
    assert mail.outbox[1].extra_headers["Message-ID"] == waits.message_id


def test_is_given_up_after_the_last_try_until_somebody_asks(
    report: Report, deliver: Callable[[Report], None], drain: Callable[[], None], settings: Any
) -> None:
    settings.EMAIL_BACKEND = "tests.reports.test_delivery.Fussy"
    deliver(report)
    for _ in range(len(RETRIES) + 2):
        later()
        drain()
    lost = Delivery.objects.get(recipient="cfo@example.com")
    assert (lost.state, lost.attempts, lost.next_try_at, lost.given_up) == ("failed", len(RETRIES) + 1, None, True)
    settings.EMAIL_BACKEND = LOCMEM
    assert send_again(report=report, actor="owner@example.com") == 1
    assert send_again(report=report, actor="owner@example.com") == 0
    drain()
    assert [message.to for message in mail.outbox] == [["coo@example.com"], ["cfo@example.com"]]
    assert AuditEntry.objects.filter(action="send report again", subject="1").count() == 1


def test_a_job_that_died_too_often_can_be_asked_for_again(report: Report, drain: Callable[[], None]) -> None:
    address_report(report)
    Job.objects.filter(kind="deliver").update(
        state="running", attempts=3, lease_until=clock.server_now() - timedelta(hours=1)
    )
    Delivery.objects.update(attempts=3)
    drain()
    lost = Delivery.objects.first()
    assert lost is not None
    assert (mail.outbox, lost.state, lost.given_up) == ([], "pending", True)
    assert lost.reason == "The worker stopped 3 times while at it."
    assert send_again(report=report, actor="owner@example.com") == 2
    drain()
    assert len(mail.outbox) == 2


def test_who_unsubscribed_is_skipped(
    report: Report, deliver: Callable[[Report], None], drain: Callable[[], None], settings: Any
) -> None:
    settings.EMAIL_BACKEND = "tests.reports.test_delivery.Fussy"
    unsubscribe(schedule=report.schedule, address="COO@example.com")
    deliver(report)
    unsubscribe(schedule=report.schedule, address="cfo@example.com")
    settings.EMAIL_BACKEND = LOCMEM
    later()
    drain()
    assert mail.outbox == []
    assert {(one.recipient, one.state, one.attempts) for one in report.deliveries.all()} == {
        ("coo@example.com", "unsubscribed", 0),
        ("cfo@example.com", "unsubscribed", 1),
    }


def test_every_mail_says_how_to_leave(report: Report, deliver: Callable[[Report], None]) -> None:
    deliver(report)
    for message in mail.outbox:
        leave = message.extra_headers["List-Unsubscribe"].strip("<>")
        assert message.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert leave.startswith("http://127.0.0.1:8000/unsubscribe/")
        assert leave in message.body and f'href="{leave}"' in str(message.alternatives[0][0])  # type: ignore[index]
    assert len({message.extra_headers["List-Unsubscribe"] for message in mail.outbox}) == 2


def test_who_comes_back_gets_the_next(
    workspace: Workspace, analysed: Analysis, deliver: Callable[[Report], None]
) -> None:
    board = schedule(workspace, recipients=["cfo@example.com"])
    unsubscribe(schedule=board, address="cfo@example.com")
    deliver(frozen(board))
    subscribe_again(schedule=board, address="cfo@example.com")
    deliver(frozen(board, clock.now(workspace) + timedelta(days=200)))
    assert [message.subject for message in mail.outbox] == ["[simulated] Impact: Offers, report 2"]


def test_goes_to_a_file_where_no_server_is_named(
    report: Report, deliver: Callable[[Report], None], settings: Any, tmp_path: Path
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = tmp_path / "mail"
    deliver(report)
    written = [
        message_from_string(file.read_text().split("\n" + "-" * 79)[0]) for file in settings.EMAIL_FILE_PATH.iterdir()
    ]
    assert sorted(str(message["To"]) for message in written) == ["cfo@example.com", "coo@example.com"]
    kinds = {part.get_content_type() for part in written[0].walk()}
    assert {"text/plain", "text/html", "application/pdf"} <= kinds
    assert all(
        str(message["List-Unsubscribe"]).strip().startswith("<http://127.0.0.1:8000/unsubscribe/")
        for message in written
    )


def test_is_in_the_schedules_language(
    workspace: Workspace, analysed: Analysis, deliver: Callable[[Report], None]
) -> None:
    deliver(frozen(schedule(workspace, language="ja", name="報告", recipients=["a@example.com"])))
    [message] = mail.outbox
    assert message.subject == "[シミュレーション] Impact: 報告, レポート第1号"
    assert "シミュレーション用ワークスペース" in message.body
    assert "1件当たり" in message.body
    assert "配信を停止" in message.body
