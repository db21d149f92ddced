"""A report or one experiment's results as XLSX: numbers stay numbers, no text is taken for a formula."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from impact.figures.words.workbook import WORDS
from impact.reports.models import Report
from impact.reports.worksheets import check_rows, comparison_rows, money_rows, period_rows, segment_rows, summary_rows
from workspaces.files import harmless

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
WIDEST, NARROWEST = 70, 9


def report_workbook(report: Report) -> bytes:
    """The frozen report; what is withheld is in none of its sheets."""
    content, words = report.content, WORDS[report.content["language"]]
    head = [("", *row) for row in (
        (words["report"], content["number"]),
        ("", content["name"]),
        (words["for"], content["audience"]),
        (words["due"], datetime.fromisoformat(content["due_at"])),
        (words["workspace"], content["workspace"]["name"]),
        (words["play"], words["yes" if content["workspace"]["simulated"] else "no"]),
        (words["digest"], report.sha256),
        (words["audit"], content["audit_head"]),
        (words["previous"], content["previous"] and content["previous"]["number"]),
    )]  # fmt: skip
    return _written(head, content["experiments"], content["language"], report.created_at)


def results_workbook(experiment: Mapping[str, Any], language: str) -> bytes:
    """One experiment's name, said results and points, as in a report."""
    return _written([], [experiment], language, datetime.fromisoformat(experiment["results"]["as_of"]))


def _written(head: list[tuple[str, str, Any]], experiments: list[Any], language: str, at: datetime) -> bytes:
    from openpyxl import Workbook

    words = WORDS[language]
    analysed = [one for one in experiments if one["results"] is not None]
    sheets: list[tuple[Sequence[str], Iterable[Sequence[Any]]]] = [
        (words["summary"], [*head, *(row for one in experiments for row in summary_rows(one, language))]),
        (words["comparisons"], [row for one in analysed for row in comparison_rows(one, language)]),
        (words["money"], [row for one in analysed for row in money_rows(one, language)]),
        (words["checks"], [row for one in analysed for row in check_rows(one, words)]),
        (words["segments"], [row for one in analysed for row in segment_rows(one, words)]),
        (words["periods"], [row for one in analysed for row in period_rows(one, words)]),
    ]  # fmt: skip
    book = Workbook()
    book.remove(book.active)
    for name, (heads, rows) in zip(words["sheets"], sheets, strict=True):
        _fill(book.create_sheet(name), heads, rows)
    book.properties.created = at.astimezone(UTC).replace(tzinfo=None)
    file = io.BytesIO()
    book.save(file)
    return _settled(file)


def _settled(file: io.BytesIO) -> bytes:
    """The same content gives the same bytes: the time of writing is taken out of the archive."""
    settled = io.BytesIO()
    with ZipFile(file) as written, ZipFile(settled, "w", ZIP_DEFLATED) as archive:
        for name in written.namelist():
            part = written.read(name)
            if name == "docProps/core.xml":
                part = re.sub(rb"<dcterms:modified.*?</dcterms:modified>", b"", part)
            archive.writestr(ZipInfo(name), part, ZIP_DEFLATED)
    return settled.getvalue()


def _fill(sheet: Any, heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    from openpyxl.styles import Alignment, Font

    widths = [len(head) + 3 for head in heads]
    for number, row in enumerate([heads, *rows], start=1):
        for place, value in enumerate(row):
            cell = sheet.cell(number, place + 1)
            _put(cell, value)
            cell.alignment = Alignment(vertical="top", wrap_text=isinstance(value, str) and len(value) > WIDEST)
            if number == 1:
                cell.font = Font(bold=True)
            widths[place] = max(widths[place], min(WIDEST, len(str(cell.value or "")) + 2))
    for place, width in enumerate(widths, start=1):
        sheet.column_dimensions[sheet.cell(1, place).column_letter].width = max(NARROWEST, width)
    sheet.freeze_panes = "B2"
    sheet.auto_filter.ref = sheet.dimensions


def _put(cell: Any, value: Any) -> None:
    """A number or a time as such; a text as a text, whatever it begins with."""
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    if isinstance(value, str) and value:
        cell.value = harmless(ILLEGAL_CHARACTERS_RE.sub("", value))
        cell.data_type = "s"
    elif isinstance(value, datetime):
        cell.value = value.astimezone(UTC).replace(tzinfo=None)
        cell.number_format = "yyyy-mm-dd hh:mm"
    elif value not in (None, ""):
        cell.value = value
        cell.number_format = "#,##0" if isinstance(value, int) else _number_format(value)


def _number_format(value: float) -> str:
    """As many digits as one reads; the cell holds them all."""
    return "#,##0" if abs(value) >= 1000 else "#,##0.00" if abs(value) >= 1 else "0.0000"
