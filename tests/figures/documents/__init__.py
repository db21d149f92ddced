"""Results documents as they were stored, and changes of them."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

from impact.figures.sentences import completed

STORED = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in Path(__file__).parent.glob("*.json")}
CASE = {
    "decision": "Which incentive do we offer?",
    "if_wins": "Offer it.",
    "if_unclear": "Try again.",
    "if_loses": "Drop it.",
}


def stored(name: str, **changes: Any) -> dict[str, Any]:
    """A copy of a stored document with other fields at its top."""
    return deepcopy(STORED[name]) | changes


def said(name: str, language: str, **changes: Any) -> dict[str, Any]:
    """A stored document with its sentences."""
    return completed(stored(name, **changes), language, CASE)


def judged(name: str, level: str, arm: str | None, because: tuple[str, ...] = ()) -> dict[str, Any]:
    """A stored document whose verdict is another."""
    document = stored(name, verdict={"level": level, "arm": arm, "because": list(because)})
    document["verdicts"] = [one | {"level": level} if one["arm"] == arm else one for one in document["verdicts"]]
    return document


def plain(text: str) -> str:
    """Without the spaces that don't break."""
    return text.replace("\u00a0", " ")
