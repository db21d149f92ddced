"""Declare models, actions, decision points, policies, metrics, agreements, experiments, reports from YAML."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from impact.config.declarations import apply_files
from impact.config.terminal import ACTOR
from impact.config.terminal import Command as BaseCommand

SIGNS = {"created": "+", "changed": "~"}


class Command(BaseCommand):
    help = "Declare what the files hold; the same files twice change nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="+", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="show the changes and make none")
        self.add_workspace(parser)

    def handle(self, *, files: list[Path], dry_run: bool, workspace: str | None, **options: Any) -> None:
        changes = apply_files(self.workspace(workspace), files, ACTOR, dry_run=dry_run)
        for change in changes:
            if change.did in SIGNS:
                self.stdout.write(f"{SIGNS[change.did]} {change.kind} {change.key}")
            if change.did == "changed":
                for name, (before, after) in change.fields.items():
                    self.stdout.write(f"    {name}: {before} -> {after}")
        unchanged = sum(change.did == "unchanged" for change in changes)
        self.stdout.write(f"= {unchanged} unchanged{', nothing was written (--dry-run)' if dry_run else ''}")
