"""The worker and its one tick. A message is only a hint: what is due stands in the jobs' table."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "impact.config.settings")

TICK = 10.0
# the file whose time is the tick's last sign of life
TICKED = "ticked"
# a web process must not wait for a broker that is away
IMPATIENT = {
    "socket_connect_timeout": 1,
    "socket_timeout": 5,
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0,
    "interval_max": 0,
}

app = Celery("impact")


def configure() -> dict[str, Any]:
    """Read the broker from the settings; nothing else of Celery is configurable."""
    from django.conf import settings

    options: dict[str, Any] = dict(IMPATIENT)
    if settings.BROKER_URL.startswith("filesystem"):
        folder = settings.DATA_DIR / "broker"
        for name in ("queue", "control"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        options = {
            "data_folder_in": str(folder / "queue"),
            "data_folder_out": str(folder / "queue"),
            "processed_folder": str(folder / "queue"),
            "control_folder": str(folder / "control"),
        }
    return {
        "broker_url": settings.BROKER_URL,
        "broker_transport_options": options,
        "broker_connection_timeout": 2,
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "task_publish_retry": False,
        "task_serializer": "json",
        "accept_content": ["json"],
        "task_ignore_result": True,
        "task_acks_late": True,
        "task_reject_on_worker_lost": False,
        "worker_prefetch_multiplier": 1,
        "worker_max_tasks_per_child": 200,
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "task_default_queue": "impact",
        "beat_schedule": {
            "tick": {"task": "impact.tick", "schedule": TICK, "options": {"expires": TICK}},
        },
        "timezone": "UTC",
    }


app.add_defaults(configure)


@setup_logging.connect
def keep_logging(**kwargs: Any) -> None:
    """Leave logging as the settings configure it."""


@app.task(name="impact.drain")
def drain() -> None:
    """Do what is due."""
    from impact.config.jobs import drain

    drain()


@app.task(name="impact.tick")
def tick() -> None:
    """Enqueue what has become due by time, then do what is due."""
    from impact.config.jobs import tick

    tick()
