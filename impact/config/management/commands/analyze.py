"""Analyse an experiment now, in the foreground, by the same code as the job."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from django.core.management.base import CommandError, CommandParser

from experiments.selectors import experiment_named
from impact.analysis.services import analyze
from impact.config.summary import summary
from impact.config.terminal import Command as BaseCommand
from impact.figures.sentences import completed


class Command(BaseCommand):
    help = "Analyse an experiment now and print what may be said."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("experiment")
        parser.add_argument("--as-of", help="time with its zone, like 2026-01-31T12:00:00Z (default: now)")
        parser.add_argument("--json", action="store_true", dest="as_json", help="print the results document")
        self.add_workspace(parser)

    def handle(
        self, *, experiment: str, as_of: str | None, as_json: bool, workspace: str | None, **options: Any
    ) -> None:
        at = None
        if as_of is not None:
            try:
                at = datetime.fromisoformat(as_of)
            except ValueError:
                at = None
            if at is None or at.tzinfo is None:
                raise CommandError(f"--as-of {as_of!r}: write a time with its zone, like 2026-01-31T12:00:00Z")
        shown = experiment_named(self.workspace(workspace), experiment)
        analysis = analyze(experiment=shown, as_of=at)
        document = completed(analysis.document, "en", (shown.plan or {}).get("case"))
        self.stdout.write(json.dumps(document, ensure_ascii=False, indent=1) if as_json else summary(document))
