"""Making reports: claimed by one, and frozen with a number."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any

from django.db import transaction
from django.db.models import F

from experiments.models import Experiment
from impact.analysis.selectors import newest_analysis
from impact.figures.agreed import changed_lines
from impact.figures.executive import points
from impact.figures.forms import Forms
from impact.figures.sentences import WORDS, completed
from impact.figures.words.codes import word
from impact.reports.accounts import accounts_of, restates, signed_before
from impact.reports.calendar import last_run, next_run
from impact.reports.models import Report, ReportSchedule
from workspaces import clock
from workspaces.canonical import digest
from workspaces.models import Workspace
from workspaces.services.audit import record
from workspaces.services.jobs import enqueue

REPORT = "report"


def claim_due_schedules() -> None:
    """Turn every schedule that is due into one job; of any number of ticks, one claims it."""
    for schedule in ReportSchedule.objects.filter(paused=False).select_related("workspace").order_by("next_run_at"):
        now = clock.now(schedule.workspace)
        if schedule.next_run_at > now:
            continue
        due = last_run(schedule.calendar, schedule.time_zone, schedule.next_run_at, now)
        following = next_run(schedule.calendar, schedule.time_zone, now)
        with transaction.atomic():
            mine = ReportSchedule.objects.within(schedule.workspace).filter(
                pk=schedule.pk, next_run_at=schedule.next_run_at, paused=False
            )
            if mine.update(next_run_at=following):
                enqueue(
                    workspace=schedule.workspace,
                    kind=REPORT,
                    key=f"{schedule.key}, due {due:%Y-%m-%d %H:%M} UTC",
                    arguments={"schedule": schedule.key, "due_at": due.isoformat()},
                )


def freeze_report(
    *, schedule: ReportSchedule, due_at: datetime, writing: Callable[[], AbstractContextManager[None]], actor: str = ""
) -> Report:
    """Freeze the newest analyses into a numbered report, or return the one that was frozen for this time.

    The audit trail has the ones that somebody asked for.
    """
    workspace = schedule.workspace
    with writing():
        # before looking, so that of two who make the same report the second finds the first one's
        Workspace.objects.select_for_update().get(pk=workspace.pk)
        made = Report.objects.within(workspace).filter(schedule=schedule, due_at=due_at).first()
        if made is not None:
            return made
        last = Report.objects.within(workspace).order_by("-number").first()
        previous = Report.objects.within(workspace).filter(schedule=schedule).order_by("-number").first()
        number = last.number + 1 if last else 1
        content = _content(schedule, number, due_at, previous)
        report = Report.objects.create(
            workspace=workspace,
            schedule=schedule,
            number=number,
            due_at=due_at,
            content=content,
            sha256=digest(content),
            previous=previous,
            created_at=clock.now(workspace),
        )
        if restates(content) and (signed := signed_before(schedule)):
            Report.objects.within(workspace).filter(pk=signed.pk).update(restated_by=report)
        if actor:
            record(
                workspace=workspace,
                actor=actor,
                action="make report",
                subject=str(number),
                after={"sha256": report.sha256},
            )
        return report


def make_report(*, schedule: ReportSchedule, actor: str) -> Report:
    """Freeze a report at once and mail it to nobody; asked again within the minute, it is the same one."""
    due_at = clock.now(schedule.workspace).replace(second=0, microsecond=0)
    return freeze_report(schedule=schedule, due_at=due_at, writing=transaction.atomic, actor=actor)


def preview_report(schedule: ReportSchedule) -> Report:
    """The schedule's next report as it would be by now: without a number, and not stored."""
    previous = schedule.reports.order_by("-number").first()
    content = _content(schedule, None, schedule.next_run_at, previous)
    return Report(workspace=schedule.workspace, schedule=schedule, due_at=schedule.next_run_at, content=content)


