"""Loading a finished experiment from a page: a file of rows and its specification, read and analysed as jobs."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

from impact.agreements.loading.specification import Specification, read_specification
from impact.analysis.queue import enqueue_analysis
from workspaces.canonical import digest
from workspaces.errors import Refusal
from workspaces.files import folder, received, sent_file
from workspaces.models import Job, Workspace
from workspaces.services.jobs import Attempt, enqueue, repeat

LOAD = "load"
EXAMPLE = """\
experiment: mails
name: Mails to customers
unit: {column: customer}
arm: {column: mail, baseline: none}
metrics:
  - {key: visit, column: visit, kind: proportion}
value: {column: spend, multiply: 0.30}
cost: {short: 0.10, long: 0.10}
weights: {none: 1, short: 1, long: 1}
segments: [channel]
"""


def enqueue_load(*, workspace: Workspace, chunks: Iterable[bytes], specification: str, actor: str) -> Job:
    """Ask for a file to be loaded; the same file and specification again are the same job."""
    spec = _read(specification, workspace)
    with received(workspace, chunks) as (draft, sha256):
        os.replace(draft, sent_file(workspace, sha256))
    key = f"{spec.experiment}, file {sha256[:12]} by {digest(specification)[:12]}"
    job = Job.objects.within(workspace).filter(kind=LOAD, key=key).first()
    if job is None:
        arguments = {"sha256": sha256, "specification": specification, "actor": actor}
        return enqueue(workspace=workspace, kind=LOAD, key=key, arguments=arguments)
    if job.state == Job.State.FAILED:
        repeat(job)
    return job


def load_job(attempt: Attempt) -> dict[str, Any]:
    """Load the file and ask for its analysis, as of the load's own instant."""
    # reads Parquet: heavy, and web processes import this module
    from impact.agreements.loading.load import load_experiment

    arguments, workspace = attempt.job.arguments, attempt.workspace
    path = sent_file(workspace, arguments["sha256"])
    try:
        experiment = load_experiment(
            workspace=workspace,
            path=path,
            spec=_read(arguments["specification"], workspace),
            actor=arguments["actor"],
            progress=attempt.progress,
        )
    except Refusal as refusal:
        # where the file is kept is nobody's business
        raise Refusal(refusal.code, refusal.detail.replace(str(path), "The file"), refusal.pointer) from refusal
    enqueue_analysis(experiment=experiment, as_of=experiment.created_at + timedelta(seconds=1))
    return {"experiment": experiment.key}


def _read(text: str, workspace: Workspace) -> Specification:
    """Read a specification that was typed."""
    with tempfile.TemporaryDirectory(dir=folder(workspace)) as made:
        path = Path(made) / "specification.yaml"
        path.write_text(text, encoding="utf-8")
        try:
            return read_specification(path)
        except Refusal as refusal:
            detail = refusal.detail.replace(str(path), "The specification")
            raise Refusal(refusal.code, detail, refusal.pointer) from refusal
