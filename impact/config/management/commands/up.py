"""Migrate, then run web server, worker and tick until told to stop."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from impact.config.supervisor import Supervisor
from impact.config.terminal import Command as BaseCommand


class Command(BaseCommand):
    help = "Migrate, then run web server, worker and tick until Ctrl-C or SIGTERM."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--workers", type=int, default=2, help="web server processes")

    def handle(self, *, host: str, port: int, workers: int, **options: Any) -> None:
        with Supervisor(host, port, workers) as supervisor:
            supervisor.wait_until_ready()
            self.stdout.write(f"Impact is at {supervisor.address}")
            self.stdout.flush()
            supervisor.watch()
