"""A frozen report as files: PDF, workbook, every comparison as CSV, the content as JSON; nothing is computed again."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

from experiments.selectors import experiment_named
from impact.reports.accounts import LINES, account_rows
from impact.reports.comparing import COLUMNS, compared
from impact.reports.models import Report
from impact.reports.workbook import XLSX, report_workbook, results_workbook
from workspaces.canonical import dumps
from workspaces.errors import Missing
from workspaces.files import harmless
from workspaces.models import Workspace

CSV = "text/csv; charset=utf-8"
# ending -> what the file is
# whoever's name ends another's comes after it
ENDINGS = {"pdf": "application/pdf", "periods.csv": CSV, "csv": CSV, "json": "application/json", "xlsx": XLSX}


def file_of(report: Report, ending: str) -> bytes:
    """The report as one of the files that there are."""
    if ending == "csv":
        return csv_of(report)
    if ending == "periods.csv":
        return periods_csv_of(report)
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
    analysed = (one for one in report.content["experiments"] if one["results"] is not None)
    return _written(
        COLUMNS, ({"experiment": one["key"], **row} for one in analysed for row in compared(one["results"]))
    )


def periods_csv_of(report: Report) -> bytes:
    """One row for each arm and month, and for what of closed months had to change."""
    return _written(LINES, account_rows(report))


def _written(columns: Sequence[str], rows: Iterable[dict[str, Any]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns)
    writer.writeheader()
    for row in rows:
        writer.writerow({name: harmless(cell) if isinstance(cell, str) else cell for name, cell in row.items()})
    return text.getvalue().encode()


def results_of(workspace: Workspace, key: str, language: str) -> bytes:
    """The newest results of an experiment as a workbook, as a report would say them now."""
    from impact.reports.services import experiment_content

    content = experiment_content(experiment_named(workspace, key), language, workspace.time_zone)
    if content["results"] is None:
        raise Missing("results of", key)
    return results_workbook(content, language)
