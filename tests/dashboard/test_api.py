"""GET /experiments/{key}/results."""

from __future__ import annotations

from datetime import timedelta

import pytest

from experiments.models import Experiment
from impact.analysis.models import Analysis
from impact.analysis.services import analyze
from tests.conftest import Caller, caller
from workspaces.models import Workspace

RESULTS = "/experiments/offers/results"


def test_gives_the_stored_document_with_its_sentences(api: Caller, analysed: Analysis) -> None:
    body = api.get(RESULTS).body
    for name in ("experiment", "as_of", "analysis_id", "snapshot", "plan", "metrics", "money", "segments", "verdicts"):
        assert body[name] == analysed.document[name], name
    assert body["verdict"]["sentence"] and body["verdict"]["next_step"]
    assert all(check["message"] for check in body["checks"])
    assert api.get(RESULTS).content == api.get(RESULTS).content


@pytest.mark.parametrize(("language", "said"), [("en", "per customer more than"), ("ja", "1件当たり")])
def test_is_said_in_the_language_asked_for(api: Caller, analysed: Analysis, language: str, said: str) -> None:
    assert said in api.get(RESULTS, language=language).body["verdict"]["sentence"]


def test_gives_the_newest_as_of_a_time(api: Caller, analysed: Analysis) -> None:
    experiment = analysed.experiment
    later = analyze(experiment=experiment, as_of=analysed.as_of + timedelta(days=1))
    assert api.get(RESULTS).body["analysis_id"] == str(later.pk)
    for as_of in (analysed.as_of.isoformat(), analysed.as_of.isoformat().replace("+00:00", "Z")):
        assert api.get(RESULTS, as_of=as_of).body["analysis_id"] == str(analysed.pk)
    before = (analysed.as_of - timedelta(seconds=1)).isoformat()
    assert api.get(RESULTS, as_of=before).status_code == 404


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"as_of": "yesterday"}, "invalid-parameter"),
        ({"as_of": "2026-01-01"}, "invalid-parameter"),
        ({"as_of": "2026-01-01T00:00:00"}, "invalid-parameter"),
        ({"language": "de"}, "invalid-parameter"),
        ({"lang": "en"}, "unknown-parameter"),
    ],
)
def test_refuses(api: Caller, analysed: Analysis, query: dict[str, str], code: str) -> None:
    answer = api.get(RESULTS, **query)
    assert (answer.status_code, answer.body["code"]) == (400, code)


def test_an_unknown_segment_is_missing(api: Caller, analysed: Analysis) -> None:
    answer = api.get(RESULTS, segment="plan:gold")
    assert (answer.status_code, answer.body["code"]) == (404, "not-found")


def test_before_the_first_analysis_there_is_none(api: Caller, running: Experiment) -> None:
    answer = api.get(RESULTS)
    assert (answer.status_code, answer.body["detail"]) == (404, "There is no analysis of 'offers' in this workspace.")


def test_anothers_is_missing(analysed: Analysis, other_workspace: Workspace) -> None:
    assert caller(other_workspace).get(RESULTS).status_code == 404


def test_reading_needs_its_scope(analysed: Analysis, workspace: Workspace) -> None:
    assert caller(workspace, "manage").get(RESULTS).status_code == 403
    assert caller(workspace, "read").get(RESULTS).status_code == 200
