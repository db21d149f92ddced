"""What follows the executive page of a printed report: the money in full, then the evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from impact.figures.experiment import experiment_page
from impact.figures.periods import period_section
from impact.figures.words.sheet import WORDS


class Pages(Protocol):
    """What a sheet must be able to do."""

    def add_page(self) -> None: ...
    def heading(self, text: str) -> None: ...
    def paragraph(self, text: str, size: float) -> None: ...
    def forest(self, figure: Mapping[str, Any]) -> None: ...
    def cash(self, figure: Mapping[str, Any]) -> None: ...
    def changed(self, since: Mapping[str, Any] | None) -> None: ...
    def grid(
        self, head: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[float], align: str = "L"
    ) -> None: ...


def append(paper: Pages, experiment: Mapping[str, Any], language: str, late: Mapping[str, Any] | None) -> None:
    """Add the pages of an analysed experiment; of what is withheld, only why.

    ``late`` is what differs from the report before, where the executive page had no room for it.
    """
    page, words = experiment_page(experiment["results"], language), WORDS[language]
    paper.add_page()
    paper.changed(late)
    if page["worth"]:
        paper.heading(f"{experiment['name']}: {words['finance']}")
        _finance(paper, page, words)
    if periods := period_section(experiment, language):
        for table in periods["tables"]:
            paper.heading(f"{experiment['name']}, {table['title']}")
            paper.grid(table["head"], [row["cells"] for row in table["rows"]], (94, 28, 28, 28), "R")
        paper.paragraph("\n".join(periods["notes"]), 8.5)
    if page["worth"] or periods:
        paper.add_page()
    paper.heading(f"{experiment['name']}: {words['appendix']}")
    _evidence(paper, page, experiment["results"], words)


def _finance(paper: Pages, page: Mapping[str, Any], words: Mapping[str, Any]) -> None:
    worth = page["worth"]
    paper.paragraph(worth["title"], 10)
    for table in worth["tables"]:
        paper.grid([table["head"], *words["cases"]], table["rows"], (94, 28, 28, 28), "R")
    lines = [worth["not_booked"], *worth["cash"], *worth["lines"]]
    paper.paragraph("\n".join(line for line in lines if line), 8.5)
    paper.cash(worth["cash_figure"])
    paper.heading(words["assumptions"])
    paper.forest(worth["tornado"])
    paper.paragraph("\n".join(worth["assumptions"]), 8.5)
    if page["ladder"]:
        paper.forest(page["ladder"]["figure"])
        paper.paragraph(page["ladder"]["model"], 8.5)


def _evidence(paper: Pages, page: Mapping[str, Any], results: Mapping[str, Any], words: Mapping[str, Any]) -> None:
    paper.paragraph(page["estimand"], 8.5)
    if page["money"]:
        rows = [
            [
                f"{one['arm']} \u2013 {one['baseline']}", one["value"], one["cost"], f"{one['net']} ({one['range']})",
                one["roi"],
            ]
            for one in page["money"]
            if "net" in one
        ]  # fmt: skip
        paper.grid([page["currency"], *words["money"]], rows, (46, 22, 22, 42, 46))
    for metric in page["metrics"]:
        rows = [[one["arm"], one["n"], one["level"], _reading(one)] for one in metric["rows"]]
        paper.grid([f"{metric['title']} ({metric['role']})", *words["metric"]], rows, (46, 20, 24, 88))
    paper.heading(words["checks"])
    rows = [[one["title"], one["state_word"], one["message"]] for one in page["checks"]]
    paper.grid(words["check"], rows, (46, 22, 110))
    snapshot, plan = results["snapshot"], results["plan"]
    paper.paragraph(f"{words['snapshot']} sha256 {snapshot['sha256']}", 7)
    if plan["sha256"]:
        paper.paragraph(f"{words['agreement']} sha256 {plan['sha256']}", 7)
    paper.paragraph(f"{words['analysis']} {results['analysis_id']}, {words['version']} {results['code_version']}", 7)


def _reading(row: Mapping[str, Any]) -> str:
    return f"{row['arrow']} {row['change']} ({row['range']}): {row['reading']}" if "change" in row else row["reading"]
