"""The floor of the write paths: a bare Django view that parses and does one insert, behind the same server."""

from __future__ import annotations

import json
import os
from typing import Any

import msgspec
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from workspaces.identifiers import new_id

TABLE = "CREATE TABLE floor (id {uuid} PRIMARY KEY, unit_id varchar(200) NOT NULL, body {json} NOT NULL)"


def make_table() -> None:
    on_postgres = connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        cursor.execute(
            TABLE.format(uuid="uuid" if on_postgres else "char(32)", json="jsonb" if on_postgres else "text")
        )


@csrf_exempt
def insert(request: HttpRequest) -> HttpResponse:
    """Insert one row, or all rows of a batch in one statement."""
    document = msgspec.json.decode(request.body)
    rows = document.get("decisions", [document])
    values: list[Any] = []
    for row in rows:
        values += [new_id().hex, row["unit_id"], json.dumps(row)]
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO floor (id, unit_id, body) VALUES {', '.join(['(%s, %s, %s)'] * len(rows))} RETURNING id",
            values,
        )
        ids = [str(one) for (one,) in cursor.fetchall()]
    content = msgspec.json.encode({"ids": ids})
    return HttpResponse(content, content_type="application/json", headers={"Content-Length": str(len(content))})


urlpatterns = [path("floor", insert)]

if os.environ.get("DJANGO_SETTINGS_MODULE") == "tests.bench.floor_settings":
    application = get_wsgi_application()
