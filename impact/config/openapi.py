"""The OpenAPI document, made from the API's table and the structs of its bodies and answers."""

from __future__ import annotations

import re
from functools import cache
from types import UnionType
from typing import Any, get_args

import msgspec
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from impact.config.api import ENDPOINTS
from impact.config.problems import PROBLEMS
from workspaces.rest import BATCH_LIMIT, JSON, Endpoint, Problem

REF = "#/components/schemas/{name}"


@cache
def document() -> dict[str, Any]:
    """Describe every call of the table."""
    shapes = [shape for endpoint in ENDPOINTS for shape in _shapes(endpoint)] + [Problem]
    schemas, components = msgspec.json.schema_components(shapes, ref_template=REF)
    schema_of = {str(shape): schema for shape, schema in zip(shapes, schemas, strict=True)}
    paths: dict[str, Any] = {}
    for endpoint in ENDPOINTS:
        at = re.sub(r"<(\w+)>", r"{\1}", endpoint.path)
        paths.setdefault(at, {})[endpoint.method.lower()] = _operation(endpoint, schema_of)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Impact",
            "version": "1",
            "description": "From predictions to decisions, outcomes and money. Every fact is known by `source` and "
            "`event_id`: sent again, it gets its first answer; with other content it is a conflict.",
        },
        "servers": [{"url": "/api/v1"}],
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "An API key."}},
        },
    }


def openapi(request: HttpRequest) -> JsonResponse:
    return JsonResponse(document())


def docs(request: HttpRequest) -> HttpResponse:
    """The API's pages; their own policy allows the styles that this viewer writes."""
    response = render(request, "config/api_docs.html")
    response._csp_update = {"style-src": ["'self'", "'unsafe-inline'"], "img-src": ["'self'", "data:"]}  # type: ignore[attr-defined]
    return response


def _shapes(endpoint: Endpoint) -> list[Any]:
    return [shape for shape in (endpoint.body, endpoint.rows and endpoint.rows[1], *_answers(endpoint)) if shape]


def _answers(endpoint: Endpoint) -> tuple[Any, ...]:
    """Shapes of the answer: several where one row or a batch may be sent."""
    return get_args(endpoint.answer) if isinstance(endpoint.answer, UnionType) else (endpoint.answer,)


def _operation(endpoint: Endpoint, schema_of: dict[str, Any]) -> dict[str, Any]:
    names = re.findall(r"<(\w+)>", endpoint.path)
    answers = [schema_of[str(shape)] for shape in _answers(endpoint)]
    operation: dict[str, Any] = {
        "operationId": re.sub(r"\W+", "_", f"{endpoint.method.lower()}{endpoint.path}").strip("_"),
        "summary": endpoint.summary,
        "description": f"Scope: `{endpoint.scope}`.",
        "parameters": [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]
        + [
            {"name": name, "in": "query", "description": text, "schema": {"type": "string"}}
            for name, text in endpoint.query.items()
        ],
        "responses": {
            str(endpoint.status): {
                "description": "Done." if endpoint.status == 200 else "Taken on; it is done later.",
                "content": {endpoint.gives: {"schema": {"oneOf": answers} if answers[1:] else answers[0]}},
            },
            "4XX": _refused("Refused", range(400, 500), schema_of),
            "5XX": _refused("Not possible just now", range(500, 600), schema_of),
        },
    }
    if endpoint.body or endpoint.rows or JSON not in endpoint.takes:
        schema = _body_schema(endpoint, schema_of)
        operation["requestBody"] = {
            "required": True,
            "content": {takes: {"schema": schema} for takes in endpoint.takes},
        }
    return operation


def _refused(said: str, statuses: range, schema_of: dict[str, Any]) -> dict[str, Any]:
    codes = sorted(code for code, (status, _) in PROBLEMS.items() if status in statuses)
    return {
        "description": f"{said}; `code` is one of {', '.join(codes)}.",
        "content": {"application/problem+json": {"schema": schema_of[str(Problem)]}},
    }


def _body_schema(endpoint: Endpoint, schema_of: dict[str, Any]) -> Any:
    if JSON not in endpoint.takes:
        return {"type": "string"}
    if endpoint.rows is None:
        return schema_of[str(endpoint.body)]
    name, row = endpoint.rows
    batch = {
        "type": "object",
        "properties": {name: {"type": "array", "items": schema_of[str(row)], "maxItems": BATCH_LIMIT}},
        "required": [name],
        "additionalProperties": False,
    }
    return {"oneOf": [schema_of[str(row)], batch]} if endpoint.single else batch
