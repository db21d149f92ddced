"""A frozen report as HTML, PDF and mail, the same each time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import css_inline
from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation

from impact.figures.executive import bars
from impact.figures.experiment import net_forest
from impact.figures.forms import Forms
from impact.figures.periods import period_section
from impact.figures.sentences import level_word
from impact.figures.sheet import report_pdf
from impact.figures.worth import worth_section
from impact.reports.models import Report

STYLE = settings.ROOT / "static" / "css" / "app.css"


def page_content(report: Report) -> dict[str, Any]:
    """Return what the report's page and file show."""
    forms = Forms(report.content["language"])
    experiments = [_shown(one, forms) for one in report.content["experiments"]]
    return {"report": report, "content": report.content, "experiments": experiments}


def _shown(experiment: dict[str, Any], forms: Forms) -> dict[str, Any]:
    """An experiment of the report with its figure and its word."""
    results = experiment["results"]
    if results is None:
        return experiment
    return experiment | {
        "forest": net_forest(results, forms) if bars(results) else None,
        "worth": worth_section(results, forms),
        "word": level_word(results["verdict"]["level"], forms.language),
        "periods": period_section(experiment, forms.language),
    }


def html_of(report: Report) -> str:
    """One file that opens anywhere, its style inside."""
    with translation.override(report.content["language"]):
        content = page_content(report) | {"style": STYLE.read_text(encoding="utf-8")}
        return render_to_string("reports/file.html", content)


def pdf_of(report: Report) -> bytes:
    return report_pdf(report.content, report.sha256, report.created_at)


def mail_html(report: Report, leave: str) -> str:
    """Return the mail's page, its style inlined; ``leave`` is the reader's own link out of these mails."""
    with translation.override(report.content["language"]):
        return css_inline.inline(render_to_string("reports/mail.html", _mail_content(report, leave)))


def mail_text(report: Report, leave: str) -> str:
    with translation.override(report.content["language"]):
        return render_to_string("reports/mail.txt", _mail_content(report, leave))


def _mail_content(report: Report, leave: str) -> dict[str, Any]:
    return page_content(report) | {"base": settings.BASE_URL, "leave": leave}


def subject_of(report: Report) -> str:
    """Number, name, and whether it is play."""
    with translation.override(report.content["language"]):
        subject = render_to_string("reports/subject.txt", {"content": report.content})
    return " ".join(subject.split())


def write_files(report: Report) -> list[Path]:
    """Write HTML and PDF where the installation keeps its reports, and return the paths."""
    folder = settings.DATA_DIR / "reports" / report.workspace.key
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for suffix, content in (("html", html_of(report).encode()), ("pdf", pdf_of(report))):
        path = folder / f"report-{report.number:04d}.{suffix}"
        path.write_bytes(content)
        paths.append(path)
    return paths
