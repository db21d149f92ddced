"""The way to Impact and back: retries, waiting, one connection for each thread."""

from __future__ import annotations

import http.client
import random
import threading
import time
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import msgspec

from .rows import Result, Row

BATCH = 1000
BACKOFF = 0.1


class Away(Exception):
    """Impact can't be reached, is busy, or something else answers in its place."""


class Refused(Exception):
    """Impact said no: ``code`` is stable, ``detail`` names the value and the remedy."""

    def __init__(self, code: str, detail: str, status: int = 200) -> None:
        super().__init__(f"{code}: {detail}")
        self.code, self.detail, self.status = code, detail, status


class Results(msgspec.Struct):
    results: list[Result]


class Problem(msgspec.Struct):
    code: str
    detail: str


class Wire:
    """Sends to one address with one key."""

    def __init__(self, address: str, key: str, attempts: int, rest: float) -> None:
        self._address = urlsplit(address)
        if self._address.scheme not in ("http", "https") or not self._address.hostname:
            raise ValueError(f"address == {address!r}, must be like https://impact.example.com")
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        self._attempts, self._rest, self._away_until = attempts, rest, 0.0
        self.begin_anew()

    def begin_anew(self) -> None:
        """Share no connection with the process that this one was forked from."""
        self._local = threading.local()

    def send(self, call: str, rows: list[Row], seconds: float) -> list[Result]:
        """Send a batch; where a row makes it unreadable or too large, send halves until that row stands alone."""
        if not rows:
            return []
        try:
            content = self.post(call, msgspec.json.encode({call: rows}), seconds)
        except Refused as refused:
            if refused.status not in (400, 413, 422):
                raise
            if len(rows) == 1:
                return [Result(status="rejected", code=refused.code, detail=refused.detail)]
            half = len(rows) // 2
            return self.send(call, rows[:half], seconds) + self.send(call, rows[half:], seconds)
        try:
            results = msgspec.json.decode(content, type=Results).results
        except msgspec.DecodeError as error:
            raise Away(f"what answered is not Impact: {error}") from error
        if len(results) != len(rows):
            raise Away(f"what answered is not Impact: {len(results)} answers to {len(rows)} rows")
        return results

    def post(self, path: str, body: bytes, seconds: float) -> bytes:
        """Send until it is answered, as often and as long as a call may take."""
        deadline, wait, asked, why = time.monotonic() + seconds, 0.0, 0.0, "it was away a moment ago"
        if time.monotonic() < self._away_until:
            raise Away(why)
        for attempt in range(self._attempts):
            if time.monotonic() + wait >= deadline:
                break
            time.sleep(wait)
            wait, asked = random.uniform(0.5, 1) * BACKOFF * 2**attempt, 0.0
            try:
                status, retry_after, content = self._exchange(path, body, deadline)
            except (OSError, http.client.HTTPException) as error:
                why = repr(error)
                continue
            if status == 200:
                return content
            if status != 429 and status < 500:
                raise _refused(status, content)
            why, asked = f"HTTP {status}", _seconds(retry_after)
            wait = max(wait, asked)
        self._away_until = time.monotonic() + max(asked, self._rest)
        raise Away(why)

    def _exchange(self, path: str, body: bytes, deadline: float) -> tuple[int, str, bytes]:
        """Send once on this thread's connection; twice if it had been idle, for the server may have closed it."""
        connection = getattr(self._local, "connection", None) or self._connection()
        idle = connection.sock is not None
        try:
            connection.timeout = max(0.001, deadline - time.monotonic())
            if connection.sock is not None:
                connection.sock.settimeout(connection.timeout)
            connection.request("POST", f"{self._address.path.rstrip('/')}/api/v1/{path}", body, self._headers)
            response = connection.getresponse()
            return response.status, response.getheader("Retry-After", ""), response.read()
        except BaseException as error:
            connection.close()
            if idle and isinstance(error, ConnectionError):
                return self._exchange(path, body, deadline)
            raise

    def _connection(self) -> http.client.HTTPConnection:
        secure = self._address.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = self._local.connection = kind(self._address.hostname or "", self._address.port)
        return connection


def _refused(status: int, content: bytes) -> Refused:
    try:
        problem = msgspec.json.decode(content, type=Problem)
    except msgspec.DecodeError:
        problem = Problem(f"http-{status}", content[:200].decode(errors="replace"))
    return Refused(problem.code, problem.detail, status)


def _seconds(retry_after: str) -> float:
    """Read a Retry-After, which is a number of seconds or a date."""
    if retry_after.isdigit():
        return float(retry_after)
    try:
        return max(0.0, parsedate_to_datetime(retry_after).timestamp() - time.time())
    except ValueError:
        return 0.0
