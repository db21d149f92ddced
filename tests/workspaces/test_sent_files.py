"""Files that were sent for a job: kept while somebody may need them, gone a week after the job is over."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from workspaces import clock
from workspaces.files import answer_file, sent_file
from workspaces.models import Job, Workspace
from workspaces.services.jobs import enqueue
from workspaces.services.sent_files import forget_sent_files

SHA = "ab" * 32


def sent(workspace: Workspace, days: float, sha256: str = SHA) -> Path:
    path = sent_file(workspace, sha256)
    path.write_text("source,event_id\n")
    at = (datetime.now(UTC) - timedelta(days=days)).timestamp()
    os.utime(path, (at, at))
    return path


def ended(workspace: Workspace, state: str, days: float | None) -> Job:
    job = enqueue(workspace=workspace, kind="import", key=f"{state} {days}", arguments={"sha256": SHA})
    at = None if days is None else clock.server_now() - timedelta(days=days)
    lease = clock.server_now() if state == "running" else None
    Job.objects.filter(pk=job.pk).update(state=state, finished_at=at, lease_until=lease)
    return job


@pytest.fixture(autouse=True)
def own_data(settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path


@pytest.mark.parametrize(
    ("jobs", "stays"),
    [
        ([("done", 8)], False), ([("failed", 8)], False), ([], False),
        ([("done", 6)], True), ([("failed", 6)], True), ([("queued", None)], True), ([("running", None)], True),
        ([("done", 8), ("queued", None)], True),
    ],
)  # fmt: skip
def test_a_file_goes_a_week_after_its_last_job(workspace: Workspace, jobs: list[Any], stays: bool) -> None:
    path = sent(workspace, days=9)
    for one in jobs:
        ended(workspace, *one)
    forget_sent_files()
    assert path.exists() is stays


def test_what_was_sent_again_lately_stays_and_so_do_answers(workspace: Workspace) -> None:
    path, job = sent(workspace, days=1), ended(workspace, "done", 30)
    answer_file(job).write_text("line\n")
    os.utime(answer_file(job), (0, 0))
    forget_sent_files()
    assert path.exists() and answer_file(job).exists()


def test_another_workspaces_job_holds_nothing_up(workspace: Workspace, other_workspace: Workspace) -> None:
    path = sent(workspace, days=9)
    ended(other_workspace, "queued", None)
    forget_sent_files()
    assert not path.exists()
