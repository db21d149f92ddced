"""GET /reports, and each report as JSON and as a file."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from impact.figures.forms import LANGUAGES
from impact.reports.files import file_of, results_of
from impact.reports.models import Report
from impact.reports.selectors import report_numbered, reports_of
from workspaces.errors import Refusal
from workspaces.paging import page
from workspaces.rest import Answer, Call


class ReportAnswer(msgspec.Struct):
    number: int
    name: str
    due_at: datetime
    status: str
    sha256: str


class ReportPage(msgspec.Struct):
    reports: list[ReportAnswer]
    next: str | None


def get_reports(call: Call) -> ReportPage:
    found, following = page(reports_of(call.workspace), call.query)
    answers = [
        ReportAnswer(report.number, report.content["name"], report.due_at, report.status, report.sha256)
        for report in found
    ]
    return ReportPage(answers, following)


def get_report(call: Call) -> dict[str, Any]:
    report = report_numbered(call.workspace, call.path["number"])
    return report.content | {"sha256": report.sha256, "status": report.status, "names": _names(report)}


def _names(report: Report) -> dict[str, Any]:
    """Who reviewed and who signed it, and when; null where nobody did."""
    names = {"reviewed": (report.reviewed_by, report.reviewed_at), "signed": (report.signed_by, report.signed_at)}
    return {step: person and {"name": person.name, "at": at} for step, (person, at) in names.items()}


def get_report_file(ending: str, call: Call) -> Answer:
    return Answer(file_of(report_numbered(call.workspace, call.path["number"]), ending))


def get_results_file(call: Call) -> Answer:
    """The newest results as a workbook, in English unless asked otherwise."""
    language = call.query.get("language", "en")
    if language not in LANGUAGES:
        raise Refusal("invalid-parameter", f"language == {language!r}, must be one of {', '.join(LANGUAGES)}")
    return Answer(results_of(call.workspace, call.path["key"], language))
