"""The catalogues of the pages' texts and of refusals: extracted from templates and code, kept in locale, compiled."""

from __future__ import annotations

import io
from collections.abc import Iterator
from itertools import product
from pathlib import Path

from babel.messages import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

from impact.config.environment import ROOT
from impact.config.refusing import refusals

KEYWORDS = {"_": None, "gettext": None, "gettext_lazy": None, "ngettext": (1, 2), "pgettext": ((1, "c"), 2)}
LANGUAGES = ("ja",)


def texts() -> Iterator[tuple[str, str | tuple[str, ...]]]:
    """Every text that pages mark for translation, with the file it stands in."""
    for path in sorted((ROOT / "templates").rglob("*.*")):
        # what stands around the tags is no Python, and its indentation would not fit
        source = "\n".join(line.lstrip() for line in templatize(path.read_text(encoding="utf-8")).splitlines())
        for _, message, _, _ in extract("python", io.BytesIO(source.encode()), KEYWORDS):
            yield str(path.relative_to(ROOT)), message
    for folder in ("workspaces", "impact/dashboard", "impact/ledger", "impact/reports", "impact/config"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            with path.open("rb") as file:
                for _, message, _, _ in extract("python", file, KEYWORDS):
                    yield str(path.relative_to(ROOT)), message


# a catalogue -> what stands in it
DOMAINS = {"django": texts, "refusals": refusals}


def catalogue_path(language: str, suffix: str, domain: str = "django") -> Path:
    return ROOT / "locale" / language / "LC_MESSAGES" / f"{domain}.{suffix}"


def update() -> None:
    """Rewrite the catalogues: new texts are added, those that are gone are dropped, translations stay."""
    for language, domain in product(LANGUAGES, DOMAINS):
        path = catalogue_path(language, "po", domain)
        path.parent.mkdir(parents=True, exist_ok=True)
        known = read_po(path.open("rb"), locale=language) if path.exists() else Catalog(locale=language)
        # the first date for ever, so that the same texts give the same file
        fresh = Catalog(
            locale=language,
            fuzzy=False,
            project="Impact",
            version="1",
            header_comment=f"# Texts of the pages in {language}; update with manage.py messages.",
            creation_date=known.creation_date,
        )
        for _, message in DOMAINS[domain]():
            old = known.get(message if isinstance(message, str) else message[0])
            fresh.add(message, old.string if old else "")
        with path.open("wb") as file:
            write_po(file, fresh, omit_header=False, sort_output=True, width=110)
    for language in LANGUAGES:
        catalogue_path(language, "mo").write_bytes(compiled(language))


def compiled(language: str) -> bytes:
    """Return what the catalogue compiles to."""
    content = io.BytesIO()
    with catalogue_path(language, "po").open("rb") as file:
        write_mo(content, read_po(file, locale=language))
    return content.getvalue()


def untranslated() -> list[tuple[str, str]]:
    """(language, text) of everything that a catalogue lacks."""
    missing = []
    for language, domain in product(LANGUAGES, DOMAINS):
        with catalogue_path(language, "po", domain).open("rb") as file:
            catalogue = read_po(file, locale=language)
        for _, message in DOMAINS[domain]():
            text = message if isinstance(message, str) else message[0]
            found = catalogue.get(text)
            if found is None or not found.string or (isinstance(found.string, tuple) and not all(found.string)):
                missing.append((language, text))
    return missing
