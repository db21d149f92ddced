"""A frozen report as files: PDF, workbook, every comparison as CSV, the content as JSON; nothing is computed again."""

from __future__ import annotations

import csv
import io

from experiments.selectors import experiment_named
from impact.reports.comparing import COLUMNS, compared
from impact.reports.models import Report
from impact.reports.workbook import XLSX, report_workbook, results_workbook
from workspaces.canonical import dumps
from workspaces.errors import Missing
from workspaces.files import harmless
from workspaces.models import Workspace

# ending -> what the file is
ENDINGS = {"pdf": "application/pdf", "csv": "text/csv; charset=utf-8", "json": "application/json", "xlsx": XLSX}


def file_of(report: Report, ending: str) -> bytes:
    """The report as one of the files that there are."""
    if ending == "csv":
        return csv_of(report)
    if ending == "json":
        return json_of(report)
    if ending == "xlsx":
        return report_workbook(report)
    from impact.reports.rendering import pdf_of

    return pdf_of(report)


def json_of(report: Report) -> bytes:
    """The frozen content as it was digested: the SHA-256 of this file is the report's."""
    return dumps(report.content).encode()


def csv_of(report: Report) -> bytes:
    """One row for each comparison, at full precision; what is withheld or not analysed has none."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    for experiment in report.content["experiments"]:
        if experiment["results"] is not None:
            for row in compared(experiment["results"]):
                safe = {name: harmless(cell) if isinstance(cell, str) else cell for name, cell in row.items()}
                writer.writerow({"experiment": experiment["key"]} | safe)
    return text.getvalue().encode()


def results_of(workspace: Workspace, key: str, language: str) -> bytes:
    """The newest results of an experiment as a workbook, as a report would say them now."""
    from impact.reports.services import experiment_content

    content = experiment_content(experiment_named(workspace, key), language, workspace.time_zone)
    if content["results"] is None:
        raise Missing("results of", key)
    return results_workbook(content, language)
