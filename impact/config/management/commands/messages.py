"""Bring the translation catalogues up to date with the templates and the code, and compile them."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand

from impact.config.translations import untranslated, update


class Command(BaseCommand):
    help = "Update and compile locale/*/LC_MESSAGES; exit 1 with what isn't translated."

    def handle(self, **options: Any) -> None:
        update()
        missing = untranslated()
        for language, text in missing:
            self.stdout.write(f"{language}: {text}")
        if missing:
            sys.exit(1)
