"""What holds for every request."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import lru_cache

from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import Resolver404, resolve
from django.utils import translation

from impact.config.problems import PROBLEMS
from workspaces.errors import Refusal
from workspaces.rest import problem

API = "/api/v1/"
RETRY_AFTER = "5"
AWAY = "The database can't be reached just now; nothing was stored. Send the request again later."
BROKE = "It was our fault and is in the log; nothing you sent was stored by half. Send the request again later."

log = logging.getLogger("impact.requests")
# most calls go to a few addresses, and finding one takes as long as parsing what is sent there
view_at = lru_cache(maxsize=1024)(resolve)


Handler = Callable[[HttpRequest], HttpResponse]


def answer_what_nobody_caught(get_response: Handler) -> Handler:
    """Answer 503 while the database is away, and any other error of the API as a problem that tells no secret."""

    def middleware(request: HttpRequest) -> HttpResponse:
        return get_response(request)

    middleware.process_exception = _answer  # type: ignore[attr-defined]
    return middleware


def answer_api_directly(get_response: Handler) -> Handler:
    """Spare the API what only browsers need: sessions, languages, forms."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(API):
            return get_response(request)
        try:
            view, arguments, named = view_at(request.path_info)
        except Resolver404:
            return get_response(request)
        # the thread may have served a page in another language last
        translation.deactivate()
        try:
            response: HttpResponse = view(request, *arguments, **named)
        except Exception as exception:
            response = _answer(request, exception)  # type: ignore[assignment]
        if not response.streaming:
            response["Content-Length"] = str(len(response.content))
        return response

    return middleware


def know_no_nul(get_response: Handler) -> Handler:
    """Take an address with a NUL for one of nothing: no name has one, and PostgreSQL can't even look for it."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if "\x00" in request.path_info:
            raise Http404
        return get_response(request)

    return middleware


def _answer(request: HttpRequest, exception: Exception) -> HttpResponse | None:
    of_api = request.path.startswith("/api/")
    if isinstance(exception, OperationalError | InterfaceError):
        log.error("%s %s: %s", request.method, request.path, exception)
        refusal = Refusal("unavailable", AWAY)
        response = problem(refusal, PROBLEMS) if of_api else HttpResponse(render_to_string("503.html"), status=503)
        response["Retry-After"] = RETRY_AFTER
        return response
    if of_api:
        log.error("%s %s", request.method, request.path, exc_info=exception)
        return problem(Refusal("internal", BROKE), PROBLEMS)
    return None
