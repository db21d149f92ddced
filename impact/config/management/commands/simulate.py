"""Simulate every method, or the whole product, on data whose truth is known, and print how often it was wrong."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from impact.config.environment import ROOT
from impact.stats.simulation import Row, markdown, placed, simulate

DOCUMENT = ROOT / "docs" / "statistics.md"


class Command(BaseCommand):
    help = "Simulate every statistical method; --write puts the table into docs/statistics.md."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--runs", type=int, default=2_000, help="experiments per row of the table")
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--only", default="", help="rows whose method or data hold this text")
        parser.add_argument("--whole", action="store_true", help="whole experiments instead, from start to verdict")
        parser.add_argument("--write", action="store_true", help=f"put the table into {DOCUMENT.relative_to(ROOT)}")
        parser.add_argument("--json", action="store_true", dest="as_json")

    def handle(self, *, runs: int, write: bool, whole: bool, only: str, **options: Any) -> None:
        if runs < 1:
            raise CommandError(f"--runs {runs}: must be at least 1")
        if only and (write or whole):
            raise CommandError("--write and --whole need every row, so leave out --only")
        if whole:
            self._whole(runs, options["seed"], write, options["as_json"])
        else:
            self._methods(runs, options["seed"], only, write, options["as_json"])

    def _methods(self, runs: int, seed: int, only: str, write: bool, as_json: bool) -> None:
        from impact.stats.simulation.cases import CASES

        cases = [case for case in CASES if only in f"{case.method} {case.data}"]
        rows: list[Row] = []
        for row in simulate(cases, runs, seed):
            rows.append(row)
            self.stderr.write(f"{row.method}, {row.data}: {row.verdict}")
        self.stdout.write(json.dumps([row._asdict() for row in rows], indent=1) if as_json else markdown(rows))
        if write:
            told = f"{runs:,} experiments per row, seed {seed}.\n\n{markdown(rows)}"
            DOCUMENT.write_text(placed(DOCUMENT.read_text(encoding="utf-8"), told), encoding="utf-8")
        if failed := [f"{row.method}, {row.data}" for row in rows if row.verdict == "fails"]:
            raise CommandError(f"outside the bars without saying so: {'; '.join(failed)}")

    def _whole(self, runs: int, seed: int, write: bool, as_json: bool) -> None:
        from impact.config.trials import WORLDS, live, scratch_database
        from impact.stats.simulation import whole

        rows: list[whole.Told] = []
        with scratch_database():
            for world in WORLDS:
                rows.append(whole.tell(world, live(world, runs, seed)))
                self.stderr.write(f"{world.name}: {'; '.join(rows[-1].faults) or 'holds'}")
        table = whole.markdown(rows)
        self.stdout.write(json.dumps([row._asdict() for row in rows], indent=1) if as_json else table)
        if write:
            told = f"{runs:,} experiments per row, seed {seed}.\n\n{table}"
            document = placed(DOCUMENT.read_text(encoding="utf-8"), told, whole.START, whole.END)
            DOCUMENT.write_text(document, encoding="utf-8")
        if faults := [f"{row.world.name}: {fault}" for row in rows for fault in row.faults]:
            raise CommandError(f"outside the bars: {'; '.join(faults)}")
