"""GET /jobs, and the file that a job has made."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from workspaces.errors import Missing, Refusal
from workspaces.files import answer_file
from workspaces.models import Job
from workspaces.paging import page
from workspaces.rest import Answer, Call


class JobAnswer(msgspec.Struct):
    """``progress`` runs from 0 to 1; ``error`` says why a failed job failed."""

    id: str
    kind: str
    key: str
    state: str
    progress: float
    message: str
    attempts: int
    result: Any
    error: str
    created_at: datetime
    finished_at: datetime | None


class JobPage(msgspec.Struct):
    jobs: list[JobAnswer]
    next: str | None


def get_jobs(call: Call) -> JobPage:
    found, following = page(Job.objects.within(call.workspace), call.query)
    return JobPage([job_answer(job) for job in found], following)


def get_job(call: Call) -> JobAnswer:
    return job_answer(job_named(call))


def get_job_file(call: Call) -> Answer:
    """The file of a job that makes one, once it is done."""
    job = job_named(call)
    path = answer_file(job)
    if path.exists():
        return Answer(path)
    if job.state in (Job.State.QUEUED, Job.State.RUNNING):
        raise Refusal("wrong-status", f"The job is {job.state}; fetch its file when it is done.")
    raise Missing("file of the job", str(job.pk))


def job_named(call: Call) -> Job:
    text = call.path["id"]
    try:
        job = Job.objects.within(call.workspace).filter(pk=UUID(text)).first()
    except ValueError:
        job = None
    if job is None:
        raise Missing("job", text)
    return job


def job_answer(job: Job) -> JobAnswer:
    return JobAnswer(
        str(job.pk), job.kind, job.key, job.state, job.progress, job.message, job.attempts, job.result, job.error,
        job.created_at, job.finished_at,
    )  # fmt: skip
