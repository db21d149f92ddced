"""The REST machinery: who calls, may they, what did they send, what do they get; errors as problem documents."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from workspaces import clock
from workspaces.errors import Refusal
from workspaces.files import READ_BYTES
from workspaces.models import ApiKey, Workspace
from workspaces.rates import Rate, count_call
from workspaces.services.facts import Taken
from workspaces.services.keys import remembered_key, secret_digest
from workspaces.strict import check, convert, load_json, parse_json, sound

BATCH_LIMIT = 1000
JSON = "application/json"
PROBLEM = "application/problem+json"
R = TypeVar("R", bound=HttpResponseBase)


@dataclass(frozen=True, slots=True)
class Call:
    """One authenticated request."""

    workspace: Workspace
    key: ApiKey
    body: Any
    rows: list[Any]
    single: bool
    path: Mapping[str, str]
    query: Mapping[str, str]

    @property
    def actor(self) -> str:
        return str(self.key)


@dataclass(frozen=True, slots=True)
class Answer:
    """A status other than 200, or a body that is no JSON: bytes, or the path of a file."""

    body: Any
    status: int = 200


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One call of the API: the row of the table that routes, checks and documents it.

    ``rows`` names the list of a batch and the shape of its rows; where ``single`` is true, one row may also
    be sent by itself. ``body`` is the shape of any other body. ``status`` is what it answers when all went well.
    ``takes`` and ``gives`` are the media types of body and answer: a body that is no JSON is handed on in pieces.
    ``reads_workspace`` says that the view itself brings the workspace up to date.
    """

    method: str
    path: str
    scope: str
    view: Callable[[Call], Any]
    summary: str
    answer: Any
    body: type | None = None
    rows: tuple[str, type] | None = None
    single: bool = False
    query: Mapping[str, str] = field(default_factory=dict)
    status: int = 200
    takes: tuple[str, ...] = (JSON,)
    gives: str = JSON
    reads_workspace: bool = False


class BatchRow(msgspec.Struct, omit_defaults=True):
    """What became of one row, by its place in the batch."""

    index: int
    status: str
    id: str | None = None
    code: str = ""
    detail: str = ""
    pointer: str = ""
    decision: Any = None


class BatchAnswer(msgspec.Struct):
    """accepted + duplicate + quarantined + rejected is what was sent."""

    accepted: int
    duplicate: int
    quarantined: int
    rejected: int
    results: list[BatchRow]


class FieldError(msgspec.Struct):
    pointer: str
    detail: str


class Problem(msgspec.Struct, omit_defaults=True):
    """RFC 9457; ``code`` is stable, ``detail`` names the value and the remedy."""

    title: str
    status: int
    code: str
    detail: str
    type: str = "about:blank"
    errors: list[FieldError] = []


def batch_answer(taken: Sequence[Taken], decisions: Mapping[int, Any] | None = None) -> BatchAnswer:
    counts = dict.fromkeys(("accepted", "duplicate", "quarantined", "rejected"), 0)
    for one in taken:
        counts[one.status] += 1
    return BatchAnswer(
        **counts,
        results=[
            BatchRow(
                one.index,
                one.status,
                str(one.id) if one.id else None,
                one.code,
                one.detail,
                one.pointer,
                (decisions or {}).get(one.index),
            )
            for one in taken
        ],
    )


def view_of(endpoints: Sequence[Endpoint], titles: Mapping[str, tuple[int, str]]) -> Callable[..., HttpResponseBase]:
    """Make the Django view of one path from the endpoints that share it, one for each method."""
    by_method = {endpoint.method: endpoint for endpoint in endpoints}

    @csrf_exempt
    def view(request: HttpRequest, **path: str) -> HttpResponseBase:
        rate = None
        try:
            endpoint = by_method.get(request.method or "")
            if endpoint is None:
                allowed = ", ".join(sorted(by_method))
                raise Refusal("method-not-allowed", f"{request.method} is not possible here; use {allowed}.")
            key = authenticate(request)
            rate = count_call(key)
            if not rate.allowed:
                raise Refusal("too-many-calls", f"This key may make {settings.RATE_LIMIT} calls a minute; wait.")
            if endpoint.scope not in key.scopes:
                raise Refusal("scope-missing", f"This key lacks the scope {endpoint.scope!r}; it has {key.scopes}.")
            workspace = _own(key.workspace)
            if not endpoint.reads_workspace:
                workspace.refresh_from_db()
            result = endpoint.view(_call(request, workspace, key, endpoint, path))
        except Refusal as refusal:
            response = _with_rate(problem(refusal, titles), rate)
            if response.status_code == 405:
                response["Allow"] = ", ".join(sorted(by_method))
            return response
        status, body = (result.status, result.body) if isinstance(result, Answer) else (200, result)
        if isinstance(body, Path):
            return _with_rate(FileResponse(body.open("rb"), as_attachment=True, content_type=endpoint.gives), rate)
        content = body if isinstance(body, bytes) else msgspec.json.encode(body)
        return _with_rate(HttpResponse(content, status=status, content_type=endpoint.gives), rate)

    return view


