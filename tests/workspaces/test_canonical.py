"""One text for one content."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given

from tests.conftest import stored_examples
from tests.workspaces.test_strict import DOCUMENTS
from workspaces.canonical import digest, dumps
from workspaces.models import Job, Workspace
from workspaces.services.jobs import enqueue


def test_is_written_without_blanks_in_the_order_of_names() -> None:
    content = {"b": [1.0, 0.1, 1e22, True, None], "a": "é\n🚗", "B": {}}
    assert dumps(content) == '{"B":{},"a":"é\\n🚗","b":[1.0,0.1,1e+22,true,null]}'


def test_the_digest_is_the_sha256_of_the_text() -> None:
    assert digest({"a": 1}) == "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862"


@given(DOCUMENTS)
def test_reading_gives_the_content_back(document: Any) -> None:
    text = dumps(document)
    assert json.loads(text) == document
    assert dumps(json.loads(text)) == text


@given(DOCUMENTS)
def test_the_order_of_names_does_not_matter(document: Any) -> None:
    assert digest(reversed_names(document)) == digest(document)


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_refuses_what_is_no_number(number: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        dumps({"a": number})


@stored_examples
@given(DOCUMENTS)
def test_a_column_gives_the_same_content_and_text_back(workspace: Workspace, document: Any) -> None:
    job = enqueue(workspace=workspace, kind="k", key=digest(document), arguments=[document])
    stored = Job.objects.get(pk=job.pk).arguments
    assert dumps(stored) == dumps([document])


def test_a_column_can_be_empty(workspace: Workspace) -> None:
    enqueue(workspace=workspace, kind="k", key="1")
    assert Job.objects.get().result is None


def reversed_names(document: Any) -> Any:
    if isinstance(document, dict):
        return {name: reversed_names(document[name]) for name in reversed(document)}
    return [reversed_names(inner) for inner in document] if isinstance(document, list) else document
