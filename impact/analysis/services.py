"""Analysing an experiment: freeze, measure, estimate, store; the same again gives the same bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from experiments.models import Experiment
from impact.agreements.plan import MONEY, Plan, from_content
from impact.analysis.alarms import pause_if_tripped
from impact.analysis.document import analysis_id, results_document, seed_of
from impact.analysis.files import damaged, directory
from impact.analysis.freeze import freeze
from impact.analysis.measure import measure
from impact.analysis.models import Analysis, Calibration, Check, Estimate, Snapshot, Verdict
from impact.analysis.queue import not_started
from impact.analysis.untouched import calibrations
from impact.analysis.version import CODE_VERSION
from workspaces import clock
from workspaces.canonical import digest, dumps
from workspaces.facts import insert_new

Progress = Callable[[float, str], None]


def analyze(
    *,
    experiment: Experiment,
    as_of: datetime | None = None,
    progress: Progress = lambda share, message: None,
    writing: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> Analysis:
    """Analyse an experiment as of a time, now if none is given.

    ``writing`` guards what is stored: a job that lost its lease stores nothing.
    """
    if experiment.plan is None:
        raise not_started(experiment)
    plan = from_content(experiment.plan)
    progress(0.1, "freezing decisions and events")
    snapshot = freeze(experiment=experiment, plan=plan, as_of=as_of or clock.now(experiment.workspace))
    progress(0.5, "measuring")
    document = compute(experiment, snapshot, plan)
    progress(0.8, "looking at units that were left alone")
    calibrated = calibrations(experiment, plan, snapshot)
    progress(0.9, "storing")
    with writing():
        analysis = store(experiment, snapshot, document)
        store_calibrations(analysis, calibrated)
        pause_if_tripped(analysis)
    return analysis


def compute(experiment: Experiment, snapshot: Snapshot, plan: Plan) -> dict[str, Any]:
    """Return the document that a snapshot and a plan give."""
    home = directory(experiment.workspace.key)
    return results_document(experiment, snapshot, plan, measure(snapshot, plan, home))


@transaction.atomic
def store(experiment: Experiment, snapshot: Snapshot, document: dict[str, Any]) -> Analysis:
    """Keep a document and its parts once; whoever computed it again gets the one that is there."""
    analysis = Analysis(
        id=analysis_id(snapshot, experiment.plan_sha256),
        workspace=experiment.workspace,
        experiment=experiment,
        snapshot=snapshot,
        plan_sha256=experiment.plan_sha256,
        code_version=CODE_VERSION,
        seed=seed_of(experiment.plan_sha256),
        as_of=snapshot.as_of,
        final=document["maturity"]["final"],
        mature=document["maturity"]["mature"],
        assigned=snapshot.manifest["tables"]["rows"]["rows"],
        document=document,
        sha256=digest(document),
        created_at=clock.server_now(),
    )
    if insert_new([analysis]):
        _store_parts(analysis)
    return Analysis.objects.within(experiment.workspace).get(pk=analysis.pk)


def store_calibrations(analysis: Analysis, calibrated: Mapping[UUID, dict[str, Any]]) -> None:
    """Keep how right each version was, once an analysis."""
    insert_new(
        [
            Calibration(
                workspace=analysis.workspace,
                analysis=analysis,
                version_id=version,
                as_of=analysis.as_of,
                rows=content["rows"],
                content=content,
            )
            for version, content in calibrated.items()
        ]
    )


def differing(analysis: Analysis) -> list[str]:
    """Say what of a stored analysis can't be recomputed to the same bytes."""
    snapshot, experiment = analysis.snapshot, analysis.experiment
    wrong = [f"{experiment.key}: {name} of snapshot {snapshot.sha256[:12]} differs" for name in damaged(snapshot)]
    if wrong:
        return wrong
    if digest(analysis.document) != analysis.sha256:
        return [f"{experiment.key}: the stored document of analysis {analysis.pk} was altered"]
    if analysis.code_version != CODE_VERSION:
        return []
    again = compute(experiment, snapshot, from_content(experiment.plan))
    if dumps(again) != dumps(analysis.document):
        return [f"{experiment.key}: analysis {analysis.pk} recomputes to other bytes"]
    return []


def _store_parts(analysis: Analysis) -> None:
    document = analysis.document
    of = {"workspace": analysis.workspace, "analysis": analysis}
    blocks = [(metric["key"], metric["arms"], metric["comparisons"]) for metric in document["metrics"]]
    if document["money"]:
        money = document["money"]
        blocks.append((MONEY, money["arms"], [block["net"] for block in money["comparisons"]]))
    Estimate.objects.bulk_create(
        Estimate(
            metric=metric,
            arm=one["arm"],
            baseline=one["baseline"],
            rows=next(arm["n"] for arm in arms if arm["arm"] == one["arm"]),
            effect=one["effect"],
            se=one["se"],
            low=one["ci"] and one["ci"][0],
            high=one["ci"] and one["ci"][1],
            p_value=one["p_value"],
            **of,
        )
        for metric, arms, comparisons in blocks
        for one in comparisons
    )
    Check.objects.bulk_create(
        Check(check_id=check["id"], severity=check["severity"], passed=check["passed"], **of)
        for check in document["checks"]
    )
    Verdict.objects.bulk_create(
        [Verdict(arm=one["arm"], level=one["level"], **of) for one in document["verdicts"]]
        + [Verdict(arm=document["verdict"]["arm"] or "", level=document["verdict"]["level"], overall=True, **of)]
    )
