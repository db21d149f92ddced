"""What pages have in common: who asks, from where, in which language, and tables as files."""

from __future__ import annotations

import csv
import io
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import get_language


def language() -> str:
    return get_language() or "en"


def csv_file(name: str, head: list[str], rows: list[list[Any]]) -> HttpResponse:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(head)
    writer.writerows(rows)
    response = HttpResponse(text.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


def site(request: HttpRequest) -> str:
    return request.build_absolute_uri("/").rstrip("/")


def actor(request: HttpRequest) -> str:
    return str(request.user.email)  # type: ignore[union-attr]


def part_or_page(request: HttpRequest, name: str) -> str:
    """What htmx asks for takes the place of a part; a person gets the whole page."""
    return f"dashboard/{'_' if request.htmx else ''}{name}.html"  # type: ignore[attr-defined]
