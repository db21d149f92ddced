"""Cumulative cash drawn on paper with lines, at the same places as on a page."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from impact.figures.paper import INK, MARGIN, QUIET, RULE, WIDTH, Paper

SCALE = 0.21
# where amounts stand, left of the lines
AMOUNTS = 24
LINES = {"projected": (31, 59, 115), "booked": (85, 91, 99)}


def draw_cash(paper: Paper, figure: Mapping[str, Any]) -> None:
    """Draw the figure from where the paper is; on the next page where it has no room."""
    if paper.get_y() + figure["height"] * SCALE + 16 > paper.h - 22:
        paper.add_page()
    paper.paragraph(figure["title"], 9.5, style="B", gap=0)
    top, left, width = paper.get_y(), MARGIN + AMOUNTS, WIDTH - AMOUNTS

    def at(x: float, y: float) -> tuple[float, float]:
        return left + width * x / 100, top + y * SCALE

    for line in figure["grid"]:
        _, y = at(0, line["y"])
        paper.set_draw_color(*(INK if line["zero"] else RULE))
        paper.set_line_width(0.45 if line["zero"] else 0.15)
        paper.line(left, y, left + width, y)
        paper.small(line["text"], MARGIN, y - 1.5, AMOUNTS - 2, "R")
    for tick in figure["ticks"]:
        x, y = at(tick["x"], figure["box"])
        shift, align = {"start": (0, "L"), "middle": (-10, "C"), "end": (-20, "R")}[tick["anchor"]]
        paper.small(tick["text"], x + shift, y + 1, 20, align)
    for line in figure["lines"]:
        paper.set_draw_color(*LINES[line["kind"]])
        paper.set_line_width(0.6)
        if line["kind"] == "booked":
            paper.set_dash_pattern(dash=1.6, gap=1.0)
        for one, two in pairwise(line["points"]):
            paper.line(*at(*one), *at(*two))
        paper.set_dash_pattern()
        x, y = at(*line["points"][-1])
        paper.small(line["name"], x - 40, y - 4.2, 40, "R")
    if deepest := figure["deepest"]:
        x, y = at(deepest["x"], deepest["y"])
        paper.set_fill_color(*LINES["projected"])
        paper.circle(x, y, 1.1, style="F")
        if deepest["month"]:
            paper.small(deepest["text"], x - 35, y + 2, 70, "C")
        else:
            paper.small(deepest["text"], x + 3, y - 1, 70, "L")
    paper.set_line_width(0.2)
    paper.set_xy(MARGIN, at(0, figure["box"])[1] + 5)
    paper.paragraph(figure["axis"], 7, QUIET)
