"""What the commands have in common: errors in one line, the workspace, progress that says what is happening."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor
from tqdm import tqdm

from workspaces.errors import Refusal
from workspaces.models import Workspace
from workspaces.services.people import create_workspace

ACTOR = "command line"


class Command(BaseCommand):
    """A command whose refusals end it with status 1 and one line."""

    def execute(self, *args: Any, **options: Any) -> Any:
        try:
            prepare_database()
        except OperationalError as error:
            raise CommandError(f"DATABASE_URL names a database that can't be used: {str(error).strip()}") from error
        try:
            return super().execute(*args, **options)
        except Refusal as refusal:
            raise CommandError(f"{refusal.detail} [{refusal.code}]") from refusal

    def add_workspace(self, parser: CommandParser) -> None:
        parser.add_argument("--workspace", help="key of the workspace (default: the only one)")

    def workspace(self, key: str | None, *, make: str | None = None) -> Workspace:
        """Find the workspace that is meant; where there is none at all, make one of the currency ``make``."""
        workspaces = Workspace.objects.order_by("key")
        if key is not None:
            found = workspaces.filter(key=key).first()
            if found is None:
                raise CommandError(f"There is no workspace {key!r}; make it with create_workspace {key}.")
            return found
        known = list(workspaces)
        if len(known) == 1:
            return known[0]
        if not known and make:
            return create_workspace(key="default", name="Default", currency=make, actor=ACTOR)
        if not known:
            raise CommandError("There is no workspace yet; make one with create_workspace KEY.")
        named = ", ".join(workspace.key for workspace in known)
        raise CommandError(f"There are several workspaces ({named}); name one with --workspace.")


def prepare_database() -> None:
    """Bring the tables up to date, so that every command works on a bare machine."""
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", verbosity=0, interactive=False)


@contextmanager
def progress_bar(quiet: bool = False) -> Iterator[Any]:
    """Show a share of 1 and what is happening, on standard error: a bar to people, a line a tenth to a file."""
    to_people = sys.stderr.isatty()
    with tqdm(
        total=100,
        disable=quiet or not to_people,
        file=sys.stderr,
        bar_format="{desc:<44.44} {bar:24} {percentage:3.0f} % {elapsed}<{remaining}",
    ) as bar:
        told = -1

        def show(share: float, message: str) -> None:
            nonlocal told
            if to_people:
                bar.set_description_str(message, refresh=False)
                bar.update(max(0.0, 100 * share - bar.n))
                bar.refresh()
            elif int(10 * share) > told and not quiet:
                told = int(10 * share)
                tqdm.write(f"{share:4.0%} {message}", file=sys.stderr)

        yield show
