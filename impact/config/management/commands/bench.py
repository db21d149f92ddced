"""Measure how far this machine carries us, each path beside its floor."""

from __future__ import annotations

import json
from importlib import import_module
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

BENCHES = ("decide", "ingest", "analyze", "pages")


class Command(BaseCommand):
    help = "Measure speed as ratios to a floor that runs beside it, on the database that DATABASE_URL names."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("bench", nargs="*", choices=BENCHES, default=list(BENCHES), help="which, all by default")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *, bench: list[str], **options: Any) -> None:
        # measuring belongs to the tests, which a deployment may leave out
        told = import_module("tests.bench.rows")
        measured = [row for name in bench for row in import_module(f"tests.bench.{name}").rows()]
        if options["json"]:
            content = {"machine": told.machine(), "rows": [row.as_json() for row in measured]}
            self.stdout.write(json.dumps(content, indent=2))
        else:
            self.stdout.write(told.table(measured))
