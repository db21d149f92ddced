"""Pages of the reports."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.csrf import csrf_exempt

from impact.reports.claim_views import claiming
from impact.reports.files import ENDINGS, XLSX, file_of, results_of
from impact.reports.selectors import deliveries_of, report_numbered, reports_of, schedule_named, schedules_of
from impact.reports.signing import review_report, sign_report, signing_of
from workspaces.access import member
from workspaces.errors import Missing, Refusal
from workspaces.models import Workspace
from workspaces.saying import in_words


@member("viewer")
def reports(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """Numbered reports, and when the next are due."""
    content = {
        "reports": reports_of(workspace).defer("content").select_related("schedule").order_by("-number"),
        "schedules": schedules_of(workspace),
        "may_make": request.membership.may("analyst"),  # type: ignore[attr-defined]
    }
    return render(request, "reports/reports.html", content)


@member("viewer")
def report(request: HttpRequest, workspace: Workspace, number: str) -> HttpResponse:
    """One report as it was frozen, in its own language, and what became of its mails."""
    from impact.reports.rendering import page_content

    found = report_numbered(workspace, number)
    deliveries = deliveries_of(found)
    content = page_content(found) | {
        "deliveries": deliveries,
        "given_up": any(one.given_up for one in deliveries),
        "may_send": request.membership.may("analyst"),  # type: ignore[attr-defined]
        **signing_of(found, request.membership),  # type: ignore[attr-defined]
        **claiming(found, request.membership),  # type: ignore[attr-defined]
    }
    return render(request, "reports/report.html", content)


@member("viewer")
def review_or_sign(request: HttpRequest, workspace: Workspace, number: str, step: str) -> HttpResponse:
    """A person's name under a report; refused with the reason to whoever may not."""
    take, done = {
        "review": (review_report, _("Report %(number)d is reviewed.")),
        "sign": (sign_report, _("Report %(number)d is signed.")),
    }[step]
    found = report_numbered(workspace, number)
    if request.method == "POST":
        try:
            if "confirmed" not in request.POST:
                raise Refusal("not-confirmed", _("Nothing was signed: tick that you read it."))
            take(report=found, membership=request.membership)  # type: ignore[attr-defined]
            messages.success(request, done % {"number": found.number})
        except Refusal as refusal:
            messages.error(request, in_words(refusal.detail))
    return redirect("report", workspace=workspace.key, number=found.number)


@member("analyst")
def send_again(request: HttpRequest, workspace: Workspace, number: str) -> HttpResponse:
    """Mails that were given up are tried once more."""
    from impact.reports.deliveries import send_again

    found = report_numbered(workspace, number)
    if request.method == "POST":
        count = send_again(report=found, actor=request.user.email)  # type: ignore[union-attr]
        said = ngettext("%(count)d mail is tried again.", "%(count)d mails are tried again.", count)
        messages.success(request, said % {"count": count})
    return redirect("report", workspace=workspace.key, number=found.number)


@member("viewer")
def report_file(request: HttpRequest, workspace: Workspace, number: str, ending: str) -> HttpResponse:
    """The report as a file; a browser shows the PDF and keeps the others."""
    found = report_numbered(workspace, number)
    response = HttpResponse(file_of(found, ending), content_type=ENDINGS[ending])
    shown = "inline" if ending == "pdf" else "attachment"
    response["Content-Disposition"] = f'{shown}; filename="report-{found.number}.{ending}"'
    return response


@member("viewer")
def results_file(request: HttpRequest, workspace: Workspace, key: str) -> HttpResponse:
    """An experiment's newest results as a workbook, in the reader's language."""
    response = HttpResponse(results_of(workspace, key, translation.get_language() or "en"), content_type=XLSX)
    response["Content-Disposition"] = f'attachment; filename="{key}.xlsx"'
    return response


@member("viewer")
def preview(request: HttpRequest, workspace: Workspace, key: str) -> HttpResponse:
    """A schedule's next report, as it would be by now."""
    from impact.reports.rendering import page_content
    from impact.reports.services import preview_report

    content = page_content(preview_report(schedule_named(workspace, key)))
    return render(request, "reports/preview.html", content)


@member("analyst")
def make(request: HttpRequest, workspace: Workspace, key: str) -> HttpResponse:
    """A report at once, mailed to nobody."""
    from impact.reports.services import make_report

    schedule = schedule_named(workspace, key)
    if request.method != "POST":
        return redirect("reports", workspace=workspace.key)
    made = make_report(schedule=schedule, actor=request.user.email)  # type: ignore[union-attr]
    messages.success(request, _("Report %(number)d is frozen; it was mailed to nobody.") % {"number": made.number})
    return redirect("report", workspace=workspace.key, number=made.number)


@member("analyst")
def pause_or_resume(request: HttpRequest, workspace: Workspace, key: str, step: str) -> HttpResponse:
    """A schedule rests, or goes on."""
    from impact.reports.services import pause_schedule, resume_schedule

    schedule = schedule_named(workspace, key)
    if request.method == "POST":
        take = {"pause": pause_schedule, "resume": resume_schedule}[step]
        take(schedule=schedule, actor=request.user.email)  # type: ignore[union-attr]
    return redirect("reports", workspace=workspace.key)


@csrf_exempt  # the signed link is what allows it, and a mail program's one click has no cookie
def unsubscribe(request: HttpRequest, signed: str) -> HttpResponse:
    """Leave a report's mails, or come back; without a choice of one's own it speaks the mails' language."""
    from impact.reports.unsubscribing import read_token, subscribe_again, unsubscribe

    try:
        schedule, address = read_token(signed)
    except Missing as error:
        raise Http404 from error
    if request.method == "POST":
        take = subscribe_again if request.POST.get("step") == "back" else unsubscribe
        take(schedule=schedule, address=address)
    chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME) and translation.get_language()
    content = {"schedule": schedule, "address": address, "gone": not dict(schedule.addresses).get(address, True)}
    with translation.override(chosen or schedule.language):
        return render(request, "reports/unsubscribe.html", content)
