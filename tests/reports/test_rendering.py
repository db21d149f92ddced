"""HTML and PDF: every figure of the frozen document, in its language, the same bytes each time."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from impact.analysis.models import Analysis
from impact.analysis.services import analyze
from impact.figures.experiment import net_forest
from impact.figures.forms import Forms
from impact.reports.models import Report
from impact.reports.rendering import html_of, pdf_of, write_files
from tests.conftest import csv_of, loaded
from tests.reports.board import frozen, schedule
from workspaces.models import Workspace

LONG = "Wait for the weekly window of the whole packaging line and stop no machine before"


def text_of(report: Report, folder: Path) -> str:
    """What pdftotext reads, with single blanks."""
    file = folder / "report.pdf"
    file.write_bytes(pdf_of(report))
    done = subprocess.run(["pdftotext", "-layout", str(file), "-"], capture_output=True, text=True, check=True)
    return " ".join(done.stdout.replace("\u00a0", " ").split())


def bare(text: str) -> str:
    """Without blanks: where Japanese lines break is the layout's business."""
    return re.sub(r"\s", "", text)


@pytest.fixture(params=["en", "ja"])
def report(request: Any, workspace: Workspace, analysed: Analysis) -> Report:
    return frozen(schedule(workspace, language=request.param))


def test_the_pdf_says_the_documents_figures(report: Report, tmp_path: Path) -> None:
    text = bare(text_of(report, tmp_path))
    [offers] = report.content["experiments"]
    assert bare(offers["results"]["verdict"]["sentence"]) in text
    for point in offers["points"]:
        assert bare(point["title"]) in text
        for line in point.get("text", "").splitlines():
            assert bare(line) in text, line
        for row in point.get("rows", []):
            assert bare("".join(row)) in text
    figure = net_forest(offers["results"], Forms(report.content["language"]))
    assert figure is not None
    for row in figure["rows"]:
        assert bare(f"{row['effect']}({row['range']})") in text
        assert bare(row["label"] + row["word"]) in text
    assert offers["results"]["snapshot"]["sha256"] in text and report.sha256 in text
    assert {"en": "Simulatedworkspace.", "ja": "シミュレーション用ワークスペース"}[report.content["language"]] in text


def test_the_page_says_the_documents_figures(report: Report) -> None:
    page = html_of(report).replace("\u00a0", " ")
    [offers] = report.content["experiments"]
    assert f'<html lang="{report.content["language"]}">' in page
    assert offers["results"]["verdict"]["sentence"].replace("\u00a0", " ") in page
    for point in offers["points"]:
        assert point["title"] in page
        for row in point.get("rows", []):
            assert all(f">{cell}<" in page for cell in row)
    assert report.sha256 in page and "http" not in re.sub(r"<style>.*</style>", "", page, flags=re.S)


def test_both_are_the_same_each_time(report: Report) -> None:
    again = Report.objects.select_related("workspace").get(pk=report.pk)
    assert pdf_of(again) == pdf_of(report)
    assert html_of(again) == html_of(report)


def test_the_pdf_names_itself(report: Report, tmp_path: Path) -> None:
    (tmp_path / "report.pdf").write_bytes(pdf_of(report))
    read = PdfReader(tmp_path / "report.pdf")
    assert read.metadata is not None
    assert (
        read.metadata.title == f"{ {'en': 'Report', 'ja': 'レポート'}[report.content['language']] } 1: Offers".strip()
    )
    assert read.metadata.creation_date == report.created_at.replace(microsecond=0)
    assert len(read.pages) == 3, "the executive page, the periods and the appendix"


def test_names_in_another_language_and_long_ones_are_readable(workspace: Workspace, tmp_path: Path) -> None:
    rows = {"unit": [f"u{n}" for n in range(60)], "arm": [("a", "割引", LONG)[n % 3] for n in range(60)]}
    found = loaded(
        workspace, tmp_path, csv_of(rows | {"y": [1.0 + n % 7 + n % 3 for n in range(60)]}), metrics=None,
        value={"column": "y"}, comparisons="all",
    )  # fmt: skip
    analyze(experiment=found)
    report = frozen(schedule(workspace, experiments=["trial"], name="割引の報告", audience=""))
    text = text_of(report, tmp_path)
    assert "割引の報告" in text and "割引" in text
    [trial] = report.content["experiments"]
    rows_of = next(point["rows"] for point in trial["points"] if "rows" in point)
    assert len(rows_of) == 3
    for row in rows_of:
        assert all(cell in text for cell in row[1:])
    assert bare(LONG) in bare(text)


def test_what_was_not_analysed_says_so(workspace: Workspace, churn: Any, tmp_path: Path) -> None:
    report = frozen(schedule(workspace))
    assert "Not analysed yet." in text_of(report, tmp_path)
    assert "Not analysed yet." in html_of(report)


def test_files_are_written_under_their_number(report: Report) -> None:
    html, pdf = write_files(report)
    assert (html.name, pdf.name, pdf.parent.name) == ("report-0001.html", "report-0001.pdf", "mobile")
    assert html.read_text() == html_of(report) and pdf.read_bytes() == pdf_of(report)
