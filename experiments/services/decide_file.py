"""Deciding about a file of scored units: taken in whole, decided in batches, answered as the same file with more."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any

import msgspec

from experiments.models import Experiment
from experiments.rows import DecisionAnswer
from experiments.services.decide import Decided, decide
from experiments.setup import Point, points
from experiments.unit_file import ADDED, Form, Line, UnitFile
from predictions.models import Stage
from predictions.services import versions_of
from workspaces import clock
from workspaces.errors import Refusal
from workspaces.files import answer_file, received, sent_file, written
from workspaces.models import Job, Workspace
from workspaces.services.facts import Taken
from workspaces.services.jobs import Attempt, enqueue, repeat

DECIDE_FILE = "decide-file"
ROWS_A_BATCH = 1000


def enqueue_file(*, experiment: Experiment, chunks: Iterable[bytes], name: str = "The file") -> Job:
    """Ask for decisions about a file of units, whole or not at all; the same bytes again are the same job."""
    workspace = experiment.workspace
    with received(workspace, chunks) as (draft, sha256):
        key = f"{experiment.key}, file {sha256}"
        job = Job.objects.within(workspace).filter(kind=DECIDE_FILE, key=key).first()
        if job is None:
            form = _form(experiment, sha256)
            rows = UnitFile(draft, form, name).count()
            os.replace(draft, sent_file(workspace, sha256))
            arguments = {"sha256": sha256, "rows": rows, "form": msgspec.to_builtins(form)}
            return enqueue(workspace=workspace, kind=DECIDE_FILE, key=key, arguments=arguments)
        os.replace(draft, sent_file(workspace, sha256))
    if job.state == Job.State.FAILED or (job.state == Job.State.DONE and not answer_file(job).exists()):
        repeat(job)
    return job


def files_of(experiment: Experiment) -> list[Job]:
    """The newest jobs of the experiment's files."""
    jobs = Job.objects.within(experiment.workspace).filter(kind=DECIDE_FILE)
    return list(jobs.filter(key__startswith=f"{experiment.key}, file ").order_by("-created_at")[:20])


def decide_file(attempt: Attempt, tell: Callable[[float, str], None] | None = None) -> dict[str, Any]:
    """Do such a job; what an earlier attempt decided is answered again, so that its file is the same."""
    job, workspace = attempt.job, attempt.workspace
    form = msgspec.convert(job.arguments["form"], Form)
    file = UnitFile(sent_file(workspace, job.arguments["sha256"]), form)
    rows, lines = job.arguments["rows"], file.lines()
    counts = dict.fromkeys(("accepted", "duplicate", "quarantined", "rejected"), 0)
    with written(answer_file(job), encoding=file.encoding, moving=attempt.writing) as text:
        out = csv.writer(text, delimiter=file.delimiter, lineterminator=file.ending)
        out.writerow([*file.columns, *ADDED])
        while batch := list(islice(lines, ROWS_A_BATCH)):
            decided = _decide(workspace, batch)
            for line, taken in zip(batch, decided.taken, strict=True):
                counts[taken.status] += 1
                out.writerow([*line.cells, *_added(line, taken, decided.answers.get(taken.index))])
            done = sum(counts.values())
            for say in (attempt.progress, tell):
                if say:
                    say(done / rows, f"{done:,} of {rows:,} rows")
    return counts | {"file": f"/api/v1/jobs/{job.pk}/file"}


def _form(experiment: Experiment, sha256: str) -> Form:
    """Say by what a new file is read; its experiment must be the one that decides."""
    workspace = experiment.workspace
    of = next((one for one in points(workspace).values() if _decides(one, experiment)), None)
    if of is None:
        raise Refusal(
            "wrong-status", f"{experiment.key} is {experiment.status}, so nothing is decided for it; start it first."
        )
    model = of.point.model
    live = [
        one.version for one in versions_of(workspace).values() if one.model_id == model.pk and one.stage == Stage.LIVE
    ]
    return Form(
        source=f"file/{experiment.key}/{sha256}",
        decision_point=of.point.key,
        model=model.key,
        version=live[0] if len(live) == 1 else "",
        predicted_at=clock.now(workspace),
        features=model.features,
    )


def _decides(point: Point, experiment: Experiment) -> bool:
    return any(running.experiment.pk == experiment.pk for running in point.experiments)


def _decide(workspace: Workspace, batch: Sequence[Line]) -> Decided:
    try:
        return decide(workspace=workspace, raw=[line.row for line in batch])
    except Refusal as refusal:
        # others decided about the same units just then: the file is not to blame, and is tried again
        raise RuntimeError(refusal.detail) from refusal


def _added(line: Line, taken: Taken, answer: DecisionAnswer | None) -> tuple[str | float | None, ...]:
    """Cells of the added columns: keys, numbers and sentences of ours, none of which a spreadsheet can run."""
    if answer is None:
        return None, None, None, None, f"line {line.number}: {taken.detail} [{taken.code}]"
    return answer.action.key, answer.arm, answer.propensity, answer.decision_id, None