def _own(workspace: Workspace) -> Workspace:
    """A copy that this call alone may bring up to date, since the key is shared with other threads."""
    own = Workspace.__new__(Workspace)
    own.__dict__.update(workspace.__dict__)
    return own


def _with_rate(response: R, rate: Rate | None) -> R:
    """Say what remains of the minute's calls."""
    if rate is not None:
        response["RateLimit-Policy"] = f'"key";q={settings.RATE_LIMIT};w=60'
        response["RateLimit"] = f'"key";r={rate.remaining};t={rate.seconds}'
        if not rate.allowed:
            response["Retry-After"] = str(rate.seconds)
    return response


def authenticate(request: HttpRequest) -> ApiKey:
    """Find the key of the Authorization header; every failure looks the same."""
    scheme, _, secret = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    prefix = "_".join(secret.split("_")[:2])
    key = None
    if scheme.lower() == "bearer" and prefix and secret.isascii() and secret.isprintable():
        key = remembered_key(prefix)
    if key is None or not hmac.compare_digest(key.sha256, secret_digest(secret)):
        raise Refusal("unauthenticated", "Send a valid API key as 'Authorization: Bearer <key>'.")
    now = clock.server_now()
    if key.revoked_at or (key.expires_at and key.expires_at <= now):
        raise Refusal("unauthenticated", "Send a valid API key as 'Authorization: Bearer <key>'.")
    if key.last_used_on != now.date():
        ApiKey.objects.filter(pk=key.pk).update(last_used_on=now.date())
        key.last_used_on = now.date()
    return key


def problem(refusal: Refusal, titles: Mapping[str, tuple[int, str]]) -> HttpResponse:
    """Answer a refusal as a problem document."""
    status, title = titles[refusal.code]
    errors = [FieldError(refusal.pointer, refusal.detail)] if refusal.pointer else []
    body = Problem(title=title, status=status, code=refusal.code, detail=refusal.detail, errors=errors)
    response = HttpResponse(msgspec.json.encode(body), status=status, content_type=PROBLEM)
    if status == 401:
        response["WWW-Authenticate"] = "Bearer"
    if status == 503:
        response["Retry-After"] = "1"
    return response


def _call(request: HttpRequest, workspace: Workspace, key: ApiKey, endpoint: Endpoint, path: Mapping[str, str]) -> Call:
    query = request.GET.dict() if request.META.get("QUERY_STRING") else {}
    if unknown := sorted(set(query) - set(endpoint.query)):
        known = ", ".join(endpoint.query) or "none"
        raise Refusal("unknown-parameter", f"The parameter {unknown[0]!r} is not known here; known: {known}.")
    if "\x00" in "".join(path.values()):
        raise Refusal("not-found", "Nothing has a NUL in its name.")
    body: Any = None
    rows: list[Any] = []
    single = False
    if JSON not in endpoint.takes:
        body = _pieces(request, endpoint.takes)
    elif endpoint.body:
        body = convert(load_json(_body(request) or b"{}"), endpoint.body)
    elif endpoint.rows:
        document = parse_json(_body(request))
        single = endpoint.single and isinstance(document, dict) and endpoint.rows[0] not in document
        rows = [document] if single else _rows(document, endpoint.rows[0])
        if single:
            check(document)
        else:
            rows = sound(rows)
    return Call(workspace, key, body, rows, single, path, query)


def _pieces(request: HttpRequest, takes: Sequence[str]) -> Iterator[bytes]:
    """Read a body when the view wants it, and never the whole of it."""
    if request.content_type not in takes:
        known = " or ".join(takes)
        raise Refusal("bad-file", f"Content-Type == {request.content_type!r}; send the file itself, as {known}.")
    while piece := request.read(READ_BYTES):
        yield piece


def _body(request: HttpRequest) -> bytes:
    try:
        return request.body
    except RequestDataTooBig as error:
        raise Refusal("too-large", "The body is larger than 8 MiB; send it in parts.") from error


def _rows(document: Any, name: str) -> list[Any]:
    if isinstance(document, Refusal):
        raise document
    if not isinstance(document, dict) or set(document) != {name} or not isinstance(document[name], list):
        raise Refusal("not-a-batch", f"Send one object with nothing but the list {name!r}.", f"/{name}")
    if len(document[name]) > BATCH_LIMIT:
        raise Refusal("too-large", f"{name} has {len(document[name])} rows, at most {BATCH_LIMIT} a call.", f"/{name}")
    return document[name]
