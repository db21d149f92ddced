"""A caller of the REST API, as a CRM or a maintenance system would be one."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode, urlsplit

BATCH = 1000
TRIES = 5


class Refused(Exception):
    """The API refused a call, or a row of a batch."""


class Api:
    """One connection with one key."""

    def __init__(self, address: str, key: str) -> None:
        self.place = urlsplit(address)
        self.headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        self.connection: http.client.HTTPConnection | None = None

    def send(self, name: str, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Post rows in batches and return what became of each; a row that isn't stored ends the play."""
        results: list[dict[str, Any]] = []
        for start in range(0, len(rows), BATCH):
            answer = self.call("POST", f"/{name}", {name: rows[start : start + BATCH]})
            if answer["accepted"] + answer["duplicate"] < len(answer["results"]):
                bad = next(row for row in answer["results"] if row["status"] not in ("accepted", "duplicate"))
                raise Refused(f"{name}: {bad['code']}: {bad['detail']}")
            results += answer["results"]
        return results

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Make one call; sent again after a broken connection, a fact still counts once."""
        content = None if body is None else json.dumps(body)
        for attempt in range(TRIES):
            try:
                status, text = self._exchange(method, path, content)
            except (OSError, http.client.HTTPException):
                self.connection = None
                if attempt == TRIES - 1:
                    raise
                time.sleep(0.2 * 2**attempt)
                continue
            if status == 503 and attempt < TRIES - 1:
                time.sleep(0.2 * 2**attempt)
                continue
            if status >= 400:
                raise Refused(f"{method} {path}: {status} {text[:500]}")
            return json.loads(text)
        raise AssertionError("unreachable")

    def _exchange(self, method: str, path: str, content: str | None) -> tuple[int, str]:
        if self.connection is None:
            self.connection = http.client.HTTPConnection(self.place.hostname or "", self.place.port, timeout=60)
        self.connection.request(method, f"/api/v1{path}", content, self.headers)
        response = self.connection.getresponse()
        return response.status, response.read().decode()


class Session:
    """A person at the web pages: signs in, signs an agreement."""

    def __init__(self, address: str) -> None:
        self.place = urlsplit(address)
        self.cookies: dict[str, str] = {}

    def sign_in(self, email: str, password: str) -> None:
        self._get("/sign-in")
        self._post("/sign-in", {"username": email, "password": password})

    def sign(self, workspace: str, experiment: str) -> None:
        """Read the agreement and put one's name under what was read, unless it is there."""
        path = f"/w/{workspace}/experiments/{experiment}/agreement"
        page = self._get(path)
        marker = 'name="sha256" value="'
        if marker in page:
            self._post(path, {"sha256": page.split(marker)[1].split('"')[0], "confirmed": "1"})

    def _get(self, path: str) -> str:
        return self._exchange("GET", path, None)

    def _post(self, path: str, fields: dict[str, str]) -> str:
        return self._exchange("POST", path, urlencode(fields | {"csrfmiddlewaretoken": self.cookies["csrftoken"]}))

    def _exchange(self, method: str, path: str, body: str | None) -> str:
        connection = http.client.HTTPConnection(self.place.hostname or "", self.place.port, timeout=60)
        headers = {
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
            "Content-Type": "application/x-www-form-urlencoded",
        }
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        for header in response.headers.get_all("Set-Cookie", []):
            name, _, rest = header.partition("=")
            self.cookies[name] = rest.partition(";")[0]
        text = response.read().decode()
        if response.status >= 400:
            raise Refused(f"{method} {path}: {response.status}")
        return text
