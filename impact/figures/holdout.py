"""Claims beside what the global holdout measures, in the reader's form."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from impact.figures.forms import Forms
from impact.figures.words.holdout import WORDS


def held_sentences(
    population: str, amount: Decimal, content: Mapping[str, Any] | None, exceeds: bool, language: str, time_zone: str
) -> list[str]:
    """Say what the holdout measures and whether the claims stay below; or why it measures nothing.

    Parameters
    ----------
    population : str
    amount : Decimal
        Claimed on the population for a year.
    content : mapping or None
        What was measured; None before the first time.
    exceeds : bool
        Whether the amount is above the upper limit; it isn't told then.
    language, time_zone : str
    """
    say, forms = WORDS[language], Forms(language)
    if content is None:
        return [say["pending"].format(population=population)]
    days = {
        name: forms.day(datetime.fromisoformat(content[name]), time_zone)
        for name in ("since", "until", "earliest")
        if name in content
    }
    counts = {name.replace(" ", "_"): forms.number(count) for name, count in content.get("units", {}).items()}
    told = {"population": population, **days, **counts}
    if content["status"] != "measured":
        more = {"silent": ", ".join(content.get("silent", [])), "fewest": content.get("fewest")}
        return [say[content["reason"]].format(**told, **more)]
    low, high = (forms.money(limit, content["currency"], 0, signed=True) for limit in content["year_ci"])
    year = forms.money(content["year"], content["currency"], 0, signed=True)
    measured = say["measured"].format(**told, year=year, low=low, high=high)
    claimed = forms.money(amount, content["currency"], 0, signed=True)
    return [measured, say["exceeds" if exceeds else "holds"].format(amount=claimed, high=high)]
