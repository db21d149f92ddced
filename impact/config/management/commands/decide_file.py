"""Decide about a file of scored units in the foreground, by the same code as the job."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from experiments.selectors import experiment_named
from experiments.services.decide_file import decide_file, enqueue_file
from impact.config.terminal import Command as BaseCommand
from impact.config.terminal import progress_bar
from workspaces.files import READ_BYTES, answer_file
from workspaces.models import Job
from workspaces.services import jobs

COUNTS = ("accepted", "duplicate", "quarantined", "rejected")
WAIT = 1.0


class Command(BaseCommand):
    help = "Decide about a file of scored units, and write it again with their actions."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="CSV with the columns unit_id and score, and more where wanted")
        parser.add_argument("--experiment", required=True, help="key of the experiment that decides")
        parser.add_argument("--out", type=Path, help="where to write (default: FILE with .decided.csv)")
        self.add_workspace(parser)

    def handle(self, *, file: Path, experiment: str, out: Path | None, workspace: str | None, **options: Any) -> None:
        out = out or file.with_suffix(".decided.csv")
        if out.exists() and file.exists() and out.samefile(file):
            raise CommandError(f"--out {out} is the file itself; name another.")
        deciding = experiment_named(self.workspace(workspace), experiment)
        with progress_bar(quiet=not self.stderr.isatty()) as show:
            job = enqueue_file(experiment=deciding, chunks=pieces(file), name=str(file))
            finish(job, lambda attempt: decide_file(attempt, show), show)
        if job.state == Job.State.FAILED:
            raise CommandError(job.error)
        try:
            shutil.copyfile(answer_file(job), out)
        except OSError as error:
            raise CommandError(f"{error.filename} can't be written: {error.strerror}.") from error
        counts = ", ".join(f"{job.result[name]:,} {name}" for name in COUNTS)
        self.stdout.write(f"{out}: {counts}")


def pieces(file: Path) -> Iterator[bytes]:
    try:
        with file.open("rb") as opened:
            while piece := opened.read(READ_BYTES):
                yield piece
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}; check the path.") from error


def finish(job: Job, work: Callable[[jobs.Attempt], Any], show: Callable[[float, str], None]) -> None:
    """Do the job, or wait for the worker that does it already."""
    while job.state not in (Job.State.DONE, Job.State.FAILED):
        mine = jobs.claim(job)
        if mine:
            jobs.run(mine, work)
        else:
            show(job.progress, job.message or "waiting for the worker that does it")
            time.sleep(WAIT)
        job.refresh_from_db()
