"""Pages of the reports."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from impact.reports.files import ENDINGS, file_of
from impact.reports.models import ReportSchedule
from impact.reports.selectors import report_numbered, reports_of
from workspaces.access import member
from workspaces.models import Workspace


@member("viewer")
def reports(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """Numbered reports, and when the next are due."""
    content = {
        "reports": reports_of(workspace).defer("content").select_related("schedule").order_by("-number"),
        "schedules": ReportSchedule.objects.within(workspace).order_by("next_run_at"),
    }
    return render(request, "reports/reports.html", content)


@member("viewer")
def report(request: HttpRequest, workspace: Workspace, number: str) -> HttpResponse:
    """One report as it was frozen, in its own language."""
    from impact.reports.rendering import page_content

    return render(request, "reports/report.html", page_content(report_numbered(workspace, number)))


@member("viewer")
def report_file(request: HttpRequest, workspace: Workspace, number: str, ending: str) -> HttpResponse:
    """The report as a file; a browser shows the PDF and keeps the others."""
    found = report_numbered(workspace, number)
    response = HttpResponse(file_of(found, ending), content_type=ENDINGS[ending])
    shown = "inline" if ending == "pdf" else "attachment"
    response["Content-Disposition"] = f'{shown}; filename="report-{found.number}.{ending}"'
    return response
