"""Planned looks as rows: what each said of an arm, and whether it ended the question."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from impact.figures.forms import Forms, decimals_for
from impact.figures.sentences import arm_names, decisive
from impact.figures.words.looks import WORDS


def planned_looks(document: Mapping[str, Any], zone: str, language: str) -> dict[str, Any] | None:
    """Return a row for every look at every arm, those that are still to come too; None where none was planned."""
    plan = document["plan"]
    if plan["looks"] != "group_sequential" or document["verdict"]["level"] == "withheld":
        return None
    forms, say, names = Forms(language), WORDS[language], arm_names(document)
    rows = []
    for block in decisive(document):
        found = {look["share"]: look for look in block.get("looks", [])}
        ended = any(look["crossed"] for look in found.values())
        for place, share in enumerate(plan["looks_at"], start=1):
            label = say["look"].format(place=place, of=len(plan["looks_at"]), share=forms.percent(share))
            needed = forms.number(math.ceil(share * plan["rows_per_arm"]))
            told = _told(found[share], document, zone, forms) if share in found else [needed, "–", ""]
            state = _state(found.get(share), ended=ended, final=document["maturity"]["final"])
            rows.append([label, names[block["arm"]], *told, say[state]])
    stops = [_stop(block, names, document, forms) for block in decisive(document) if block.get("stopped")]
    labelled = [list(zip(say["heads"], row, strict=True)) for row in rows]
    return {"heads": say["heads"], "rows": labelled, "stops": stops}


def looks_text(plan: Mapping[str, Any], language: str) -> str:
    """When the result is looked at, as it is agreed."""
    forms, say = Forms(language), WORDS[language]
    shares: Sequence[float] = plan.get("looks_at", [])
    text: str = say[plan["looks"]]
    return text.format(shares=say["and"].join(forms.percent(share) for share in shares), count=len(shares))


def _told(look: Mapping[str, Any], document: Mapping[str, Any], zone: str, forms: Forms) -> list[str]:
    """Rows, day and effect with its range."""
    currency = document["money"]["currency"] if document["money"] else None
    at = datetime.fromisoformat(document["as_of"])
    if look["at"] is not None:
        at = datetime.fromtimestamp(look["at"] / 1e6, UTC)
    return [forms.number(look["n"]), forms.day(at, zone), _ranged(look["effect"], look["ci"], currency, forms)]


def _ranged(effect: float, ends: Sequence[float] | None, currency: str | None, forms: Forms) -> str:
    low, high = ends or (effect, effect)
    decimals = decimals_for(low, high, currency)
    text = forms.number(effect, decimals, signed=True)
    return f"{text} ({forms.span(*(forms.number(end, decimals) for end in ends))})" if ends else text


def _state(look: Mapping[str, Any] | None, *, ended: bool, final: bool) -> str:
    if look is not None:
        return "crossed" if look["crossed"] else "inside"
    return "not_needed" if ended else "passed_over" if final else "to_come"


def _stop(block: Mapping[str, Any], names: Mapping[str, str], document: Mapping[str, Any], forms: Forms) -> str:
    """What the effect is estimated at where a look ended the question, for the plain estimate is too large there."""
    currency = document["money"]["currency"] if document["money"] else None
    estimate = _ranged(block["stopped"]["effect"], block["stopped"]["ci"], currency, forms)
    text: str = WORDS[forms.language]["stopped"]
    return text.format(arm=names[block["arm"]], estimate=estimate)
