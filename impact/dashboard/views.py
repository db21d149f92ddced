"""Pages for people who look rather than read, one function each."""

from __future__ import annotations

import csv
import io
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from experiments.models import Status
from experiments.selectors import experiment_named
from experiments.services.decide_file import enqueue_file, files_of
from impact.agreements.services import foreseen, obstacles, sign, start_experiment
from impact.analysis.models import Level
from impact.analysis.selectors import newest_analysis
from impact.analysis.waivers import waivable, waive
from impact.dashboard import decision_points as choices
from impact.dashboard import policies as rules
from impact.dashboard import selectors
from impact.dashboard.actions import actions as known_actions
from impact.dashboard.compliance import compliance as what_was_done
from impact.dashboard.compliance import takes_long
from impact.dashboard.course import course_of
from impact.dashboard.first_steps import first_steps
from impact.dashboard.home import impact_of, waiting_for
from impact.dashboard.keys import example
from impact.dashboard.model import days_of, model_page, model_rows, newest, shown_version
from impact.figures.agreed import agreed_rows
from impact.figures.agreement import agreement_page, foreseen_rows
from impact.figures.executive import bars
from impact.figures.experiment import experiment_page, segment_bars
from impact.figures.glossary import glossary as terms
from impact.figures.home import next_text
from impact.figures.sentences import completed
from impact.figures.words.codes import word
from workspaces import clock
from workspaces.access import member
from workspaces.errors import Missing, Refusal
from workspaces.files import answer_file
from workspaces.forms import KeyForm
from workspaces.models import Job, Workspace
from workspaces.selectors import key_named, keys_of, newest_jobs
from workspaces.services.demo import demo_of
from workspaces.services.keys import create_key, revoke_key


