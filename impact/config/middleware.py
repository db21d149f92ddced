"""What holds for every request."""

from __future__ import annotations

from collections.abc import Callable

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse


def unavailable_when_database_is_down(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Answer 503 with Retry-After while the database is away, instead of an error page."""

    def middleware(request: HttpRequest) -> HttpResponse:
        return get_response(request)

    def process_exception(request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, OperationalError | InterfaceError):
            return None
        body = {
            "type": "about:blank",
            "title": "Database unavailable",
            "status": 503,
            "code": "unavailable",
            "detail": "The database can't be reached just now; nothing was stored. Send the request again later.",
        }
        response = JsonResponse(body, status=503, content_type="application/problem+json")
        response["Retry-After"] = "5"
        return response

    middleware.process_exception = process_exception  # type: ignore[attr-defined]
    return middleware
