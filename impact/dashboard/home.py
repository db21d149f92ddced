"""What the home page shows: the results of a time, and what waits for whoever looks."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Count, Exists, OuterRef, Q, Subquery, Sum

from experiments.models import Experiment, Status
from impact.agreements.models import Agreement
from impact.analysis.alarms import TRIPPING
from impact.analysis.models import Analysis, Check, Level, Waiver
from impact.dashboard.selectors import newest_analyses
from impact.figures.home import home_page, period_text, period_words, running_text
from impact.figures.sentences import check_title, completed, level_word, named
from impact.reports.signing import waiting_reports
from predictions.models import PredictionModel, Stage
from workspaces import clock
from workspaces.models import Job, Membership, Quarantine, Workspace

PERIODS = ("quarter", "year", "all")
YEAR = timedelta(days=365)
MONTHS_A_YEAR = 12
# what is worst stands first
URGENT = (Level.HARMFUL, Level.PROVEN, Level.LIKELY, Level.UNCLEAR, Level.WITHHELD, Level.TOO_EARLY)
FAILED_JOBS = 5
LOADED = 10


def impact_of(workspace: Workspace, asked: str, language: str) -> dict[str, Any]:
    """What was measured in a time: the one asked for, or the shortest with a result in it."""
    now = clock.now(workspace)
    newest = list(_newest(workspace).values_list("as_of", flat=True))
    starts = {period: since(period, now, workspace.time_zone) for period in PERIODS}
    held = [name for name in PERIODS if any(starts[name] is None or at >= starts[name] for at in newest)]
    period = asked if asked in PERIODS else (held or ["quarter"])[0]
    documents, unread = _documents(workspace, starts[period], language)
    page = home_page(documents, workspace.currency, language, unread)
    words = period_words(language)
    return page | {
        "known": bool(newest),
        "word": level_word(page["level"], language) if page["level"] else "",
        "period": period_text(period, starts[period], now, workspace.time_zone, language),
        "periods": [{"key": name, "text": words[name], "here": name == period} for name in PERIODS],
        "running": running_text(_running_cost(workspace), workspace.currency, language) if documents else "",
        "urgent": _urgent(workspace, documents, language),
    }


def since(period: str, now: datetime, zone: str) -> datetime | None:
    """When a time began: the quarter where the workspace is, or a year ago."""
    if period == "all":
        return None
    if period == "year":
        return now - YEAR
    local = now.astimezone(ZoneInfo(zone))
    return local.replace(month=3 * ((local.month - 1) // 3) + 1, day=1, hour=0, minute=0, second=0, microsecond=0)


def waiting_for(membership: Membership, language: str) -> list[dict[str, Any]]:
    """What only people can settle: signatures, reports, guardrails, failed checks, quarantined rows, failed jobs."""
    workspace = membership.workspace
    found: list[dict[str, Any]] = [
        {"kind": "signature", "experiment": agreement.experiment} for agreement in agreements_to_sign(membership)
    ]
    found += [{"kind": "report", "report": report, "step": step} for report, step in waiting_reports(membership)]
    failed = (
        Check.objects.within(workspace)
        .filter(Q(severity="block") | Q(check_id__in=TRIPPING), passed=False)
        .filter(analysis__pk__in=Subquery(newest_analyses(workspace)))
        .exclude(analysis__experiment__status__in=[Status.ABORTED, Status.ARCHIVED])
        .exclude(
            Exists(
                Waiver.objects.standing().filter(
                    experiment=OuterRef("analysis__experiment"), check_id=OuterRef("check_id")
                )
            )
        )
        .select_related("analysis__experiment")
        .defer("analysis__document")
        .order_by("analysis__experiment__key", "check_id")
    )
    found += [
        {
            "kind": "guardrail" if check.check_id in TRIPPING else "check",
            "experiment": check.analysis.experiment,
            "text": check_title(check.check_id, language),
        }
        for check in failed
    ]
    rows = Quarantine.objects.within(workspace).filter(resolved_at=None).aggregate(rows=Count("pk"))["rows"]
    if rows:
        found.append({"kind": "quarantine", "rows": rows, "may_mend": membership.may("operator")})
    jobs = Job.objects.within(workspace).filter(state=Job.State.FAILED).order_by("-created_at")[:FAILED_JOBS]
    return found + [{"kind": "job", "job": job} for job in jobs]


def agreements_to_sign(membership: Membership) -> list[Agreement]:
    """Newest agreements of drafts that this member's name is still missing under."""
    if not membership.signs_for:
        return []
    newest = Agreement.objects.filter(experiment=OuterRef("experiment")).order_by("-version").values("version")[:1]
    return list(
        Agreement.objects.within(membership.workspace)
        .filter(experiment__status=Status.DRAFT, version=Subquery(newest))
        .exclude(signatures__signs_for=membership.signs_for)
        .exclude(signatures__person=membership.person)
        .select_related("experiment")
        .order_by("experiment__key")
    )


def _newest(workspace: Workspace) -> Any:
    return Analysis.objects.within(workspace).filter(pk__in=Subquery(newest_analyses(workspace)))


def _documents(workspace: Workspace, since: datetime | None, language: str) -> tuple[list[dict[str, Any]], int]:
    """Newest documents of the time with their arms' names, final ones and those agreed beforehand first.

    Of what was loaded, and so is never added, the newest few; and how many more there are.
    """
    found = _newest(workspace).filter(**({} if since is None else {"as_of__gte": since}))
    found = found.order_by("-final", "-as_of", "-created_at")
    agreed = found.exclude(experiment__origin="loaded").values_list("document", flat=True)
    loaded = found.filter(experiment__origin="loaded")
    shown = [*agreed, *loaded.values_list("document", flat=True)[:LOADED]]
    return [named(document, language) for document in shown], max(0, loaded.count() - LOADED)


def _urgent(workspace: Workspace, documents: list[dict[str, Any]], language: str) -> dict[str, Any] | None:
    """The verdict that asks for something first: what was agreed beforehand, the worst or the surest of it."""
    ranked = sorted(documents, key=lambda one: (one["origin"] == "loaded", URGENT.index(one["verdict"]["level"])))
    if not ranked:
        return None
    plan = Experiment.objects.within(workspace).get(key=ranked[0]["experiment"]).plan or {}
    said = completed(ranked[0], language, plan.get("case"))
    return {"key": said["experiment"], "name": said["name"], **said["verdict"]}


def _running_cost(workspace: Workspace) -> float:
    """What running the live models costs a year."""
    live = PredictionModel.objects.within(workspace).filter(versions__stage=Stage.LIVE).distinct().values("pk")
    models = PredictionModel.objects.within(workspace).filter(pk__in=live)
    return MONTHS_A_YEAR * float(models.aggregate(whole=Sum("monthly_cost"))["whole"] or 0)
