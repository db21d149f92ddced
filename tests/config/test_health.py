"""Is the process alive, and can it work?"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client, RequestFactory

from impact.config import health


@pytest.mark.parametrize(("path", "said"), [("/health/live", {"live": True}), ("/health/ready", {"ready": True})])
def test_says_so_without_a_key(path: str, said: dict[str, bool], db: None) -> None:
    answer = Client().get(path)
    assert (answer.status_code, answer.json()) == (200, said)


@pytest.mark.django_db(transaction=True)
def test_is_not_ready_where_the_connection_broke() -> None:
    def ask() -> HttpResponse:
        """In a thread of its own, whose connection nobody else needs."""
        try:
            connection.ensure_connection()
            connection.connection.close()
            return health.ready(RequestFactory().get("/health/ready"))
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(ask).result()
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert json.loads(answer.content) == {"ready": False, "database": "unreachable"}
