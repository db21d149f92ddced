"""Template filters: dates in the reader's form, terms with their definition."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.translation import get_language

from impact.figures.forms import Forms
from impact.figures.glossary import definition
from impact.figures.words.acts import act as act_word
from impact.figures.words.codes import word as code_word
from workspaces.saying import in_words

register = template.Library()
CODE = re.compile("[a-z]+(-[a-z]+)+")


@register.filter
def day(at: datetime | None, time_zone: str = "UTC") -> str:
    return Forms(get_language() or "en").day(at, time_zone) if at else ""


@register.filter
def moment(at: datetime | None, time_zone: str = "UTC") -> str:
    return Forms(get_language() or "en").moment(at, time_zone) if at else ""


@register.filter
def month_name(number: int) -> str:
    return Forms(get_language() or "en").month_name(number)


@register.filter
def word(code: str) -> str:
    return code_word(code, get_language() or "en") if code else ""


@register.filter
def act(action: str) -> str:
    return act_word(action, get_language() or "en")


@register.filter
def refused(reason: str) -> str:
    """A stored reason, which is English, in the reader's language; that of a job begins with its code."""
    code, _, detail = reason.partition(": ")
    return f"{code}: {in_words(detail)}" if CODE.fullmatch(code) else in_words(reason)


@register.filter
def percent(share: float) -> str:
    return Forms(get_language() or "en").percent(share)


@register.filter
def number(value: float, decimals: int = 0) -> str:
    return Forms(get_language() or "en").number(value, decimals)


@register.filter
def amount(value: float) -> str:
    return Forms(get_language() or "en").plain(value)


@register.filter
def money(amount: float, currency: str) -> str:
    return Forms(get_language() or "en").money(amount, currency)


@register.simple_tag
def term(key: str, place: str = "", head: bool = False) -> Any:
    """A word with its definition on hover and focus, from the one glossary; ``head`` begins a line."""
    word, meaning = definition(key, get_language() or "en")
    return format_html(
        '<span class="term" tabindex="0" aria-describedby="def-{0}{3}">{1}'
        '<span class="tip" role="tooltip" id="def-{0}{3}">{2}</span></span>',
        key.replace(" ", "-"),
        word[:1].upper() + word[1:] if head else word,
        meaning,
        place,
    )
