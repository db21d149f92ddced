"""Load a finished experiment from CSV or Parquet, analyse it, and print the verdict."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from impact.agreements.loading.load import arms_without_cost, load_experiment
from impact.agreements.loading.specification import read_specification
from impact.agreements.plan import from_content
from impact.analysis.services import analyze
from impact.config.summary import summary
from impact.config.terminal import ACTOR, progress_bar
from impact.config.terminal import Command as BaseCommand
from impact.figures.sentences import completed


class Command(BaseCommand):
    help = "Load a finished experiment and say what it was worth."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--spec", type=Path, required=True, help="YAML that says which column is what")
        parser.add_argument("--json", action="store_true", dest="as_json", help="print the results document")
        self.add_workspace(parser)

    def handle(self, *, file: Path, spec: Path, as_json: bool, workspace: str | None, **options: Any) -> None:
        specification = read_specification(spec)
        into = self.workspace(workspace, make=specification.currency or "EUR")
        with progress_bar(quiet=not self.stderr.isatty()) as show:
            experiment = load_experiment(
                workspace=into, path=file, spec=specification, actor=ACTOR, progress=lambda s, m: show(0.7 * s, m)
            )
            analysis = analyze(
                experiment=experiment,
                # the load's own instant, so that the same file gives the same analysis
                as_of=experiment.created_at + timedelta(seconds=1),
                progress=lambda s, m: show(0.7 + 0.3 * s, m),
            )
            show(1.0, "done")
        plan = from_content(experiment.plan)
        for arm in arms_without_cost(specification, plan):
            self.stderr.write(f"The arm {arm!r} has no cost in the specification, so it costs 0.")
        document = completed(analysis.document)
        if as_json:
            self.stdout.write(json.dumps(document, ensure_ascii=False, indent=1))
        else:
            self.stdout.write(summary(document))
