"""Mail: once to each address, with the figures in text, page and PDF; a bad address stops nobody else."""

from __future__ import annotations

from email import message_from_string
from html import unescape
from pathlib import Path
from smtplib import SMTPRecipientsRefused
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend

from impact.analysis.models import Analysis
from impact.reports.models import Delivery, Report
from impact.reports.services import deliver
from tests.reports.board import frozen, schedule
from workspaces.models import Workspace


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


def test_everybody_gets_it_with_its_figures(report: Report) -> None:
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


def test_nobody_gets_it_twice(report: Report) -> None:
    deliver(report)
    deliver(report)
    assert len(mail.outbox) == 2
    assert {one.state for one in report.deliveries.all()} == {"sent"}
    assert len({message.extra_headers["Message-ID"] for message in mail.outbox}) == 2


def test_a_bad_address_stops_nobody_else_and_is_tried_again(report: Report, settings: Any) -> None:
    settings.EMAIL_BACKEND = "tests.reports.test_delivery.Fussy"
    with pytest.raises(SMTPRecipientsRefused):
        deliver(report)
    assert [message.to for message in mail.outbox] == [["coo@example.com"]]
    failed = Delivery.objects.get(recipient="cfo@example.com")
    assert failed.state == "failed" and "no such mailbox" in failed.error
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    deliver(report)
    assert [message.to for message in mail.outbox] == [["coo@example.com"], ["cfo@example.com"]]
    again = Delivery.objects.get(recipient="cfo@example.com")
    assert (again.state, again.error, again.message_id) == ("sent", "", failed.message_id)
    assert mail.outbox[1].extra_headers["Message-ID"] == failed.message_id


def test_goes_to_a_file_where_no_server_is_named(report: Report, settings: Any, tmp_path: Path) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = tmp_path / "mail"
    deliver(report)
    written = [
        message_from_string(file.read_text().split("\n" + "-" * 79)[0]) for file in settings.EMAIL_FILE_PATH.iterdir()
    ]
    assert sorted(str(message["To"]) for message in written) == ["cfo@example.com", "coo@example.com"]
    kinds = {part.get_content_type() for part in written[0].walk()}
    assert {"text/plain", "text/html", "application/pdf"} <= kinds


def test_is_in_the_schedules_language(workspace: Workspace, analysed: Analysis) -> None:
    deliver(frozen(schedule(workspace, language="ja", name="報告", recipients=["a@example.com"])))
    [message] = mail.outbox
    assert message.subject == "[シミュレーション] Impact: 報告, レポート第1号"
    assert "シミュレーション用ワークスペース" in message.body
    assert "1件当たり" in message.body
