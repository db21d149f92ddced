"""Import a file of facts in the foreground, with progress."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from impact.config.management.commands.decide_file import COUNTS, finish, pieces
from impact.config.terminal import Command as BaseCommand
from impact.config.terminal import progress_bar
from impact.ledger.imports.load import enqueue_import, import_facts
from impact.ledger.kinds import IMPORTED
from workspaces.files import answer_file
from workspaces.models import Job


class Command(BaseCommand):
    help = "Import a file of facts: CSV, NDJSON or Parquet."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="CSV, NDJSON or Parquet, with the fields of the API as columns")
        parser.add_argument("--kind", required=True, choices=IMPORTED, help="what its rows are")
        self.add_workspace(parser)

    def handle(self, *, file: Path, kind: str, workspace: str | None, **options: Any) -> None:
        into = self.workspace(workspace)
        with progress_bar(quiet=not self.stderr.isatty()) as show:
            job = enqueue_import(workspace=into, many=kind, chunks=pieces(file), name=str(file))
            finish(job, lambda attempt: import_facts(attempt, show), show)
        if job.state == Job.State.FAILED:
            raise CommandError(job.error)
        counts = job.result
        self.stdout.write(f"{file}: {', '.join(f'{counts[name]:,} {name}' for name in COUNTS)}")
        if counts["quarantined"] or counts["rejected"]:
            self.stdout.write(f"reasons, row by row: {answer_file(job)}")
