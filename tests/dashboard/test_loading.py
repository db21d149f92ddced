"""A finished experiment is loaded from a page: as a job, whose experiment is analysed next."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from experiments.models import Experiment
from impact.analysis.models import Analysis
from impact.dashboard.loading import EXAMPLE, LOAD
from tests.conftest import enter, signed_in
from tests.dashboard.test_views import page
from workspaces.models import Job, Membership, Workspace

ROWS = (Path(settings.ROOT) / "static/examples/mails.csv").read_bytes()
AT = "/w/mobile/load"


@pytest.fixture
def client(workspace: Workspace) -> Client:
    return signed_in(enter(workspace, "ana@example.com", "analyst"))


def send(client: Client, content: bytes = ROWS, specification: str = EXAMPLE) -> object:
    file = SimpleUploadedFile("rows.csv", content)
    return client.post(AT, {"file": file, "specification": specification}, follow=True)


def test_the_example_on_the_page_is_loaded_and_analysed(
    client: Client, drain: Callable[[], None], workspace: Workspace
) -> None:
    assert "it fits the example" in page(client, "load")
    answer = send(client)
    assert answer.redirect_chain == [("/w/mobile/jobs", 302)]  # type: ignore[attr-defined]
    assert "leads to the experiment" in answer.content.decode()  # type: ignore[attr-defined]
    drain()
    experiment = Experiment.objects.within(workspace).get()
    assert (experiment.key, experiment.origin) == ("mails", "loaded")
    assert Analysis.objects.get(experiment=experiment).document["money"] is not None
    assert 'href="/w/mobile/experiments/mails"' in page(client, "jobs")
    assert "Measured, Mails to customers" in page(client, "")


def test_the_same_file_again_is_the_same_job(client: Client, drain: Callable[[], None]) -> None:
    send(client)
    send(client)
    drain()
    send(client)
    assert Job.objects.filter(kind=LOAD).count() == 1 and Experiment.objects.count() == 1


@pytest.mark.parametrize(
    ("specification", "said"),
    [
        ("experiment: [", "is not YAML"),
        ("", "The specification"),
        ("experiment: x\nunit: {column: u}", "The specification"),
    ],
)
def test_a_bad_specification_is_refused_at_once(client: Client, specification: str, said: str) -> None:
    answer = send(client, specification=specification)
    text = answer.content.decode()  # type: ignore[attr-defined]
    assert answer.status_code == 400 and said in text  # type: ignore[attr-defined]
    assert str(settings.DATA_DIR) not in text and not Job.objects.exists()


def test_without_a_file_nothing_is_asked_for(client: Client) -> None:
    answer = client.post(AT, {"specification": EXAMPLE})
    assert answer.status_code == 400 and "Choose a file." in answer.content.decode()


def test_a_bad_row_is_named_where_the_job_is(client: Client, drain: Callable[[], None]) -> None:
    send(client, ROWS + b"c9999,none,web,2,0\n")
    drain()
    job = Job.objects.get(kind=LOAD)
    assert job.state == "failed" and "line 1502" in job.error
    assert str(settings.DATA_DIR) not in job.error and not Experiment.objects.exists()
    # what a worker stored in English is read in the reader's language
    shown = client.get("/w/mobile/jobs", HTTP_ACCEPT_LANGUAGE="ja").content.decode()
    assert "ファイルの行1502、列" in shown and "line 1502" not in shown


def test_a_refusal_is_said_in_the_readers_language(client: Client) -> None:
    file = SimpleUploadedFile("rows.csv", ROWS)
    answer = client.post(AT, {"file": file, "specification": "- x"}, HTTP_ACCEPT_LANGUAGE="ja")
    assert "仕様：「experiment: キー」とほかのキーを1行に一つ書いてください" in answer.content.decode()


def test_viewers_and_strangers_load_nothing(mate: Membership, stranger: Membership) -> None:
    for membership, status in ((mate, 403), (stranger, 404)):
        assert signed_in(membership).get(AT).status_code == status
        assert send(signed_in(membership)).status_code == status  # type: ignore[attr-defined]
    assert not Job.objects.exists()
