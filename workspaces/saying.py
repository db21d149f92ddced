"""A refusal in the reader's language: raised, answered and stored in English, said on a page as it is read."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from babel.messages.pofile import read_po
from django.conf import settings
from django.utils.translation import get_language

FILLED = re.compile(r"\{(\w+)(!r)?\}")
# names of values that are one word, or digits
NARROW = {"place": r"\w+", "number": r"\d+"}
# a value as Python shows it: a quoted text, a list, or one word
SHOWN = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[\[({].*?[\])}]|[^\s'"]*?"""


def in_words(text: str) -> str:
    """What was refused, in the language of the page; what nobody has words for stays as it is.

    The English text is taken apart again, so that a reason which was stored long ago, or by a worker, is read in
    any language, and pure modules refuse without knowing one (docs/decisions/0011).
    """
    return _translated(text, get_language() or "en")


def _translated(text: str, language: str) -> str:
    if (exact := _exact(language).get(text)) is not None:
        return exact
    for pattern, translation, worded in _shapes(language):
        if found := pattern.fullmatch(text):
            values = {
                name: value if value[:1] in ("'", '"') else _translated(value, language)
                for name, value in found.groupdict().items()
            }
            # names and values only, as in "{path}: {error}": it is ours if one of them is
            if worded or values != found.groupdict():
                return _filled(translation, values)
    parts = [_exact(language).get(part) for part in text.split(", ")]
    return "、".join(filter(None, parts)) if all(parts) else text


def _filled(translation: str, values: dict[str, str]) -> str:
    return FILLED.sub(lambda place: values[place[1]], translation)


@cache
def _exact(language: str) -> dict[str, str]:
    return {text: translation for text, translation in _catalogue(language) if not FILLED.search(text)}


@cache
def _shapes(language: str) -> list[tuple[re.Pattern[str], str, bool]]:
    """(pattern, translation, whether it says a word itself) of each refusal with values, those that say most first."""
    shapes = [one for one in _catalogue(language) if FILLED.search(one[0])]
    shapes.sort(key=lambda one: -len(FILLED.sub("", one[0])))
    return [
        (_pattern(text), translation, bool(re.search("[A-Za-z]", FILLED.sub("", text)))) for text, translation in shapes
    ]


def _pattern(text: str) -> re.Pattern[str]:
    pattern, last = "", 0
    for place in FILLED.finditer(text):
        fits = SHOWN if place[2] else NARROW.get(place[1], ".*?")
        pattern += re.escape(text[last : place.start()]) + f"(?P<{place[1]}>{fits})"
        last = place.end()
    return re.compile(pattern + re.escape(text[last:]), re.S)


@cache
def _catalogue(language: str) -> list[tuple[str, str]]:
    path = Path(settings.LOCALE_PATHS[0]) / language / "LC_MESSAGES" / "refusals.po"
    if not path.exists():
        return []
    with path.open("rb") as file:
        return [(str(one.id), str(one.string)) for one in read_po(file, locale=language) if one.id and one.string]
