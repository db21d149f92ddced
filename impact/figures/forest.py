"""The forest figure: every comparison on one axis with a strong zero, in percentages of the width."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from impact.figures.forms import Forms, decimals_for
from impact.figures.sentences import WORDS

TICKS = 6
ROW = 58
HEAD = 22


@dataclass(frozen=True, slots=True)
class Bar:
    """One comparison: its label, fixed word, estimate and range; not ``compared`` with the baseline, no word."""

    label: str
    level: str
    effect: float
    low: float
    high: float
    compared: bool = True


def forest(
    bars: Sequence[Bar], forms: Forms, *, worth: float | None = None, currency: str | None = None
) -> dict[str, Any]:
    """Lay out bars on one axis.

    Parameters
    ----------
    bars : sequence of Bar
    forms : Forms
    worth : float, optional
        The smallest effect worth acting on; drawn dashed if it isn't 0.
    currency : str, optional
        Of the effects, if they are money: decides decimals.

    Returns
    -------
    dict
        Positions ``x`` in percent of the width, ``y`` in pixels, texts in the reader's form.
    """
    ends = [0.0, *(end for bar in bars for end in (bar.low, bar.high) if math.isfinite(end))]
    if worth:
        ends.append(worth)
    step = nice_step(max(ends) - min(ends))
    # both sides of zero are always seen
    first, last = min(-1, math.floor(min(ends) / step)), max(1, math.ceil(max(ends) / step))
    low, high = first * step, last * step
    decimals = max(0, -math.floor(math.log10(step)))

    def x(value: float) -> float:
        return round(100 * (min(max(value, low), high) - low) / (high - low), 2)

    rows = []
    for place, bar in enumerate(bars):
        digits = decimals_for(bar.low, bar.high, currency)
        low_text, high_text = (forms.number(end, digits) for end in (bar.low, bar.high))
        rows.append(
            {
                "label": bar.label,
                # what has no word has no shape of a word
                "level": bar.level if bar.compared else "plain",
                "word": WORDS[forms.language].LEVELS[bar.level] if bar.compared else "",
                "tone": tone(bar),
                "x": x(bar.effect),
                "x1": x(bar.low),
                "x2": x(bar.high),
                "y": HEAD + ROW * place + 20,
                "line_y": HEAD + ROW * place + 37,
                "numbers": [bar.effect, bar.low, bar.high],
                "effect": forms.number(bar.effect, digits, signed=True),
                "low": low_text,
                "high": high_text,
                "range": forms.span(low_text, high_text),
            }
        )
    bottom = HEAD + ROW * len(bars)
    return {
        "height": bottom + 28,
        "bottom": bottom,
        "tick_y": bottom + 20,
        "zero": x(0.0),
        "worth": {"x": x(worth), "text": forms.number(worth, max(decimals, 2))} if worth else None,
        "ticks": [
            {
                "x": x(place * step),
                "text": forms.number(place * step, decimals, signed=True),
                "anchor": "start" if place == first else "end" if place == last else "middle",
                "zero": place == 0,
                # left out where there is little room
                "minor": place % 2 == 1,
            }
            for place in range(first, last + 1)
        ],
        "rows": rows,
    }


def nice_step(width: float) -> float:
    """Distance of the ticks: 1, 2, 3 or 5 times a power of ten."""
    raw = width / TICKS
    if not raw:
        return 1.0
    power = 10.0 ** math.floor(math.log10(raw))
    return next(power * factor for factor in (1, 2, 3, 5, 10) if power * factor >= raw * 0.999)


def tone(bar: Bar) -> str:
    """Teal earned, vermilion lost, grey not known."""
    if bar.level in ("proven", "likely"):
        return "good"
    return "bad" if bar.level == "harmful" else "unsure"
