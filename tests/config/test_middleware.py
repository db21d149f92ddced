"""What nobody caught: the API answers a problem document, pages a page, the log has the traceback."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client, RequestFactory
from django.utils.translation import get_language

from experiments.models import Experiment
from impact.analysis.models import Analysis
from impact.config.middleware import answer_what_nobody_caught
from tests.conftest import Caller, signed_in
from workspaces.models import Membership


@pytest.fixture
def broken(analysed: Analysis) -> Analysis:
    """An analysis whose document was spoilt, so that saying it ends in a KeyError."""
    Analysis.objects.filter(pk=analysed.pk).update(document={"secret": "4711"})
    return analysed


def test_the_api_answers_a_problem_that_tells_nothing(
    api: Caller, broken: Analysis, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, "impact.requests"):
        answer = api.get("/experiments/offers/results")
    assert (answer.status_code, answer["Content-Type"]) == (500, "application/problem+json")
    assert (answer.body["status"], answer.body["code"]) == (500, "internal")
    for said in ("KeyError", "4711", "Traceback", "document"):
        assert said not in answer.content.decode()
    [record] = [one for one in caplog.records if one.name == "impact.requests"]
    assert record.getMessage() == "GET /api/v1/experiments/offers/results"
    assert record.exc_info and record.exc_info[0] is KeyError


def test_a_page_answers_a_page(owner: Membership, broken: Analysis) -> None:
    client = signed_in(owner)
    client.raise_request_exception = False
    answer = client.get("/w/mobile/experiments/offers")
    assert (answer.status_code, answer["Content-Type"]) == (500, "text/html; charset=utf-8")
    assert "Something broke" in answer.content.decode()
    assert "KeyError" not in answer.content.decode()


@pytest.mark.parametrize(
    ("path", "content_type", "said"),
    [("/w/mobile/", "text/html; charset=utf-8", "Away for a moment"), ("/api/v1/jobs", "application/problem+json", "")],
)
def test_a_database_that_is_away_is_said_in_the_callers_form(path: str, content_type: str, said: str) -> None:
    handler: Any = answer_what_nobody_caught(lambda request: pytest.fail("is not asked"))
    answer = handler.process_exception(RequestFactory().get(path), OperationalError("password of the database"))
    assert (answer.status_code, answer["Retry-After"], answer["Content-Type"]) == (503, "5", content_type)
    assert said in answer.content.decode() and "password" not in answer.content.decode()


@pytest.mark.parametrize("path", ["/api/v1/", "/api/v1/nothing", "/api/v1/jobs/1/2"])
def test_an_address_that_the_api_does_not_have_is_a_problem_too(path: str, db: None) -> None:
    answer = Client().get(path)
    assert (answer.status_code, json.loads(answer.content)["code"]) == (404, "not-found")


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/w/nowhere/", 404, {"en": "Nothing here", "ja": "ありません"}),
        ("/w/mobile/members/invite", 403, {"en": "Not allowed", "ja": "許可"}),
    ],
)
def test_error_pages_are_in_the_readers_language(
    mate: Membership, path: str, status: int, said: dict[str, str], language: str
) -> None:
    client = signed_in(mate)
    client.cookies["django_language"] = language
    answer = client.get(path)
    assert answer.status_code == status
    assert f'<html lang="{language}">' in answer.content.decode()
    assert said[language] in answer.content.decode()


def test_a_form_without_its_token_says_what_to_do(owner: Membership) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner.person)
    answer = client.post("/w/mobile/members/invite", {"role": "viewer"})
    assert answer.status_code == 403
    assert "This form is too old" in answer.content.decode()


def test_an_address_with_a_nul_is_one_of_nothing(owner: Membership) -> None:
    answer = signed_in(owner).get(f"/w/{owner.workspace.key}/experiments/a%00b")
    assert answer.status_code == 404
    assert "<h1>" in answer.text


@pytest.mark.parametrize("place", ["quarantine?kind=%00", "quarantine?code=a%00b", "models/churn?version=%00"])
def test_what_is_asked_with_a_nul_is_no_error(owner: Membership, churn: Experiment, place: str) -> None:
    assert signed_in(owner).get(f"/w/{owner.workspace.key}/{place}").status_code in (200, 404)


def test_the_api_speaks_english_whatever_page_the_thread_served_last(owner: Membership, api: Caller) -> None:
    signed_in(owner).get("/w/mobile/claims", HTTP_ACCEPT_LANGUAGE="ja")
    assert get_language() == "ja"
    api.get("/claims")
    assert get_language() == "en"
