"""Work is a row: enqueued once, claimed by one, its lease renewed, written only while it is one's own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import Any

from celery import current_app
from django.db import close_old_connections, connection, transaction
from django.db.models import Q

from workspaces import clock
from workspaces.errors import Refusal
from workspaces.models import Job, Workspace

LEASE = timedelta(seconds=60)
RENEW_EVERY = 15.0
ATTEMPTS = 3
HINT = "impact.drain"
HINT_LASTS = 10

log = logging.getLogger("impact.jobs")


class LeaseLost(Exception):
    """Somebody else runs this job now, so nothing of this attempt may be written."""


def enqueue(*, workspace: Workspace, kind: str, key: str, arguments: Any = None, due_at: datetime | None = None) -> Job:
    """Add a job, or return the one with this kind and key that there is."""
    now = clock.server_now()
    job, created = Job.objects.get_or_create(
        workspace=workspace,
        kind=kind,
        key=key,
        defaults={"arguments": {} if arguments is None else arguments, "created_at": now, "due_at": due_at or now},
    )
    if created:
        transaction.on_commit(hint)
    return job


def hint() -> None:
    """Tell a worker that there is work; if nobody hears it, the next tick will."""
    with suppress(Exception):
        current_app.send_task(HINT, ignore_result=True, expires=HINT_LASTS, retry=False)


def repeat(job: Job) -> None:
    """Do a job that has ended once more."""
    ended = Job.objects.filter(pk=job.pk, state__in=[Job.State.DONE, Job.State.FAILED])
    ended.update(
        state=Job.State.QUEUED, due_at=clock.server_now(), finished_at=None, attempts=0, progress=0.0, message="",
        result=None, error="",
    )  # fmt: skip
    job.refresh_from_db()
    transaction.on_commit(hint)


def claim(only: Job | None = None) -> Job | None:
    """Take the job that has been due longest, or only this one, for one lease; None if there is none."""
    now = clock.server_now()
    due = Q(state=Job.State.QUEUED, due_at__lte=now) | Q(state=Job.State.RUNNING, lease_until__lt=now)
    with transaction.atomic():
        jobs = Job.objects.filter(due, **({"pk": only.pk} if only else {})).order_by("due_at", "id")
        job = jobs.select_for_update(skip_locked=connection.features.has_select_for_update_skip_locked).first()
        if job is None:
            return None
        if job.attempts >= ATTEMPTS:
            _end(job, Job.State.FAILED, error=job.error or f"The worker stopped {ATTEMPTS} times while at it.")
            return claim(only)
        job.state, job.attempts, job.lease_until = Job.State.RUNNING, job.attempts + 1, now + LEASE
        job.started_at = now
        job.save(update_fields=["state", "attempts", "lease_until", "started_at"])
    return job


def run(job: Job, work: Callable[[Attempt], Any]) -> None:
    """Do a claimed job; what it raises is kept as its reason, and it is tried again later."""
    attempt = Attempt(job)
    stop = threading.Event()
    renewer = threading.Thread(target=_renew, args=(job, stop), daemon=True)
    renewer.start()
    try:
        result = work(attempt)
        with attempt.writing():
            _end(job, Job.State.DONE, result=result, progress=1.0)
    except LeaseLost:
        log.warning("job %s was taken over, attempt %s writes nothing", job, job.attempts)
    except Refusal as refusal:
        _fail(attempt, f"{refusal.code}: {refusal.detail}", final=True)
    except Exception as error:
        log.exception("job %s failed, attempt %s", job, job.attempts)
        _fail(attempt, f"{type(error).__name__}: {error}", final=job.attempts >= ATTEMPTS)
    finally:
        stop.set()
        renewer.join()


class Attempt:
    """One try at a job: where it says how far it is, and asks whether it may still write."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.workspace: Workspace = job.workspace

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Open a transaction that commits only if the job is still this attempt's."""
        with transaction.atomic():
            mine = Job.objects.select_for_update().filter(
                pk=self.job.pk, state=Job.State.RUNNING, attempts=self.job.attempts
            )
            if not mine.exists():
                raise LeaseLost
            yield

    def progress(self, share: float, message: str) -> None:
        """Say how far the work is, 0 to 1, and what it is at."""
        mine = Job.objects.filter(pk=self.job.pk, state=Job.State.RUNNING, attempts=self.job.attempts)
        if not mine.update(progress=share, message=message[:300]):
            raise LeaseLost

    def checkpoint(self, share: float, message: str, so_far: Any) -> None:
        """Inside ``writing``: keep what is done so far, which the next attempt finds as the job's result."""
        self.job.progress, self.job.message, self.job.result = share, message[:300], so_far
        self.job.save(update_fields=["progress", "message", "result"])


def _renew(job: Job, stop: threading.Event) -> None:
    try:
        while not stop.wait(RENEW_EVERY):
            mine = Job.objects.filter(pk=job.pk, state=Job.State.RUNNING, attempts=job.attempts)
            with suppress(Exception):  # the database may be away for a moment; the lease outlasts that
                mine.update(lease_until=clock.server_now() + LEASE)
            close_old_connections()
    finally:
        connection.close()


def _fail(attempt: Attempt, reason: str, *, final: bool) -> None:
    job = attempt.job
    with suppress(LeaseLost), attempt.writing():
        if final:
            _end(job, Job.State.FAILED, error=reason)
            return
        job.state, job.lease_until, job.error = Job.State.QUEUED, None, reason
        job.due_at = clock.server_now() + timedelta(seconds=10 * job.attempts)
        job.save(update_fields=["state", "lease_until", "error", "due_at"])


def _end(job: Job, state: str, *, result: Any = None, error: str = "", progress: float | None = None) -> None:
    job.state, job.lease_until, job.finished_at = state, None, clock.server_now()
    job.result, job.error = result, error
    job.progress = job.progress if progress is None else progress
    job.save(update_fields=["state", "lease_until", "finished_at", "result", "error", "progress"])
