"""Pages of experiments: the list, one with its verdict and evidence, its agreement, its start, its files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from experiments.models import Experiment, Status
from experiments.selectors import experiment_named
from experiments.services.decide_file import enqueue_file, files_of
from impact.agreements.services import foreseen, obstacles, sign, start_experiment
from impact.analysis.models import Level
from impact.analysis.selectors import newest_analysis
from impact.analysis.waivers import waivable, waive, withdraw, withdrawable
from impact.dashboard import selectors
from impact.dashboard.compliance import compliance as what_was_done
from impact.dashboard.compliance import takes_long
from impact.dashboard.course import course_of
from impact.dashboard.views.answers import actor, csv_file, language, part_or_page
from impact.figures.agreed import agreed_rows
from impact.figures.agreement import agreement_page, foreseen_rows
from impact.figures.executive import bars
from impact.figures.experiment import experiment_page, segment_bars
from impact.figures.home import next_text
from impact.figures.looks import planned_looks
from impact.figures.numbers import PICTURES, numbers_of
from impact.figures.sentences import completed
from impact.figures.what_if import what_if_section
from impact.figures.words.codes import word
from workspaces import clock
from workspaces.access import member
from workspaces.errors import Missing, Refusal
from workspaces.files import answer_file, harmless
from workspaces.models import Job, Workspace
from workspaces.saying import in_words


@member("viewer")
def experiments(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    shown = selectors.experiments_shown(workspace, request.GET.get("page"))
    content = {
        "rows": selectors.experiment_rows(workspace, list(shown), language()),
        "shown": shown,
        "may_design": request.membership.may("analyst"),  # type: ignore[attr-defined]
    }
    return render(request, "dashboard/experiments.html", content)


@member("viewer")
def experiment(request: HttpRequest, workspace: Workspace, key: str) -> HttpResponse:
    """One experiment: verdict, picture, money, metrics, and whether it can be trusted."""
    shown = experiment_named(workspace, key)
    analysis = newest_analysis(shown)
    agreement = selectors.newest_agreement(shown)
    content: dict[str, Any] = {
        "experiment": shown,
        "analysis": analysis,
        "agreement": agreement,
        "may_decide": shown.is_live and request.membership.may("analyst"),  # type: ignore[attr-defined]
    }
    if takes_long(shown):
        content["counts_apart"] = True
    else:
        content["done"] = what_was_done(shown, language())
    if analysis is not None:
        document = completed(analysis.document, language(), (shown.plan or {}).get("case"))
        case = (shown.plan or {}).get("case") or {}
        code, day = selectors.next_date(shown, analysis, clock.now(workspace))
        content |= {
            "document": document,
            "page": experiment_page(document, language()),
            "what_if": what_if_section(document, request.GET.dict(), language()),
            "history": course_of(shown, language()),
            "looks": planned_looks(document, workspace.time_zone, language()),
            "agreed": agreed_rows(document, case, language()) if agreement else [],
            "next": next_text(code, day, workspace.time_zone, language()),
            "waivable": waivable(shown, request.membership),  # type: ignore[attr-defined]
            "withdrawable": withdrawable(shown, request.membership),  # type: ignore[attr-defined]
        }
    return render(request, "dashboard/experiment.html", content)


@member("analyst")
def waive_check(request: HttpRequest, workspace: Workspace, key: str) -> HttpResponse:
    """Let the figure be shown although a check failed, by the name of whoever says so here."""
    done = _("Waived. The figure is shown, with your name and reason, once it is analysed.")
    return _settle_check(request, experiment_named(workspace, key), waive, done)


@member("analyst")
def withdraw_waiver(request: HttpRequest, workspace: Workspace, key: str) -> HttpResponse:
    """Let a waiver count no longer, by the name of whoever says so here."""
    done = _("Withdrawn. The waiver no longer counts once it is analysed.")
    return _settle_check(request, experiment_named(workspace, key), withdraw, done)


def _settle_check(request: HttpRequest, shown: Experiment, settle: Callable[..., object], done: str) -> HttpResponse:
    if request.method == "POST":
        said = {"check_id": request.POST.get("check", ""), "reason": request.POST.get("reason", "")}
        try:
            settle(experiment=shown, membership=request.membership, **said)  # type: ignore[attr-defined]
            messages.success(request, done)
        except Refusal as refusal:
            messages.error(request, in_words(refusal.detail))
    return redirect("experiment", workspace=shown.workspace.key, key=shown.key)


@member("viewer")
def compliance(request: HttpRequest, workspace: Workspace, key: str) -> HttpResponse:
    """What was really done in one experiment; fetched by its page where counting takes long."""
    shown = experiment_named(workspace, key)
    content = {"experiment": shown, "done": what_was_done(shown, language())}
    return render(request, part_or_page(request, "compliance"), content)


@member("viewer")
def results(request: HttpRequest, workspace: Workspace, key: str) -> JsonResponse:
    """The results document, as the API gives it."""
    return JsonResponse(_document(workspace, key), json_dumps_params={"ensure_ascii": False, "indent": 1})


@member("viewer")
def comparisons(request: HttpRequest, workspace: Workspace, key: str) -> HttpResponse:
    """The figures of the pictures as CSV; of those that are withheld none."""
    document = _document(workspace, key)
    drawn = [("", bar) for bar in bars(document)]
    if document["verdict"]["level"] != Level.WITHHELD:
        for by in dict.fromkeys(one["by"] for one in document["segments"]):
            drawn += [(by, bar) for bar in segment_bars(document, by, language())]
    rows = [
        [harmless(segment), harmless(bar.label), bar.level, bar.effect, bar.low, bar.high] for segment, bar in drawn
    ]
    return csv_file(key, ["segment", "comparison", "verdict", "effect", "low", "high"], rows)


@member("viewer")
def picture(request: HttpRequest, workspace: Workspace, key: str, name: str) -> HttpResponse:
    """The numbers of one of the page's other pictures as CSV."""
    if name == "course":
        drawn = course_of(experiment_named(workspace, key), language())["course"]
        table = drawn and (["as_of", "arm", "estimate", "low", "high"], drawn["numbers"])
    else:
        table = numbers_of(_document(workspace, key), name, language()) if name in PICTURES else None
    if not table:
        raise Missing("picture", name)
    head, rows = table
    return csv_file(
        f"{key}-{name}", head, [[harmless(cell) if isinstance(cell, str) else cell for cell in row] for row in rows]
    )


