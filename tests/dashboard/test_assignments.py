"""A file of units by page: sent once, decided as a job, fetched with its actions."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from experiments.models import Decision, Experiment
from tests.conftest import enter, signed_in
from workspaces.models import Job, Membership, Workspace

PATH = "/w/mobile/experiments/offers/assignments"
FEW = b"unit_id,score,tenure,plan\nc1,0.3,12,basic\nc2,0.4,,gone\n"


@pytest.fixture
def analyst(workspace: Workspace) -> Client:
    return signed_in(enter(workspace, "ann@example.com", "analyst"))


def send(client: Client, content: bytes = FEW) -> Any:
    return client.post(PATH, {"file": SimpleUploadedFile("units.csv", content)})


def test_comes_back_with_its_actions(analyst: Client, running: Experiment, drain: Callable[[], None]) -> None:
    assert send(analyst)["Location"] == "/w/mobile/jobs"
    waiting = analyst.get("/w/mobile/jobs").content.decode()
    assert "waits" in waiting and "/file" not in waiting
    drain()
    job = Job.objects.get(kind="decide-file")
    address = f"/w/mobile/jobs/{job.pk}/file"
    assert address in analyst.get("/w/mobile/jobs").content.decode()
    assert address in analyst.get(PATH).content.decode()
    answer = analyst.get(address)
    assert answer["Content-Disposition"].startswith("attachment")
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))  # type: ignore[attr-defined]
    assert [row["unit_id"] for row in rows] == ["c1", "c2"]
    assert {row["action"] for row in rows} <= {"none", "bonus"}
    assert {row["decision_id"] for row in rows} == {str(one.pk) for one in Decision.objects.all()}


def test_the_same_file_again_is_the_same_job(analyst: Client, running: Experiment, drain: Callable[[], None]) -> None:
    send(analyst)
    drain()
    send(analyst)
    assert Job.objects.filter(kind="decide-file").count() == 1
    assert Decision.objects.count() == 2


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"unit_id,colour\nc1,red\n", "colour"), (b"", "units.csv"), (b"unit_id,score\nc1,x\n", "line 2")],
)
def test_a_file_that_can_not_be_read_is_refused(
    analyst: Client, running: Experiment, content: bytes, said: str
) -> None:
    answer = send(analyst, content)
    assert answer.status_code == 400
    assert said in answer.content.decode() and 'aria-invalid="true"' in answer.content.decode()
    assert not Job.objects.filter(kind="decide-file").exists()


def test_before_the_start_nothing_is_decided(analyst: Client, churn: Experiment) -> None:
    answer = send(analyst)
    assert answer.status_code == 400 and "start it first" in answer.content.decode()


def test_a_viewer_neither_sends_nor_fetches(
    mate: Membership, stranger: Membership, analyst: Client, running: Experiment, drain: Callable[[], None]
) -> None:
    send(analyst)
    drain()
    job = Job.objects.get(kind="decide-file")
    viewer = signed_in(mate)
    assert send(viewer).status_code == 403 and viewer.get(PATH).status_code == 403
    assert viewer.get(f"/w/mobile/jobs/{job.pk}/file").status_code == 403
    assert "/file" not in viewer.get("/w/mobile/jobs").content.decode()
    assert signed_in(stranger).get(f"/w/other/jobs/{job.pk}/file").status_code == 404
