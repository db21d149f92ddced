"""What another rule would have earned on an experiment's rows: looked up, sent as a link, and nothing changes."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from experiments.models import Experiment
from experiments.selectors import experiment_named
from impact.analysis.models import Level
from impact.analysis.selectors import newest_analysis
from impact.dashboard.views.answers import csv_file, language, part_or_page
from impact.figures.sentences import completed
from impact.figures.what_if import what_if_section
from workspaces.access import member
from workspaces.errors import Missing
from workspaces.files import harmless
from workspaces.models import Workspace

HEAD = ["by", "rule", "share", "against", "effect", "se", "low", "high", "booked", "booked_low", "booked_high"]


@member("viewer")
def what_if(request: HttpRequest, workspace: Workspace, key: str) -> HttpResponse:
    """One table of actions or one threshold, as the address says."""
    shown = experiment_named(workspace, key)
    document = _document(shown)
    section = what_if_section(completed(document, language()), request.GET.dict(), language()) if document else None
    return render(request, part_or_page(request, "what_if"), {"experiment": shown, "what_if": section})


@member("viewer")
def what_if_file(request: HttpRequest, workspace: Workspace, key: str) -> HttpResponse:
    """Every table and every threshold as CSV, each against everybody it is compared with."""
    document = _document(experiment_named(workspace, key))
    if document is None:
        raise Missing("what-if of", key)
    rows = [row for table in document["what_if"]["tables"] for row in _of_table(table)]
    rows += [row for curve in document["what_if"]["thresholds"] for row in _of_curve(curve)]
    return csv_file(f"{key}-what-if", HEAD, rows)


def _document(experiment: Experiment) -> dict[str, Any] | None:
    """The newest results, if rules may be tried on them."""
    analysis = newest_analysis(experiment)
    if analysis is None or not analysis.document.get("what_if"):
        return None
    document: dict[str, Any] = analysis.document
    return None if document["verdict"]["level"] == Level.WITHHELD else document


def _of_table(table: dict[str, Any]) -> list[list[Any]]:
    values = [value["value"] for value in table["values"]]
    return [
        [harmless(table["by"]), harmless(rule), None, *_numbers(against, value)]
        for one in table["rules"]
        for rule in [" ".join(f"{value}={arm}" for value, arm in zip(values, one["choices"], strict=True))]
        for against, value in one["against"].items()
    ]


def _of_curve(curve: dict[str, Any]) -> list[list[Any]]:
    return [
        ["threshold", harmless(f"{curve['arm']} {curve['side']} {point['at']!r}"), point["share"],
         *_numbers(against, value)]
        for point in curve["points"]
        for against, value in point["against"].items()
    ]  # fmt: skip


def _numbers(against: str, value: dict[str, Any] | None) -> list[Any]:
    if value is None:
        return [against, *[None] * 7]
    shrunk = value["booked"] or {"effect": None, "ci": [None, None]}
    return [against, value["effect"], value["se"], *value["ci"], shrunk["effect"], *shrunk["ci"]]
