"""A frozen report as files: PDF, every comparison as CSV, the content itself as JSON; nothing is computed again."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

from impact.figures.sentences import decisive, shown_range
from impact.reports.models import Report
from workspaces.canonical import dumps
from workspaces.files import harmless

# ending -> what the file is
ENDINGS = {"pdf": "application/pdf", "csv": "text/csv; charset=utf-8", "json": "application/json"}
COLUMNS = (
    "experiment", "arm", "baseline", "metric", "role", "effect", "low", "high", "p", "n", "n_baseline", "unit",
    "currency", "verdict", "as_of",
)  # fmt: skip


def file_of(report: Report, ending: str) -> bytes:
    """The report as one of the files that there are."""
    if ending == "csv":
        return csv_of(report)
    if ending == "json":
        return json_of(report)
    from impact.reports.rendering import pdf_of

    return pdf_of(report)


def json_of(report: Report) -> bytes:
    """The frozen content as it was digested: the SHA-256 of this file is the report's."""
    return dumps(report.content).encode()


def csv_of(report: Report) -> bytes:
    """One row for each comparison, at full precision; what is withheld or not analysed has none."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    for experiment in report.content["experiments"]:
        if experiment["results"] is not None:
            for row in _rows(experiment["results"]):
                writer.writerow({"experiment": experiment["key"]} | row)
    return text.getvalue().encode()


def _rows(results: dict[str, Any]) -> Iterator[dict[str, Any]]:
    levels = {one["arm"]: one["level"] for one in results["verdicts"]}
    if results["verdict"]["level"] == "withheld":
        return
    decides = decisive(results)
    for named, arms, blocks in _compared(results):
        counts = {one["arm"]: one["n"] for one in arms}
        for arm, baseline, block in blocks:
            if block["status"] != "estimated" or levels.get(arm) == "withheld":
                continue
            low, high = shown_range(results, block)
            yield {name: harmless(text) for name, text in named.items()} | {
                "arm": harmless(arm),
                "baseline": harmless(baseline),
                "effect": block["effect"],
                "low": low,
                "high": high,
                "p": _p_value(results, block),
                "n": counts[arm],
                "n_baseline": counts[baseline],
                "verdict": levels.get(arm, "") if block in decides else "",
                "as_of": results["as_of"],
            }


def _compared(results: dict[str, Any]) -> Iterator[tuple[dict[str, str], Any, list[tuple[str, str, Any]]]]:
    """Net value, value and cost, then every metric: its name and unit, its arms, its comparisons."""
    if money := results["money"]:
        for name in ("net", "value", "cost"):
            named = {"metric": name, "role": "money", "currency": money["currency"]}
            found = [(one["arm"], one["baseline"], one[name]) for one in money["comparisons"] if name in one]
            yield named, money["arms"], found
    for metric in results["metrics"]:
        named = {"metric": metric["key"], "role": metric["role"], "unit": metric["unit"]}
        yield named, metric["arms"], [(one["arm"], one["baseline"], one) for one in metric["comparisons"]]


def _p_value(results: dict[str, Any], block: dict[str, Any]) -> float | None:
    """Of the range that is shown: before the end that of any day."""
    anytime = block.get("always_valid")
    found = anytime if anytime and not results["maturity"]["final"] else block
    return found["p_value"]
