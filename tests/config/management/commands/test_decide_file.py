"""manage.py decide_file: the job's code in the foreground, the same answer as the API's."""

from __future__ import annotations

import csv
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from experiments.models import Decision, Experiment
from impact.config.management.commands import decide_file as command
from workspaces.models import Job, Workspace
from workspaces.services import jobs

ROWS = "unit_id,score\n" + "".join(f"c{number},0.{number % 9 + 1}\n" for number in range(1200)) + "c1,7\n"


def run(*arguments: object) -> str:
    out = StringIO()
    call_command("decide_file", *map(str, arguments), "--experiment", "offers", stdout=out)
    return out.getvalue()


@pytest.fixture
def units(tmp_path: Path) -> Path:
    file = tmp_path / "units.csv"
    file.write_text(ROWS, encoding="utf-8")
    return file


def test_writes_the_file_beside_it(running: Experiment, units: Path) -> None:
    said = run(units)
    out = units.with_name("units.decided.csv")
    assert said == f"{out}: 1,200 accepted, 0 duplicate, 0 quarantined, 1 rejected\n"
    rows = list(csv.DictReader(out.open(encoding="utf-8")))
    assert len(rows) == 1201 and {row["action"] for row in rows} == {"none", "bonus", ""}
    first = out.read_bytes()
    assert run(units, "--out", units.with_name("again.csv")).endswith(
        "1,200 accepted, 0 duplicate, 0 quarantined, 1 rejected\n"
    )
    assert units.with_name("again.csv").read_bytes() == first
    assert (Decision.objects.count(), Job.objects.get().state) == (1200, "done")


def test_waits_for_the_worker_that_does_it_already(
    running: Experiment, units: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = command.enqueue_file(experiment=running, chunks=command.pieces(units))
    theirs = jobs.claim(job)
    assert theirs is not None
    monkeypatch.setattr(command.time, "sleep", lambda _: jobs.run(theirs, command.decide_file))
    assert "1,200 accepted" in run(units)
    assert Job.objects.get().attempts == 1


def test_does_only_its_own_job(workspace: Workspace, running: Experiment, units: Path) -> None:
    earlier = jobs.enqueue(workspace=workspace, kind="analyze", key="1")
    run(units)
    earlier.refresh_from_db()
    assert (earlier.state, earlier.attempts) == ("queued", 0)


def test_refuses(running: Experiment, units: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CommandError, match=r"none\.csv: No such file or directory; check the path"):
        run(units.with_name("none.csv"))
    with pytest.raises(CommandError, match="is the file itself"):
        run(units, "--out", units)
    with pytest.raises(CommandError, match="can't be written"):
        run(units, "--out", units.parent / "none" / "out.csv")
    with pytest.raises(CommandError, match="There is no experiment 'offer'"):
        call_command("decide_file", str(units), "--experiment", "offer")
    units.write_bytes(b"")
    with pytest.raises(CommandError, match=r"units\.csv is empty; send a header and a row for each unit"):
        run(units)
    units.write_text("unit_id,score\nc1,high\n", encoding="utf-8")
    with pytest.raises(CommandError, match=r"units\.csv line 2, column 'score': 'high' is no number.*\[bad-file\]"):
        run(units)


def test_says_why_the_job_failed(running: Experiment, units: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = command.enqueue_file(experiment=running, chunks=command.pieces(units))
    theirs = jobs.claim(job)
    assert theirs is not None
    Job.objects.update(attempts=3)
    theirs.attempts = 3

    def broken(attempt: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(command.time, "sleep", lambda _: jobs.run(theirs, broken))
    with pytest.raises(CommandError, match="OSError: disk full"):
        run(units)
