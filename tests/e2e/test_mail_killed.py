"""kill -9 of the worker while a mail is on its way: it arrives, and a second copy has the first one's Message-ID."""

from __future__ import annotations

import os
import re
import signal
import socketserver
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.e2e.house import House, wait_for

DECLARED = """
reports:
  - key: board
    name: Offers
    experiments: []
    calendar: {every: day, at: "07:00"}
    time_zone: UTC
    recipients: [cfo@example.com, coo@example.com]
"""
DUE = """
from datetime import timedelta
from impact.reports.models import ReportSchedule
from workspaces import clock
ReportSchedule.objects.update(next_run_at=clock.server_now() - timedelta(minutes=1))
"""
FOUND = """
from impact.reports.models import Delivery, Report
print([report.number for report in Report.objects.all()], sorted(one.state for one in Delivery.objects.all()))
"""


class MailServer(socketserver.ThreadingTCPServer):
    """Takes mail by SMTP, and keeps the first sender waiting for its answer until it is let go."""

    allow_reuse_address, daemon_threads = True, True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Talk)
        self.taken: list[str] = []
        self.let_go = threading.Event()


class Talk(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        self._say("220 here")
        while line := self.rfile.readline():
            match line.decode().split(":")[0].strip().upper():
                case "DATA":
                    self._say("354 go on")
                    self._take()
                case "QUIT":
                    self._say("221 bye")
                    return
                case _:
                    self._say("250 fine")

    def _take(self) -> None:
        lines = iter(self.rfile.readline, b".\r\n")
        self.server.taken.append(b"".join(lines).decode())
        self.server.let_go.wait(300)
        self._say("250 taken")

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    with MailServer() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.let_go.set()
        server.shutdown()


@pytest.mark.slow
def test_arrives_under_one_message_id(build: Callable[..., House], mail_server: MailServer) -> None:
    house = build("mails")
    house.environment["EMAIL_URL"] = f"smtp://127.0.0.1:{mail_server.server_address[1]}"
    (house.folder / "reports.yaml").write_text(DECLARED)
    house.manage("create_workspace", "board", "--name", "Board", "--currency", "EUR")
    house.manage("apply", str(house.folder / "reports.yaml"))
    house.manage("shell", "-v0", "-c", DUE)
    house.up()
    wait_for(lambda: mail_server.taken, "the first mail is on its way")
    for pid, command in house.processes().items():
        if "celery" in command and "worker" in command:
            os.kill(pid, signal.SIGKILL)
    mail_server.let_go.set()

    def ended() -> Any:
        found = house.manage("shell", "-v0", "-c", FOUND).stdout.strip()
        return found if "pending" not in found and "sent" in found else ""

    assert wait_for(ended, "both have been sent") == "[1] ['sent', 'sent']"
    heads = [re.findall(r"^(To|Message-ID): (.+?)\r?$", mail, re.M) for mail in mail_server.taken]
    sent = {(dict(head)["To"], dict(head)["Message-ID"]) for head in heads}
    assert sorted(to for to, _ in sent) == ["cfo@example.com", "coo@example.com"]
    assert len(mail_server.taken) in (3, 4)
