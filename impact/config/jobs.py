"""Which function does which kind of job, and what becomes due by time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import close_old_connections

from experiments.services.decide_file import DECIDE_FILE, decide_file
from impact.analysis.alarms import ALARM, alarm_job
from impact.analysis.jobs import analyze_job, holdout_job
from impact.analysis.queue import ANALYZE, HOLDOUT, enqueue_due_analyses
from impact.config.celery import TICKED
from impact.dashboard.digest import DIGEST, claim_due_digests, digest_job
from impact.dashboard.loading import LOAD, load_job
from impact.ledger.imports.load import IMPORT, import_facts
from impact.reports.against_holdout import enqueue_due_holdouts
from impact.reports.deliveries import DELIVER, deliver_job
from impact.reports.jobs import REPORT, report_job
from impact.reports.services import claim_due_schedules
from predictions.jobs import drift_job
from predictions.queue import DRIFT, enqueue_due_drift
from workspaces.services import jobs
from workspaces.services.sent_files import forget_sent_files

KINDS: dict[str, Callable[[jobs.Attempt], Any]] = {
    ALARM: alarm_job,
    ANALYZE: analyze_job,
    DECIDE_FILE: decide_file,
    DELIVER: deliver_job,
    DIGEST: digest_job,
    DRIFT: drift_job,
    HOLDOUT: holdout_job,
    IMPORT: import_facts,
    LOAD: load_job,
    REPORT: report_job,
}


def tick() -> None:
    """Look at the clock, then drain."""
    close_old_connections()
    (settings.DATA_DIR / TICKED).touch()
    claim_due_schedules()
    enqueue_due_analyses()
    enqueue_due_drift()
    enqueue_due_holdouts()
    claim_due_digests()
    forget_sent_files()
    drain()


def drain() -> None:
    """Do jobs until none is due."""
    close_old_connections()
    while (job := jobs.claim()) is not None:
        jobs.run(job, KINDS.get(job.kind, unknown))


def unknown(attempt: jobs.Attempt) -> None:
    """A job of a newer version, say: it fails with its reason and holds nobody up."""
    raise LookupError(f"nothing here does jobs of the kind {attempt.job.kind!r}")
