"""The one glossary: both languages, every term that a page explains, every code that a page shows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from experiments.models import Status
from impact.agreements.models import Assumption
from impact.config.jobs import KINDS
from impact.figures.glossary import GLOSSARY, definition, glossary
from impact.figures.words.codes import CODES, word
from impact.reports.models import Report
from workspaces.models.people import Role, SignsFor

TEMPLATES = Path(__file__).parents[2] / "templates"


def test_every_term_is_defined_in_both_languages() -> None:
    assert len(glossary()) > 30
    for key, meanings in glossary().items():
        for language in ("en", "ja"):
            term, meaning = meanings[language]
            assert term and meaning, (key, language)
        assert meanings["en"][1] != meanings["ja"][1]


def test_every_term_of_a_page_is_in_it() -> None:
    named = {
        found
        for path in TEMPLATES.rglob("*.html")
        for found in re.findall(r'{% term "([^"]+)"', path.read_text(encoding="utf-8"))
    }
    assert {"net value", "ROI", "snapshot"} <= named
    for key in named:
        assert definition(key, "en")[1] and definition(key, "ja")[1]


def test_is_the_file_that_people_read() -> None:
    assert GLOSSARY.read_text(encoding="utf-8").startswith("#")
    assert set(glossary()) <= set(re.findall(r"^\| ?([^|]+?) ?\|", GLOSSARY.read_text(encoding="utf-8"), re.M))


@pytest.mark.parametrize("language", ["en", "ja"])
def test_every_code_that_is_stored_has_a_word(language: str) -> None:
    measured = {code for code, _ in Assumption._meta.get_field("status").flatchoices}
    stored = {*Status.values, *Role.values, *SignsFor.values, *Report.Status.values, *KINDS, *measured}
    assert stored <= set(CODES)
    assert all(word(code, language) for code in stored)
