"""The worker's settings: one tick, acknowledged late, and a broker that may be away."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from impact.config.celery import TICK, app, configure


def test_ticks_and_nothing_else() -> None:
    [tick] = configure()["beat_schedule"].values()
    assert (tick["task"], tick["schedule"], tick["options"]["expires"]) == ("impact.tick", TICK, TICK)
    assert {name for name in app.tasks if name.startswith("impact.")} == {"impact.tick", "impact.drain"}


def test_a_message_is_only_a_hint() -> None:
    said = configure()
    assert said["task_ignore_result"] and said["task_acks_late"] and not said["task_publish_retry"]
    assert said["accept_content"] == [said["task_serializer"]] == ["json"]


def test_without_a_server_messages_are_files(settings: Any, tmp_path: Path) -> None:
    settings.BROKER_URL, settings.DATA_DIR = "filesystem://", tmp_path
    folders = set(configure()["broker_transport_options"].values())
    assert folders == {str(tmp_path / "broker" / name) for name in ("queue", "control")}
    assert all(Path(folder).is_dir() for folder in folders)


@pytest.mark.parametrize("url", ["redis://127.0.0.1:6379/7", "amqp://guest:guest@127.0.0.1:5672//"])
def test_nobody_waits_for_a_broker_that_is_away(settings: Any, url: str) -> None:
    settings.BROKER_URL = url
    said = configure()
    assert said["broker_url"] == url
    assert said["broker_transport_options"]["socket_connect_timeout"] == 1
    assert said["broker_transport_options"]["max_retries"] == 1