@transaction.atomic
def pause_schedule(*, schedule: ReportSchedule, actor: str) -> None:
    """Make no report of this schedule until it is resumed."""
    changed = ReportSchedule.objects.within(schedule.workspace).filter(pk=schedule.pk, paused=False)
    if changed.update(paused=True):
        record(workspace=schedule.workspace, actor=actor, action="pause report", subject=schedule.key)


@transaction.atomic
def resume_schedule(*, schedule: ReportSchedule, actor: str) -> None:
    """Go on with the next time that is due; what was missed meanwhile is not made up for."""
    following = next_run(schedule.calendar, schedule.time_zone, clock.now(schedule.workspace))
    changed = ReportSchedule.objects.within(schedule.workspace).filter(pk=schedule.pk, paused=True)
    if changed.update(paused=False, next_run_at=following):
        record(workspace=schedule.workspace, actor=actor, action="resume report", subject=schedule.key)


def _content(schedule: ReportSchedule, number: int | None, due_at: datetime, previous: Report | None) -> dict[str, Any]:
    workspace = schedule.workspace
    workspace.refresh_from_db(fields=["audit_head"])
    named = Experiment.objects.within(workspace).filter(key__in=schedule.experiments).select_related("workspace")
    experiments = {experiment.key: experiment for experiment in named}
    signed = signed_before(schedule)
    return {
        "number": number,
        "name": schedule.name,
        "audience": schedule.audience,
        "language": schedule.language,
        "time_zone": schedule.time_zone,
        "due_at": due_at.astimezone(UTC).isoformat(),
        "workspace": {"key": workspace.key, "name": workspace.name, "simulated": workspace.simulated},
        "currency": workspace.currency,
        "audit_head": workspace.audit_head,
        "previous": previous and {"number": previous.number, "sha256": previous.sha256},
        "experiments": [
            experiment_content(experiments[key], schedule.language, schedule.time_zone, previous, signed)
            for key in schedule.experiments
            if key in experiments
        ],
    }


def experiment_content(
    experiment: Experiment,
    language: str,
    time_zone: str,
    previous: Report | None = None,
    signed: Report | None = None,
) -> dict[str, Any]:
    """What a report says of an experiment, by its newest analysis."""
    analysis = newest_analysis(experiment)
    head = {"key": experiment.key, "name": experiment.name}
    if analysis is None:
        return head | {"results": None, "points": []}
    case = (experiment.plan or {}).get("case", {})
    results = completed(analysis.document, language, case)
    return head | {
        "results": results,
        "points": points(results, case, _signatures(experiment, language, time_zone), language),
        "changed": _changed(results, previous, experiment.key, language, time_zone),
        "accounts": accounts_of(results, experiment.workspace, _agreed_amount(experiment), signed),
    }


def _agreed_amount(experiment: Experiment) -> float:
    """By how much closed periods may change before a signed report is made anew."""
    return float(((experiment.plan or {}).get("deployment") or {}).get("reissue_above", 0.0))


def _changed(
    results: dict[str, Any], previous: Report | None, key: str, language: str, time_zone: str
) -> dict[str, Any] | None:
    """What differs from what the report before said, and why; None where it said nothing of the experiment."""
    told = {one["key"]: one["results"] for one in previous.content["experiments"]} if previous else {}
    if previous is None or told.get(key) is None:
        return None
    found = changed_lines(told[key], results, time_zone, language)
    return {"title": WORDS[language].since_report(previous.number), **found}


def _signatures(experiment: Experiment, language: str, time_zone: str) -> list[str]:
    agreement = experiment.agreements.filter(sha256=experiment.plan_sha256).order_by(F("version").desc()).first()
    if agreement is None:
        return []
    forms, signed = Forms(language), WORDS[language].signed
    return [
        signed(signature.person.name, word(signature.signs_for, language), forms.day(signature.signed_at, time_zone))
        for signature in agreement.signatures.select_related("person").order_by("signed_at", "signs_for")
    ]
