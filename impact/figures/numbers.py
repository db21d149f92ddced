"""The numbers behind the pictures of an experiment's page, for a spreadsheet."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import zip_longest
from typing import Any

from impact.figures.forms import Forms
from impact.figures.ladder import ladder
from impact.figures.policies import policies_section
from impact.figures.worth import worth_section

PICTURES = ("cash", "tornado", "ladder", "policies")
Table = tuple[list[str], list[list[Any]]]


def numbers_of(document: Mapping[str, Any], picture: str, language: str) -> Table | None:
    """Return head and rows of a picture's numbers; None where the page doesn't draw it, as of what is withheld.

    Parameters
    ----------
    document : mapping
        A results document with its sentences.
    picture : str
        One of ``PICTURES``.
    language : str
        Of the labels.
    """
    forms = Forms(language)
    worth = worth_section(document, forms) if picture in ("cash", "tornado") else None
    if picture == "cash":
        return _cash(document["value_statement"]) if worth else None
    found: Mapping[str, Any] | None = {
        "tornado": lambda: worth,
        "ladder": lambda: ladder(document, forms),
        "policies": lambda: policies_section(document, language),
    }[picture]()
    if not found:
        return None
    rows = found["tornado" if picture == "tornado" else "figure"]["rows"]
    return ["label", "estimate", "low", "high"], [[row["label"], *row["numbers"]] for row in rows]


def _cash(statement: Mapping[str, Any]) -> Table:
    """The balance at the end of each month, as measured and as booked; month 0 is before the start."""
    start = -statement["programme"]["build"]
    balances = {kind: [start, *cash["balance"]] for kind, cash in statement["cash"].items() if cash}
    months = enumerate(zip_longest(*balances.values()))
    return ["month", *balances], [[month, *amounts] for month, amounts in months]
