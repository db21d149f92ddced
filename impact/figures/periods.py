"""Value, cost and net by fiscal year, quarter and month, in the reader's form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import groupby
from typing import Any

from babel import dates
from babel.numbers import get_currency_precision

from impact.figures.forms import Forms
from impact.figures.sentences import arm_names
from impact.figures.words.periods import WORDS

AMOUNTS = ("value", "cost", "net")


def period_section(experiment: Mapping[str, Any], language: str) -> dict[str, Any] | None:
    """A table for each arm and what is said of closed periods; None where a report has no months.

    Parameters
    ----------
    experiment : mapping
        Of a report's frozen content.
    language : str
    """
    accounts = experiment.get("accounts")
    if not accounts:
        return None
    forms, say = Forms(language), WORDS[language]
    names, currency = arm_names(experiment["results"]), forms.currency(accounts["currency"])
    head = [say["period"].format(currency=currency), *say["head"]]
    by_arm = groupby(accounts["months"], key=lambda line: line["arm"])
    tables = [
        {"title": say["title"].format(arm=names[arm]), "head": head, "rows": _rows(list(lines), accounts, forms)}
        for arm, lines in by_arm
    ]
    return {"tables": tables, "notes": [say["note"], *_restated(accounts, forms)]}


def _rows(lines: Sequence[Mapping[str, Any]], accounts: Mapping[str, Any], forms: Forms) -> list[dict[str, Any]]:
    """Each year, its quarters and their months, then all of it."""
    say, decimals = WORDS[forms.language], get_currency_precision(accounts["currency"])

    def row(kind: str, label: str, of: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        sums = [forms.number(sum(line[name] for line in of), decimals, signed=True) for name in AMOUNTS]
        return {"kind": kind, "cells": [label, *sums]}

    rows = []
    for year, in_year in groupby(lines, key=lambda line: line["year"]):
        of_year = list(in_year)
        rows.append(row("year", say["year"].format(year=year), of_year))
        for quarter, in_quarter in groupby(of_year, key=lambda line: line["quarter"]):
            of_quarter = list(in_quarter)
            rows.append(row("quarter", say["quarter"].format(quarter=quarter), of_quarter))
            for line in of_quarter:
                name = _month(line["month"], forms)
                label = f"{say['prior']}, {name}" if line["prior"] else name
                rows.append(row("month", label, [line]))
    return [*rows, row("year", say["whole"], lines)]


def _month(month: str, forms: Forms) -> str:
    first = date(int(month[:4]), int(month[5:]), 1)
    return str(dates.format_date(first, "y年M月" if forms.language == "ja" else "MMMM y", locale=forms.language))


def _restated(accounts: Mapping[str, Any], forms: Forms) -> list[str]:
    found = accounts["restated"]
    if not found:
        return []
    name = "reissue" if found["reissue"] else "changed" if found["net"] else "same"
    net = forms.money(found["net"], accounts["currency"], signed=True)
    return [WORDS[forms.language][name].format(report=found["report"], net=net)]
