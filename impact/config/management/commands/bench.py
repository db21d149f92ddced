"""Measure how far this machine carries us, each path beside its floor."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

BENCHES = {"decide": "tests.bench.decide", "ingest": "tests.bench.ingest", "stats": "tests.bench.stats"}


class Command(BaseCommand):
    help = "Measure speed as ratios to a floor that runs beside it, on the database that DATABASE_URL names."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("bench", nargs="*", choices=BENCHES, default=list(BENCHES), help="which, all by default")

    def handle(self, *, bench: list[str], **options: Any) -> None:
        for name in bench:
            import_module(BENCHES[name]).main()
