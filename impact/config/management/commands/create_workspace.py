"""Make a workspace and the link by which its first administrator gets in."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.urls import reverse

from impact.config.terminal import ACTOR
from impact.config.terminal import Command as BaseCommand
from workspaces.services.people import create_workspace, invite


class Command(BaseCommand):
    help = "Make a workspace and print a one-time link for its first administrator."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("key", help="small letters, digits, dots, hyphens and underscores")
        parser.add_argument("--name", help="what people call it (default: the key)")
        parser.add_argument("--currency", default="EUR", help="ISO code of the money it counts in (default: EUR)")
        parser.add_argument("--time-zone", default="UTC", help="like Europe/Berlin (default: UTC)")
        parser.add_argument(
            "--fiscal-year-start",
            type=int,
            default=1,
            help="month in which it begins, 1 to 12 (default: 1); fixed for ever",
        )
        parser.add_argument("--simulated", action="store_true", help="facts may state their time; fixed for ever")

    def handle(
        self,
        *,
        key: str,
        name: str | None,
        currency: str,
        time_zone: str,
        fiscal_year_start: int,
        simulated: bool,
        **options: Any,
    ) -> None:
        workspace = create_workspace(
            key=key,
            name=name or key,
            currency=currency,
            time_zone=time_zone,
            fiscal_year_start=fiscal_year_start,
            simulated=simulated,
            actor=ACTOR,
        )
        _, token = invite(workspace=workspace, role="admin", actor=ACTOR)
        self.stdout.write(f"Workspace {key} is made. Its first administrator opens, within 7 days and once:")
        self.stdout.write(f"    {settings.BASE_URL}{reverse('join', args=[token])}")
