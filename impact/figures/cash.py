"""Cumulative cash month by month: how deep it goes, and when it is paid back."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from impact.figures.forest import nice_step
from impact.figures.forms import Forms
from impact.figures.words.worth import WORDS

HEIGHT, TOP, FOOT = 220, 24, 26
YEAR = 12


def cash_figure(statement: Mapping[str, Any], title: str, forms: Forms) -> dict[str, Any]:
    """Lay out the balance of a value statement, measured and, where it differs, booked.

    Parameters
    ----------
    statement : mapping
        Of a results document.
    title : str
        What it shows, in a sentence.
    forms : Forms

    Returns
    -------
    dict
        ``x`` in percent of the width, ``y`` in pixels down from the top; month 0 is before the start.
    """
    say, build = WORDS[forms.language]["cash_chart"], statement["programme"]["build"]
    found = {name: [-build, *one["balance"]] for name, one in statement["cash"].items() if one}
    if found.get("booked") == found["projected"]:
        del found["booked"]
    months = max(len(balance) for balance in found.values()) - 1
    ends = [0.0, *(amount for balance in found.values() for amount in balance)]
    step = nice_step(max(ends) - min(ends))
    first, last = math.floor(min(ends) / step), math.ceil(max(ends) / step)
    # below the deepest point stands its text
    first -= min(ends) < 0 and min(ends) / step - first < 0.6
    last = last if last > first else first + 1

    def x(month: int) -> float:
        return round(100 * month / months, 2)

    def y(amount: float) -> float:
        return round(TOP + (HEIGHT - TOP) * (last - amount / step) / (last - first), 1)

    return {
        "title": title.rstrip(".。"),
        "axis": say["axis"].format(currency=forms.currency(statement["currency"])),
        "height": HEIGHT + FOOT,
        "box": HEIGHT,
        "tick_y": HEIGHT + 18,
        "lines": [
            {"name": say[name], "kind": name, "points": [(x(month), y(one)) for month, one in enumerate(balance)],
             "path": "M" + " L".join(f"{x(month)} {y(one)}" for month, one in enumerate(balance))}
            for name, balance in found.items()
        ],
        "deepest": _deepest(found["projected"], x, y, forms),
        "grid": [
            {"y": y(place * step), "text": forms.number(place * step), "zero": not place}
            for place in range(first, last + 1)
        ],
        "ticks": [
            {"x": x(month), "text": say["month"].format(month=month),
             "minor": month / YEAR % 2 == 1, "anchor": "start" if not month else "end" if x(month) > 95 else "middle"}
            for month in range(0, months + 1, YEAR)
        ],
        "heads": [say["head"], *(say[name] for name in found)],
        "rows": [
            [forms.number(month), *(forms.number(balance[month], signed=True) for balance in found.values())]
            for month in range(months + 1)
        ],
    }  # fmt: skip


def _deepest(balance: Sequence[float], x: Any, y: Any, forms: Forms) -> dict[str, Any] | None:
    """The most that is needed in between, if anything is."""
    lowest = min(balance)
    if lowest >= 0:
        return None
    month = balance.index(lowest)
    text = WORDS[forms.language]["cash_chart"]["deepest"].format(month=month, amount=forms.number(lowest))
    return {"month": month, "x": x(month), "y": y(lowest), "text": text}
