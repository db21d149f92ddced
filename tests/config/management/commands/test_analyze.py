"""manage.py analyze: one analysis now, said in lines or as the results document."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from experiments.models import Experiment
from impact.analysis.models import Analysis
from tests.conftest import Caller, played
from workspaces.models import Workspace


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("analyze", *arguments, stdout=out)
    return out.getvalue().replace("\u00a0", " ")


def test_says_the_verdict_and_every_figure(analysed: Analysis) -> None:
    text = run("offers")
    lines = text.splitlines()
    level = analysed.document["verdict"]["level"].upper().replace("_", " ")
    assert lines[0] == f"Offers: {level}"
    assert "EUR per customer more than no action" in lines[1]
    assert any(line.strip().startswith("Bonus") and " to +" in line for line in lines)
    failed = [check for check in analysed.document["checks"] if not check["passed"]]
    assert len([line for line in lines if line.startswith(("  warn: ", "  info: ", "  block: "))]) == len(failed)


def test_gives_the_document_of_the_api(analysed: Analysis, api: Caller) -> None:
    found = json.loads(run("offers", "--json").replace(" ", " "))
    wanted = api.get("/experiments/offers/results").body
    assert found["analysis_id"] == wanted["analysis_id"] == str(analysed.pk)
    assert found["money"] == wanted["money"]
    assert Analysis.objects.count() == 1


def test_as_of_a_time(workspace: Workspace, api: Caller, churn: Experiment) -> None:
    experiment = played(workspace, api, churn)
    assert experiment.started_at is not None
    at = experiment.started_at + timedelta(days=30)
    document = json.loads(run("offers", "--json", "--as-of", at.isoformat()))
    assert document["as_of"] == at.isoformat()
    assert document["maturity"]["mature"] == 0 and document["verdict"]["level"] == "withheld"


@pytest.mark.parametrize("at", ["yesterday", "2026-01-31", "2026-01-31T12:00:00"])
def test_a_time_without_a_zone_is_refused(analysed: Analysis, at: str) -> None:
    with pytest.raises(CommandError, match="write a time with its zone"):
        run("offers", "--as-of", at)


def test_an_unknown_experiment_is_refused(workspace: Workspace) -> None:
    with pytest.raises(CommandError, match=r"There is no experiment 'none' in this workspace\. \[not-found\]"):
        run("none")


def test_before_the_start_there_is_nothing_to_analyse(workspace: Workspace, churn: Experiment) -> None:
    with pytest.raises(CommandError, match="not-started"):
        run("offers")