@member("viewer")
def home(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """What acting on predictions earned, and what waits."""
    shown = selectors.experiments_shown(workspace, most=selectors.EXPERIMENTS_AT_HOME)
    content: dict[str, Any] = {
        "impact": impact_of(workspace, request.GET.get("period", ""), _language()),
        "rows": selectors.experiment_rows(workspace, list(shown), _language()),
        "more": shown.paginator.count if shown.has_next() else 0,
        "waiting": waiting_for(request.membership, _language()),  # type: ignore[attr-defined]
    }
    if not content["impact"]["known"]:
        content |= {
            "steps": first_steps(request.membership, _site(request)),  # type: ignore[attr-defined]
            "demo": demo_of(request.user),  # type: ignore[arg-type]
            "may_design": request.membership.may("analyst"),  # type: ignore[attr-defined]
        }
    return render(request, "dashboard/home.html", content)


@member("viewer")
def experiments(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    shown = selectors.experiments_shown(workspace, request.GET.get("page"))
    content = {
        "rows": selectors.experiment_rows(workspace, list(shown), _language()),
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
        content["done"] = what_was_done(shown, _language())
    if analysis is not None:
        document = completed(analysis.document, _language(), (shown.plan or {}).get("case"))
        case = (shown.plan or {}).get("case") or {}
        code, day = selectors.next_date(shown, analysis, clock.now(workspace))
        content |= {
            "document": document,
            "page": experiment_page(document, _language()),
            "history": course_of(shown, _language()),
            "agreed": agreed_rows(document, case, _language()) if agreement else [],
            "next": next_text(code, day, workspace.time_zone, _language()),
            "waivable": waivable(shown, request.membership),  # type: ignore[attr-defined]
        }
    return render(request, "dashboard/experiment.html", content)


@member("analyst")
def waive_check(request: HttpRequest, workspace: Workspace, key: str) -> HttpResponse:
    """Let the figure be shown although a check failed, by the name of whoever says so here."""
    shown = experiment_named(workspace, key)
    if request.method == "POST":
        said = {"check_id": request.POST.get("check", ""), "reason": request.POST.get("reason", "")}
        try:
            waive(experiment=shown, membership=request.membership, **said)  # type: ignore[attr-defined]
            messages.success(request, _("Waived. The figure is shown, with your name and reason, once it is analysed."))
        except Refusal as refusal:
            messages.error(request, refusal.detail)
    return redirect("experiment", workspace=workspace.key, key=key)


@member("viewer")
def compliance(request: HttpRequest, workspace: Workspace, key: str) -> HttpResponse:
    """What was really done in one experiment; fetched by its page where counting takes long."""
    shown = experiment_named(workspace, key)
    content = {"experiment": shown, "done": what_was_done(shown, _language())}
    return render(request, _part_or_page(request, "compliance"), content)


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
            drawn += [(by, bar) for bar in segment_bars(document, by, _language())]
    rows = [[_cell(segment), _cell(bar.label), bar.level, bar.effect, bar.low, bar.high] for segment, bar in drawn]
    return _csv(key, ["segment", "comparison", "verdict", "effect", "low", "high"], rows)


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
                request, _("Signed for %(signs_for)s.") % {"signs_for": word(membership.signs_for, _language())}
            )
        except Refusal as refusal:
            messages.error(request, refusal.detail)
        return redirect("agreement", workspace=workspace.key, key=key)
    signed = {signature.signs_for: signature for signature in newest.signatures.all()}
    mine = membership.signs_for
    waits = shown.status in (Status.DRAFT, Status.AGREED)
    found = [(one.id, one.severity, one.passed, one.numbers) for one in foreseen(newest, shown)] if waits else []
    content = {
        "experiment": shown,
        "agreement": newest,
        "page": agreement_page(newest.content, _language()),
        "foreseen": foreseen_rows(found, newest.content, _language()),
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
        start_experiment(experiment=shown, actor=_actor(request))
        messages.success(request, _("%(name)s has started.") % {"name": shown.name})
    except Refusal as refusal:
        messages.error(request, refusal.detail)
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
            content["refusal"] = refusal.detail
    content["jobs"] = files_of(shown)
    return render(request, "dashboard/assignments.html", content, status=400 if "refusal" in content else 200)


@member("analyst")
def job_file(request: HttpRequest, workspace: Workspace, id: UUID) -> FileResponse:
    """The file that a job has made."""
    job = Job.objects.within(workspace).filter(pk=id).first()
    if job is None or not answer_file(job).exists():
        raise Missing("file of the job", str(id))
    return FileResponse(answer_file(job).open("rb"), as_attachment=True, filename=f"{job.pk}.csv")


@member("viewer")
def actions(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    return render(request, "dashboard/actions.html", {"actions": known_actions(workspace, _language())})


@member("viewer")
def decision_points(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    return render(request, "dashboard/decision_points.html", {"points": choices.decision_points(workspace)})


@member("viewer")
def decision_point(request: HttpRequest, workspace: Workspace, key: str) -> HttpResponse:
    """How a prediction becomes a choice, with the counts of seven days."""
    page = choices.decision_point_page(workspace, key, _language())
    return render(request, "dashboard/decision_point.html", {"page": page})


@member("viewer")
def policies(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    return render(request, "dashboard/policies.html", {"policies": rules.policies(workspace)})


@member("viewer")
def policy(request: HttpRequest, workspace: Workspace, key: str) -> HttpResponse:
    """One policy's rule in words, and what it would have done beside what was."""
    return render(request, "dashboard/policy.html", {"page": rules.policy_page(workspace, key, _language())})


@member("operator")
def keys(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """The API keys; an administrator may make and revoke them."""
    return _keys(request, workspace, KeyForm(workspace))


@member("admin")
@never_cache
def make_key(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """Make a key and show its secret once, in a call that works."""
    if request.method != "POST":
        return redirect("keys", workspace=workspace.key)
    form = KeyForm(workspace, request.POST)
    if not form.is_valid():
        return _keys(request, workspace, form)
    name, scopes = form.cleaned_data["name"], form.cleaned_data["scopes"]
    key, secret = create_key(
        workspace=workspace, name=name, scopes=scopes, expires_at=form.expires_at(), actor=_actor(request)
    )
    made = {"made": key, "secret": secret, "example": example(key, secret, _site(request))}
    return _keys(request, workspace, KeyForm(workspace), made)


@member("admin")
def end_key(request: HttpRequest, workspace: Workspace, id: str) -> HttpResponse:
    """Ask whether a key is really to be revoked, and revoke it."""
    key = key_named(workspace, id)
    if request.method != "POST":
        return render(request, "dashboard/end_key.html", {"key": key})
    try:
        revoke_key(key=key, actor=_actor(request))
        messages.success(request, _("The key %(name)s opens nothing any more.") % {"name": key.name})
    except Refusal as refusal:
        messages.error(request, refusal.detail)
    return redirect("keys", workspace=workspace.key)


def _site(request: HttpRequest) -> str:
    return request.build_absolute_uri("/").rstrip("/")


def _actor(request: HttpRequest) -> str:
    return str(request.user.email)  # type: ignore[union-attr]


def _keys(
    request: HttpRequest, workspace: Workspace, form: KeyForm, made: dict[str, Any] | None = None
) -> HttpResponse:
    content = {
        "keys": keys_of(workspace),
        "form": form,
        "may_make": request.membership.may("admin"),  # type: ignore[attr-defined]
    }
    return render(request, "dashboard/keys.html", content | (made or {}), status=422 if form.errors else 200)


@member("viewer")
def jobs(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """Work that waits, runs, is done or failed; the list renews itself."""
    found = newest_jobs(workspace)
    content = {
        "jobs": found,
        "busy": any(job.state in ("queued", "running") for job in found),
        "may_decide": request.membership.may("analyst"),  # type: ignore[attr-defined]
    }
    return render(request, _part_or_page(request, "jobs"), content)


@member("viewer")
def models(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    return render(request, "dashboard/models.html", {"rows": model_rows(workspace, _language())})


@member("viewer")
def model(request: HttpRequest, workspace: Workspace, key: str) -> HttpResponse:
    """One model: its versions, scores by day, drift, and how right it was about units that were left alone."""
    return render(request, "dashboard/model.html", model_page(workspace, key, request.GET.get("version"), _language()))


@member("viewer")
def model_days(request: HttpRequest, workspace: Workspace, key: str) -> HttpResponse:
    """The days of a version as CSV: the scores' quantiles and every index."""
    version = shown_version(workspace, key, request.GET.get("version"))
    days = days_of(version)
    names = sorted({name for day in days for name in day.features})
    head = ["day", "predictions", "p5", "p25", "p50", "p75", "p95", "psi", "by_chance"]
    rows = [
        [day.on.isoformat(), day.rows, *day.quantiles, day.psi, day.by_chance]
        + [day.features.get(name, {}).get("psi") for name in names]
        for day in days
    ]
    return _csv(f"{key}-days", [*head, *(_cell(f"psi {name}") for name in names)], rows)


@member("viewer")
def model_calibration(request: HttpRequest, workspace: Workspace, key: str) -> HttpResponse:
    """The bins of a version's newest calibration as CSV."""
    version = shown_version(workspace, key, request.GET.get("version"))
    calibration = newest(workspace, [version])[version.pk].calibration
    bins = calibration.content.get("bins", []) if calibration else []
    head = ["lowest", "highest", "units", "happened", "predicted", "observed", "low", "high"]
    columns = ("lowest", "highest", "rows", "happened", "predicted", "observed")
    return _csv(f"{key}-calibration", head, [[*(one[column] for column in columns), *one["ci"]] for one in bins])


def glossary(request: HttpRequest) -> HttpResponse:
    """Every term, in the reader's language."""
    return render(request, "dashboard/glossary.html", {"terms": [one[_language()] for one in terms().values()]})


def _document(workspace: Workspace, key: str) -> dict[str, Any]:
    shown = experiment_named(workspace, key)
    analysis = newest_analysis(shown)
    if analysis is None:
        raise Missing("analysis of", key)
    return completed(analysis.document, _language(), (shown.plan or {}).get("case"))


def _part_or_page(request: HttpRequest, name: str) -> str:
    """What htmx asks for takes the place of a part; a person gets the whole page."""
    return f"dashboard/{'_' if request.htmx else ''}{name}.html"  # type: ignore[attr-defined]


def _csv(name: str, head: list[str], rows: list[list[Any]]) -> HttpResponse:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(head)
    writer.writerows(rows)
    response = HttpResponse(text.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


def _language() -> str:
    return get_language() or "en"


def _cell(text: str) -> str:
    """A text that a spreadsheet won't take for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
