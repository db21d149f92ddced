"""The health page: what works, what doesn't, and what to do about it."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from impact.config import health
from impact.config.celery import TICKED
from impact.config.jobs import tick
from tests.conftest import signed_in
from workspaces import clock
from workspaces.models import Job, Membership, Workspace
from workspaces.services.jobs import claim, enqueue

GONE = "Nothing is analysed, imported or reported."


@pytest.fixture(autouse=True)
def _own_place(settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path


def shown(mate: Membership) -> str:
    answer = signed_in(mate).get("/w/mobile/health")
    assert answer.status_code == 200
    return answer.content.decode()


def test_says_what_it_works_with(mate: Membership) -> None:
    page = shown(mate)
    assert f"{connection.display_name} " in page and "Files in the data directory." in page
    assert ("It serves one machine" in page) is (connection.vendor == "sqlite")
    assert f"Impact {health.VERSION}" in page


def test_the_version_is_that_of_the_package() -> None:
    assert f'version = "{health.VERSION}"' in Path("pyproject.toml").read_text(encoding="utf-8")


def test_the_tick_is_alive_after_it_has_ticked(mate: Membership, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("impact.config.jobs.close_old_connections", lambda: None)
    page = shown(mate)
    assert "No tick yet." in page and GONE in page and page.count("doesn&#x27;t work") + page.count("doesn't work") == 1
    tick()
    page = shown(mate)
    assert "Last tick" in page and GONE not in page


def test_a_tick_of_long_ago_is_no_sign_of_life(
    mate: Membership, workspace: Workspace, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (settings.DATA_DIR / TICKED).touch()
    old = (clock.server_now() - health.SILENT - timedelta(seconds=5)).timestamp()
    os.utime(settings.DATA_DIR / TICKED, (old, old))
    assert GONE in shown(mate)
    enqueue(workspace=workspace, kind="analyze", key="long")
    claim()
    assert GONE not in shown(mate)
    Job.objects.update(lease_until=clock.server_now() - timedelta(seconds=1))
    assert GONE in shown(mate)


def test_counts_jobs_that_wait_run_and_failed(
    mate: Membership, workspace: Workspace, other_workspace: Workspace
) -> None:
    assert health.jobs(workspace, clock.server_now())["state"] == "pass"
    now = clock.server_now()
    for place, state in enumerate(("queued", "queued", "failed", "done")):
        job = enqueue(workspace=workspace, kind="analyze", key=str(place), due_at=now - timedelta(minutes=place))
        Job.objects.filter(pk=job.pk).update(state=state)
    enqueue(workspace=workspace, kind="analyze", key="later", due_at=now + timedelta(days=1))
    enqueue(workspace=other_workspace, kind="analyze", key="elsewhere", due_at=now - timedelta(days=1))
    page = shown(mate)
    assert "2 due and waiting, 0 running, 1 failed." in page and "Each failed job says why:" in page
    assert "More workers help" not in page
    Job.objects.filter(key="1").update(due_at=now - health.LONG - timedelta(seconds=5))
    assert "More workers help" in shown(mate)


def test_a_broker_that_is_away_is_told_without_its_password(mate: Membership, settings: Any) -> None:
    settings.BROKER_URL = "redis://me:s3cret@127.0.0.1:1/0"
    page = shown(mate).replace("&#x27;", "'")
    assert "redis can't be reached" in page and "Nothing is lost" in page
    assert "s3cret" not in page


@pytest.mark.parametrize(
    ("share", "state"),
    [(1.0, "pass"), (0.1, "pass"), (0.099, "warn"), (0.03, "warn"), (0.029, "block"), (0.0, "block")],
)
def test_says_when_space_runs_out(share: float, state: str) -> None:
    assert health.space_state(share) == state


def test_is_for_members_only(mate: Membership, stranger: Membership) -> None:
    assert signed_in(stranger).get("/w/mobile/health").status_code == 404


def test_many_jobs_cost_no_more_queries(mate: Membership, workspace: Workspace) -> None:
    client, counts = signed_in(mate), []
    for number in (1, 3):
        for place in range(number):
            enqueue(workspace=workspace, kind="analyze", key=f"{number} {place}")
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/w/mobile/health").status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]