@member("viewer")
def agreement(request: HttpRequest, workspace: Workspace, key: str) -> HttpResponse:
    """The business case; whoever signs for somebody signs here."""
    shown = experiment_named(workspace, key)
    newest = selectors.newest_agreement(shown)
    if newest is None:
        raise Missing("agreement of", key)
    membership = request.membership  # type: ignore[attr-defined]
    if request.method == "POST":
        try:
            if "confirmed" not in request.POST:
                raise Refusal("not-confirmed", _("Nothing was signed: tick that you read it."))
            sign(agreement=newest, membership=membership, sha256=request.POST.get("sha256", ""))
            messages.success(
                request, _("Signed for %(signs_for)s.") % {"signs_for": word(membership.signs_for, language())}
            )
        except Refusal as refusal:
            messages.error(request, in_words(refusal.detail))
        return redirect("agreement", workspace=workspace.key, key=key)
    signed = {signature.signs_for: signature for signature in newest.signatures.all()}
    mine = membership.signs_for
    waits = shown.status in (Status.DRAFT, Status.AGREED)
    found = [(one.id, one.severity, one.passed, one.numbers) for one in foreseen(newest, shown)] if waits else []
    content = {
        "experiment": shown,
        "agreement": newest,
        "page": agreement_page(newest.content, language()),
        "foreseen": foreseen_rows(found, newest.content, language()),
        "signatures": [(signs_for, signed.get(signs_for)) for signs_for in ("business", "data science", "finance")],
        "may_sign": bool(mine)
        and mine not in signed
        and shown.status == Status.DRAFT
        and membership.person_id not in {signature.person_id for signature in signed.values()},
        "obstacles": obstacles(newest, shown) if waits else None,
        "may_start": waits and membership.may("analyst"),
        "may_design": shown.status == Status.DRAFT and membership.may("analyst"),
        "may_clone": membership.may("analyst"),
    }
    return render(request, "dashboard/agreement.html", content)


@member("analyst")
def start(request: HttpRequest, workspace: Workspace, key: str) -> HttpResponse:
    """Start an experiment whose agreement bears its three names; refused with the reason otherwise."""
    shown = experiment_named(workspace, key)
    if request.method != "POST":
        return redirect("agreement", workspace=workspace.key, key=key)
    try:
        if "confirmed" not in request.POST:
            raise Refusal("not-confirmed", _("Nothing was started: tick that it may begin."))
        start_experiment(experiment=shown, actor=actor(request))
        messages.success(request, _("%(name)s has started.") % {"name": shown.name})
    except Refusal as refusal:
        messages.error(request, in_words(refusal.detail))
        return redirect("agreement", workspace=workspace.key, key=key)
    return redirect("experiment", workspace=workspace.key, key=key)


@member("analyst")
def assignments(request: HttpRequest, workspace: Workspace, key: str) -> HttpResponse:
    """A file of units is sent here, and decided about as a job."""
    shown = experiment_named(workspace, key)
    content: dict[str, Any] = {"experiment": shown, "may_decide": True}
    if request.method == "POST":
        sent = request.FILES.get("file")
        try:
            if sent is None:
                raise Refusal("bad-file", _("Choose a file."))
            enqueue_file(experiment=shown, chunks=sent.chunks(), name=sent.name or "The file")
            return redirect("jobs", workspace=workspace.key)
        except Refusal as refusal:
            content["refusal"] = in_words(refusal.detail)
    content["jobs"] = files_of(shown)
    return render(request, "dashboard/assignments.html", content, status=400 if "refusal" in content else 200)


@member("analyst")
def job_file(request: HttpRequest, workspace: Workspace, id: UUID) -> FileResponse:
    """The file that a job has made."""
    job = Job.objects.within(workspace).filter(pk=id).first()
    if job is None or not answer_file(job).exists():
        raise Missing("file of the job", str(id))
    return FileResponse(answer_file(job).open("rb"), as_attachment=True, filename=f"{job.pk}.csv")


def _document(workspace: Workspace, key: str) -> dict[str, Any]:
    shown = experiment_named(workspace, key)
    analysis = newest_analysis(shown)
    if analysis is None:
        raise Missing("analysis of", key)
    return completed(analysis.document, language(), (shown.plan or {}).get("case"))
