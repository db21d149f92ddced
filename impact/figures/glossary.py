"""The one glossary: every term with its definition in each language, read from docs/glossary.md."""

from __future__ import annotations

from functools import cache
from pathlib import Path

GLOSSARY = Path(__file__).resolve().parents[2] / "docs" / "glossary.md"


@cache
def glossary() -> dict[str, dict[str, tuple[str, str]]]:
    """Return key -> language -> (term, definition), in the file's order."""
    terms: dict[str, dict[str, tuple[str, str]]] = {}
    for line in GLOSSARY.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) == 4 and cells[0] not in ("term", "---"):
            term, meaning, term_ja, meaning_ja = cells
            terms[term] = {"en": (term, meaning), "ja": (term_ja, meaning_ja)}
    return terms


def definition(key: str, language: str) -> tuple[str, str]:
    """Return a term's word and definition."""
    return glossary()[key][language]
