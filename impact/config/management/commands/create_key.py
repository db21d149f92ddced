"""Make an API key and print it once."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from impact.config.terminal import ACTOR
from impact.config.terminal import Command as BaseCommand
from workspaces.models import SCOPES
from workspaces.services.keys import create_key


class Command(BaseCommand):
    help = "Make an API key and print it once; only its digest is kept."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--scopes", required=True, help=f"some of {','.join(SCOPES)}, separated by commas")
        parser.add_argument("--name", default="command line", help="what it is for")
        self.add_workspace(parser)

    def handle(self, *, scopes: str, name: str, workspace: str | None, **options: Any) -> None:
        wanted = [scope.strip() for scope in scopes.split(",") if scope.strip()]
        _, secret = create_key(workspace=self.workspace(workspace), name=name, scopes=wanted, actor=ACTOR)
        self.stdout.write(secret)
