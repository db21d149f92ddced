"""The demo from an empty database to the report, with every broker; a second start only shows it again."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.e2e.house import House
from tests.skips import skip_aloud

BROKERS = {
    "filesystem": "",
    "redis": "redis://127.0.0.1:6379/7",
    "rabbitmq": "amqp://guest:guest@127.0.0.1:5672//",
}


@pytest.mark.slow
@pytest.mark.parametrize("broker", BROKERS)
def test_demo(build: Callable[..., House], broker: str) -> None:
    url = BROKERS[broker]
    if url:
        place = urlsplit(url)
        try:
            socket.create_connection((place.hostname, place.port), timeout=2).close()
        except OSError:
            skip_aloud(f"{broker} doesn't answer at {place.hostname}:{place.port}")
    house = build(f"demo_{broker}", url)
    first = house.manage("demo", "--no-serve")
    assert house.processes() == {}
    assert re.search(r"Churn incentives: (PROVEN|LIKELY)\n  Bonus earned [\d.]+\sEUR per customer more", first.stdout)
    assert re.search(r"Maintenance timing: PROVEN\n  Wait for the window earned [\d,]+\sEUR", first.stdout)
    report = Path(re.findall(r"Report \d+: (.*\.pdf)", first.stdout)[0])
    assert report.read_bytes().startswith(b"%PDF")
    mails = list((house.folder / "mail").glob("*.log"))
    assert any("cfo@example.com" in mail.read_text() for mail in mails)
    assert "0 differences" in house.manage("verify").stdout
    assert house.manage("demo", "--no-serve").stdout == first.stdout
