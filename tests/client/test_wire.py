"""Retries against a small server that says what it is told to."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from impact_client.wire import Away, Refused
from tests.client.told import SILENCE, WELL, Told


def test_a_connection_is_kept(told: Told) -> None:
    wire = told.wire()
    for _ in range(3):
        assert wire.send("outcomes", [{}], 5)[0].status == "accepted"
    assert len(told.ports) == 1


def test_a_connection_that_was_closed_while_idle_is_made_anew_at_once(told: Told) -> None:
    told.hangs_up = True
    wire = told.wire(attempts=1)
    for _ in range(3):
        assert wire.send("outcomes", [{}], 5)[0].status == "accepted"
        time.sleep(0.05)
    assert (len(told.ports), len(told.asked)) == (3, 3)


def test_retry_after_is_waited_for(told: Told) -> None:
    told.replies = [(503, "1", b"{}"), WELL]
    told.wire().send("outcomes", [{}], 5)
    first, second = told.asked
    assert second - first >= 1


def test_who_asks_for_more_time_than_a_call_has_is_left_alone_so_long(told: Told) -> None:
    told.replies = [(429, "1", b"{}"), WELL]
    wire = told.wire()
    for _ in range(3):
        with pytest.raises(Away):
            wire.send("outcomes", [{}], 0.5)
    assert len(told.asked) == 1
    time.sleep(1)
    assert wire.send("outcomes", [{}], 0.5)[0].status == "accepted"


def test_retry_after_may_be_a_date(told: Told) -> None:
    told.replies = [(503, format_datetime(datetime.now(UTC) + timedelta(minutes=1), usegmt=True), b"{}"), WELL]
    wire = told.wire()
    for _ in range(2):
        with pytest.raises(Away):
            wire.send("outcomes", [{}], 1)
    assert len(told.asked) == 1


def test_errors_are_tried_again_later_and_later_but_not_for_ever(told: Told) -> None:
    told.replies = [(500, "soon", b"oops")]
    with pytest.raises(Away, match="HTTP 500"):
        told.wire(attempts=4).send("outcomes", [{}], 5)
    waits = [later - earlier for earlier, later in zip(told.asked, told.asked[1:], strict=False)]
    assert len(waits) == 3
    assert all(wait >= least for least, wait in zip((0.05, 0.1, 0.2), waits, strict=True))


def test_refusals_are_not_tried_again(told: Told) -> None:
    told.replies = [(403, "", b'{"code": "scope-missing", "detail": "This key lacks it", "status": 403}')]
    with pytest.raises(Refused, match="scope-missing: This key lacks it") as refused:
        told.wire().send("outcomes", [{}], 5)
    assert (refused.value.code, refused.value.status, len(told.asked)) == ("scope-missing", 403, 1)


@pytest.mark.parametrize("content", [b"<html>", b"{}", b'{"results": []}', b'{"results": [{"status": 1}]}'])
def test_another_server_is_not_believed(told: Told, content: bytes) -> None:
    told.replies = [(200, "", content)]
    with pytest.raises(Away, match="not Impact"):
        told.wire().send("outcomes", [{}], 5)


def test_a_page_of_somebody_elses_is_a_refusal(told: Told) -> None:
    told.replies = [(404, "", b"<h1>Not here</h1>")]
    with pytest.raises(Refused, match="http-404: <h1>Not here"):
        told.wire().send("outcomes", [{}], 5)


def test_a_row_that_spoils_its_batch_is_sent_alone(told: Told) -> None:
    told.replies = [(413, "", b'{"code": "too-large", "detail": "in parts"}'), WELL, (400, "", b"{}"), WELL]
    good, bad = told.wire().send("outcomes", [{}, {}], 5)
    assert (good.status, bad.status, bad.code) == ("accepted", "rejected", "http-400")


def test_a_server_that_says_nothing_takes_no_longer_than_allowed(told: Told) -> None:
    told.replies = [SILENCE]
    before = time.monotonic()
    with pytest.raises(Away):
        told.wire(attempts=100).send("outcomes", [{}], 0.4)
    assert time.monotonic() - before < 2
