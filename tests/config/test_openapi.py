"""The OpenAPI document: well-formed, of exactly the calls there are, with shapes that resolve."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from django.test import Client

from impact.config.api import ENDPOINTS
from impact.config.openapi import document
from impact.config.problems import PROBLEMS
from tests.conftest import Caller
from workspaces.models import SCOPES

METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}
TYPES = {"null", "boolean", "object", "array", "number", "string", "integer"}
# what JSON Schema 2020-12 knows, as far as shapes of ours use it
KEYWORDS = {
    "$ref", "additionalProperties", "anyOf", "default", "description", "enum", "exclusiveMaximum",
    "exclusiveMinimum", "format", "items",
    "maxItems", "maxLength", "maximum", "minItems", "minLength", "minimum", "oneOf", "pattern", "prefixItems",
    "properties", "required", "title", "type",
}  # fmt: skip


def operations() -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for path, methods in document()["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def test_anybody_may_read_it(db: None) -> None:
    answer = Client().get("/api/openapi.json")
    assert answer.status_code == 200
    assert answer.json() == document()
    assert Client().get("/api/docs").status_code == 200


def test_is_an_openapi_document() -> None:
    said = document()
    assert re.fullmatch(r"3\.1\.\d+", said["openapi"])
    assert {"title", "version"} <= set(said["info"])
    assert set(said) <= {"openapi", "info", "servers", "security", "paths", "components", "tags"}
    schemes = said["components"]["securitySchemes"]
    assert [set(one) for one in said["security"]] == [set(schemes)]
    assert all(scheme["type"] == "http" and scheme["scheme"] == "bearer" for scheme in schemes.values())
    assert all(re.fullmatch(r"[\w.-]+", name) for name in said["components"]["schemas"])


def test_lists_exactly_the_calls_there_are() -> None:
    said = {(method.upper(), path) for path, method, _ in operations()}
    assert said == {(endpoint.method, re.sub(r"<(\w+)>", r"{\1}", endpoint.path)) for endpoint in ENDPOINTS}
    assert len(said) == len(ENDPOINTS)


@pytest.mark.parametrize(("path", "method", "operation"), list(operations()), ids=lambda value: str(value)[:60])
def test_describes_a_call(path: str, method: str, operation: Mapping[str, Any]) -> None:
    assert method in METHODS
    assert operation["summary"].endswith(".")
    parameters = operation["parameters"]
    assert [one["name"] for one in parameters if one["in"] == "path"] == re.findall(r"{(\w+)}", path)
    assert all(one["required"] for one in parameters if one["in"] == "path")
    assert len({(one["in"], one["name"]) for one in parameters}) == len(parameters)
    assert {one["in"] for one in parameters} <= {"path", "query"}
    assert all(re.fullmatch(r"[1-5](\d\d|XX)", status) for status in operation["responses"])
    assert all(response["description"] for response in operation["responses"].values())
    assert method == "post" or "requestBody" not in operation
    contents = [response["content"] for response in operation["responses"].values()]
    contents += [operation["requestBody"]["content"]] if "requestBody" in operation else []
    for content in contents:
        for medium in content.values():
            check(medium["schema"])


def test_names_every_call_once() -> None:
    names = [operation["operationId"] for _, _, operation in operations()]
    assert len(names) == len(set(names)) == len(ENDPOINTS)


def test_says_the_scope_and_the_codes() -> None:
    scopes = {re.search(r"Scope: `(\w+)`", operation["description"])[1] for _, _, operation in operations()}  # type: ignore[index]
    assert scopes == set(SCOPES)
    responses = document()["paths"]["/jobs"]["get"]["responses"]
    for code, (status, _) in PROBLEMS.items():
        assert re.search(rf"\b{code}\b", responses[f"{status // 100}XX"]["description"])


def test_every_shape_is_well_formed() -> None:
    schemas = document()["components"]["schemas"]
    assert {"PredictionRow", "DecisionRow", "DecisionAnswer", "BatchAnswer", "OutcomeRow", "Problem"} <= set(schemas)
    for schema in schemas.values():
        check(schema)


def test_rows_of_facts_take_no_other_fields() -> None:
    schemas = document()["components"]["schemas"]
    for name in ("PredictionRow", "DecisionRow", "ExecutionRow", "OutcomeRow", "CostRow", "Scored", "Heartbeat"):
        assert schemas[name]["additionalProperties"] is False
    assert schemas["OutcomeRow"]["required"] == ["source", "event_id", "type", "value", "occurred_at"]


def test_answers_have_the_fields_that_are_described(api: Caller, running: Any) -> None:
    from tests.conftest import decision_row

    schemas = document()["components"]["schemas"]
    answer = api.post("/decisions", decision_row("c1")).body
    assert set(answer) == set(schemas["DecisionAnswer"]["properties"]) == set(schemas["DecisionAnswer"]["required"])
    batch = api.post("/decisions", {"decisions": [decision_row("c2"), {}]}).body
    assert set(batch) == set(schemas["BatchAnswer"]["properties"])
    assert all(set(row) <= set(schemas["BatchRow"]["properties"]) for row in batch["results"])
    problem = api.get("/experiments/none/decisions").body
    assert set(schemas["Problem"]["required"]) <= set(problem) <= set(schemas["Problem"]["properties"])


def test_says_every_status(api: Caller, running: Any) -> None:
    analyses = document()["paths"]["/experiments/{key}/analyses"]["post"]["responses"]
    assert set(analyses) == {"202", "4XX", "5XX"}
    assert api.post(f"/experiments/{running.key}/analyses").status_code == 202
    assert {status for _, _, operation in operations() for status in operation["responses"]} == {
        "200", "202", "4XX", "5XX",
    }  # fmt: skip


def check(schema: Mapping[str, Any]) -> None:
    """Whether it is a JSON Schema whose references lead somewhere."""
    assert set(schema) <= KEYWORDS, schema
    if "$ref" in schema:
        name = schema["$ref"].removeprefix("#/components/schemas/")
        assert name in document()["components"]["schemas"]
    types = schema.get("type", [])
    assert {types} <= TYPES if isinstance(types, str) else set(types) <= TYPES
    assert set(schema.get("required", [])) <= set(schema.get("properties", {}))
    re.compile(schema.get("pattern", ""))
    inner = [*schema.get("properties", {}).values(), *schema.get("anyOf", []), *schema.get("oneOf", [])]
    inner += [schema[name] for name in ("items", "additionalProperties") if isinstance(schema.get(name), Mapping)]
    for one in inner:
        check(one)
