"""Terms of the glossary lead to the chapter that says more, and every such chapter is there."""

from __future__ import annotations

import pytest
from django.test import Client

from impact.dashboard.chapters import CHAPTERS, chapter_of
from impact.dashboard.documents import html_of
from impact.figures.glossary import glossary


@pytest.mark.parametrize("term", CHAPTERS)
def test_every_chapter_is_there(term: str) -> None:
    assert term in glossary()
    chapter = chapter_of(term)
    assert chapter is not None
    assert not chapter.anchor or f'id="{chapter.anchor}"' in html_of(chapter.document.name, "en")


def test_a_term_that_has_none_has_its_definition() -> None:
    assert chapter_of("unit") is None


@pytest.mark.parametrize(("language", "title"), [("en", "Statistics"), ("ja", "統計")])
def test_the_glossary_links_them(client: Client, language: str, title: str) -> None:
    client.cookies["django_language"] = language
    page = client.get("/glossary").content.decode()
    assert '<div id="net-value">' in page
    assert f'<a href="/docs/statistics#the-methods">{title}</a>' in page
