"""The pages of the reports: the list, one report in its own language, its PDF."""

from __future__ import annotations

import pytest

from experiments.models import Experiment
from impact.analysis.models import Analysis
from impact.reports.rendering import pdf_of
from tests.conftest import signed_in
from tests.reports.board import frozen, schedule
from workspaces.models import Membership, Workspace


def test_an_empty_list_says_what_fills_it(mate: Membership) -> None:
    page = signed_in(mate).get("/w/mobile/reports").content.decode()
    assert "No report yet." in page and "manage.py apply FILE.yaml" in page


def test_a_list_that_waits_says_for_when(mate: Membership, workspace: Workspace) -> None:
    schedule(workspace)
    page = signed_in(mate).get("/w/mobile/reports").content.decode()
    assert "The first is made when it is due." in page
    assert "5 January 2026 07:00 (Europe/Berlin)" in page and "cfo@example.com" in page


def test_the_list_leads_to_report_and_pdf(mate: Membership, workspace: Workspace, churn: Experiment) -> None:
    report = frozen(schedule(workspace))
    client = signed_in(mate)
    page = client.get("/w/mobile/reports").content.decode()
    assert 'href="/w/mobile/reports/1"' in page and 'href="/w/mobile/reports/1.pdf"' in page
    answer = client.get("/w/mobile/reports/1.pdf")
    assert (answer["Content-Type"], answer["Content-Disposition"]) == (
        "application/pdf",
        'inline; filename="report-1.pdf"',
    )
    assert answer.content == pdf_of(report)


@pytest.mark.parametrize("reader", ["en", "ja"])
@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_report_keeps_its_language_whoever_reads(
    mate: Membership, workspace: Workspace, analysed: Analysis, language: str, reader: str
) -> None:
    report = frozen(schedule(workspace, language=language))
    client = signed_in(mate)
    client.cookies["django_language"] = reader
    page = client.get("/w/mobile/reports/1").content.decode()
    head, _, frozen_part = page.partition(f'<div lang="{language}">')
    assert f'<html lang="{reader}">' in head
    assert {"en": "Reports", "ja": "レポート"}[reader] in head
    assert report.content["experiments"][0]["results"]["verdict"]["sentence"] in frozen_part
    assert {"en": "Snapshot sha256", "ja": "スナップショット sha256"}[language] in frozen_part


@pytest.mark.parametrize("name", ["2", "x", "1.docx", "0001x"])
def test_a_report_that_is_none_is_not_found(
    mate: Membership, workspace: Workspace, churn: Experiment, name: str
) -> None:
    frozen(schedule(workspace))
    client = signed_in(mate)
    assert client.get(f"/w/mobile/reports/{name}").status_code == 404
    assert client.get(f"/w/mobile/reports/{name}.pdf").status_code == 404
