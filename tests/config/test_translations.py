"""The Japanese pages: every text translated, none doubtful, the compiled catalogue that of the source."""

from __future__ import annotations

import re

import pytest
from babel.messages import Catalog
from babel.messages.pofile import read_po

from impact.config.openapi import document
from impact.config.translations import DOMAINS, LANGUAGES, catalogue_path, compiled, untranslated
from impact.figures.words import en

# words of docs/glossary.md that mean the same as ours, and so stand nowhere
SYNONYMS = (
    "subject", "entity", "inference", "intervention", "playbook", "strategy", "variant", "allocation", "bucket",
    "exposure", "conversion", "kpi", "pre-registration",
)  # fmt: skip
SYNONYM = re.compile(rf"\b({'|'.join(SYNONYMS)})s?\b", re.I)


def catalogue(language: str, domain: str = "django") -> Catalog:
    with catalogue_path(language, "po", domain).open("rb") as file:
        return read_po(file, locale=language)


def wanted(domain: str = "django") -> set[str]:
    return {message if isinstance(message, str) else message[0] for _, message in DOMAINS[domain]()}


def test_texts_are_found_in_templates_and_code() -> None:
    assert {
        "Waiting for you",
        "Signed for %(signs_for)s.",
        "Not agreed beforehand: this experiment was loaded after it had ended.",
    } <= wanted()


def test_nothing_is_untranslated() -> None:
    assert untranslated() == []


@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_doubtful_or_left_over(language: str, domain: str) -> None:
    messages = [message for message in catalogue(language, domain) if message.id]
    assert [message.id for message in messages if message.fuzzy] == []
    assert {message.id if isinstance(message.id, str) else message.id[0] for message in messages} == wanted(domain)
    assert catalogue(language, domain).obsolete == {}


@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_filled_in_is_the_same_in_both(language: str, domain: str) -> None:
    filled = re.compile(r"%\(\w+\)s" if domain == "django" else r"\{\w+(?:!r)?\}")
    for message in catalogue(language, domain):
        if isinstance(message.id, str) and message.id:
            fields = [set(filled.findall(text)) for text in (message.id, str(message.string))]
            assert fields[0] == fields[1], message.id


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_compiled_catalogue_is_that_of_the_source(language: str) -> None:
    assert catalogue_path(language, "mo").read_bytes() == compiled(language)


def test_no_page_and_no_call_uses_a_synonym() -> None:
    assert sorted(text for text in wanted() if SYNONYM.search(text)) == []
    assert SYNONYM.findall(str(document())) == []
    said = [value for value in vars(en).values() if isinstance(value, dict)]
    assert [text for words in said for text in words.values() if SYNONYM.search(str(text))] == []
