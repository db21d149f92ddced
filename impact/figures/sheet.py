"""A report as a PDF of vector text and lines, in English or Japanese."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import matplotlib_fontja
from fpdf.enums import XPos, YPos

from impact.figures.appendix import append
from impact.figures.cash_on_paper import draw_cash
from impact.figures.executive import bars
from impact.figures.experiment import net_forest
from impact.figures.forms import Forms
from impact.figures.paper import INK, MARGIN, QUIET, RULE, WIDTH, Paper
from impact.figures.words import sheet as texts

TONES = {"good": (11, 110, 105), "bad": (179, 54, 15), "unsure": (85, 91, 99)}
# of the executive page: all of its points lie on one sheet
SMALL, LINE = 7.7, 3.65
JAPANESE = Path(matplotlib_fontja.__file__).parent / "fonts" / "ipaexg.ttf"


class Sheet(Paper):
    """A4, with the simulated strip above and the digests below every page."""

    def __init__(self, content: Mapping[str, Any], sha256: str) -> None:
        super().__init__(format="A4")
        self.content, self.sha256 = content, sha256
        self.words = texts.WORDS[content["language"]]
        self.set_margins(MARGIN, MARGIN)
        self.set_auto_page_break(True, 22)
        for style, file in _fonts(content["language"]).items():
            self.add_font("text", style, file)
        # what people call things is in any language
        self.add_font("others", "", JAPANESE if content["language"] == "en" else _fonts("en")[""])
        self.set_fallback_fonts(["others"], exact_match=False)
        self.set_lang(content["language"])
        self.set_title(f"{self.words['report']} {content['number']}: {content['name']}")

    def header(self) -> None:
        if self.content["workspace"]["simulated"]:
            self.set_draw_color(*QUIET)
            self.set_fill_color(243, 241, 235)
            self._font(8)
            self.cell(
                WIDTH, 6, self.words["simulated"], border=1, align="C", fill=True, new_x=XPos.LMARGIN, new_y=YPos.NEXT
            )
            self.ln(4)

    def footer(self) -> None:
        self.set_y(-18)
        self._font(6.5, QUIET)
        previous = self.content["previous"]
        tail = f" \u00b7 {self.words['previous']} {previous['number']}" if previous else ""
        audit = f"{self.words['audit']} {self.content['audit_head'][:16]}"
        line = f"{self.words['report']} {self.content['number']} \u00b7 sha256 {self.sha256} \u00b7 {audit}{tail}"
        self.multi_cell(WIDTH, 3.4, line, new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def point(self, number: int, point: Mapping[str, Any]) -> None:
        """Write one numbered point of the executive page."""
        self._room(self._height(point))
        self.set_draw_color(*RULE)
        self.line(MARGIN, self.get_y(), MARGIN + WIDTH, self.get_y())
        self.ln(1.1)
        top = self.get_y()
        self._font(SMALL, QUIET)
        self.cell(7, LINE, str(number))
        self._font(SMALL, style="B")
        self._text(34, LINE, point["title"])
        bottom = self.get_y()
        self.set_xy(MARGIN + 43, top)
        if point.get("rows"):
            self._rows(point["head"], point["rows"])
        else:
            self._font(SMALL)
            for line in point["text"].splitlines():
                self.set_x(MARGIN + 43)
                self._text(WIDTH - 43, LINE, line, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.set_y(max(bottom, self.get_y()) + 1.0)

    def _height(self, point: Mapping[str, Any]) -> float:
        """What a point takes, at most."""
        head = len(self._broken(point["title"], 34, SMALL, True))
        if point.get("rows"):
            body = 2 + len(point["rows"])
        else:
            body = sum(len(self._broken(line, WIDTH - 43, SMALL, False)) for line in point["text"].splitlines())
        return LINE * max(head, body) + 2.1

    def _room(self, height: float) -> None:
        """Go on on a new page where this one has too little room left."""
        if self.get_y() + height > self.h - 22:
            self.add_page()

    def changed(self, since: Mapping[str, Any] | None) -> None:
        """Write what differs from the report before, if there was one."""
        if since:
            self.paragraph(since["title"], 8, style="B", gap=0)
            self.paragraph(_told(since), 8, gap=0)

    def holds(self, since: Mapping[str, Any] | None) -> bool:
        """Whether this page has room for what differs."""
        needed = 4 * len(self._broken(_told(since), WIDTH, 8, False)) + 6 if since else 0
        return self.get_y() + needed < self.h - 22

    def _rows(self, head: list[str], rows: list[list[str]]) -> None:
        widths = (WIDTH - 43 - 3 * 24, 24, 24, 24)
        for place, row in enumerate([head, *rows]):
            self.set_x(MARGIN + 43)
            top = self.get_y()
            self._font(SMALL, INK if place else QUIET, "B" if place else "")
            self._text(widths[0], LINE, row[0], new_x=XPos.RIGHT, new_y=YPos.LAST)
            bottom = self.get_y() + LINE
            self.set_xy(MARGIN + 43 + widths[0], top)
            self._font(SMALL, INK if place else QUIET)
            for width, text in zip(widths[1:], row[1:], strict=True):
                self.cell(width, LINE, text, align="R")
            self.set_y(bottom)

    def forest(self, figure: Mapping[str, Any]) -> None:
        """Draw the forest with lines; the same positions as on the page, in percent of the width."""
        scale = 0.17
        self._room(figure["bottom"] * scale + 22)
        self.paragraph(figure["title"], 9.5, style="B", gap=0)
        top = self.get_y() + 1
        bottom = top + figure["bottom"] * scale

        def at(percent: float) -> float:
            return MARGIN + WIDTH * percent / 100

        for tick in figure["ticks"]:
            self.set_draw_color(*(INK if tick["zero"] else RULE))
            self.set_line_width(0.45 if tick["zero"] else 0.15)
            self.line(at(tick["x"]), top + 2, at(tick["x"]), bottom)
            self._font(7, QUIET)
            shift = {"start": 0.0, "middle": -10.0, "end": -20.0}[tick["anchor"]]
            self.set_xy(at(tick["x"]) + shift, bottom + 0.5)
            self.cell(20, 3, tick["text"], align={"start": "L", "middle": "C", "end": "R"}[tick["anchor"]])
        for row in figure["rows"]:
            y = top + row["y"] * scale
            self._font(8, style="B")
            self.set_xy(MARGIN, y - 3)
            self.set_fill_color(255, 255, 255)
            self.cell(self.get_string_width(row["label"]) + 2, 3.4, row["label"], fill=True)
            self._font(7, QUIET)
            self.cell(self.get_string_width(row["word"]) + 2, 3.4, row["word"], fill=bool(row["word"]))
            self._font(8)
            self.set_xy(MARGIN + 88, y - 3)
            self.cell(90, 3.4, f"{row['effect']} ({row['range']})", align="R")
            self._bar(row, at, top + row["line_y"] * scale)
        self.set_line_width(0.2)
        self.set_xy(MARGIN, bottom + 4)
        self.paragraph(figure["axis"], 7, QUIET)

    def cash(self, figure: Mapping[str, Any]) -> None:
        """Draw cumulative cash, measured and booked, with its deepest point."""
        draw_cash(self, figure)

    def _bar(self, row: Mapping[str, Any], at: Any, y: float) -> None:
        """An interval with the shape that says how sure it is: the fill survives grey paper."""
        tone = TONES[row["tone"]]
        self.set_draw_color(*tone)
        self.set_line_width(0.7)
        self.line(at(row["x1"]), y, at(row["x2"]), y)
        x, radius = at(row["x"]), 1.5
        self.set_line_width(0.4)
        if row["level"] == "harmful":
            self.set_fill_color(*tone)
            self.polygon(((x - radius, y - radius), (x + radius, y - radius), (x, y + radius)), style="F")
            return
        full = row["level"] in ("proven", "plain")
        self.set_fill_color(*(tone if full else (255, 255, 255)))
        self.circle(x, y, radius, style="DF")
        if row["level"] == "likely":
            self.set_fill_color(*tone)
            # given by the corner of its box and its width
            self.solid_arc(x - radius, y - radius, 2 * radius, 90, 270, style="F")


def _told(since: Mapping[str, Any]) -> str:
    return "; ".join(since["lines"])


def report_pdf(content: Mapping[str, Any], sha256: str, created_at: datetime) -> bytes:
    """Lay a frozen report out; the same content gives the same bytes.

    Parameters
    ----------
    content : mapping
        Of the report, with the results documents as they were said.
    sha256 : str
        Of the content.
    created_at : datetime
        When it was frozen, which the file says of itself too.
    """
    forms, words = Forms(content["language"]), texts.WORDS[content["language"]]
    sheet = Sheet(content, sha256)
    sheet.set_creation_date(created_at)
    for experiment in content["experiments"]:
        sheet.add_page()
        day = forms.day(datetime.fromisoformat(content["due_at"]), content["time_zone"])
        sheet.paragraph(
            f"{words['report']} {content['number']} \u00b7 {content['name']} \u00b7 {content['audience']} \u00b7 {day}",
            8, QUIET,
        )  # fmt: skip
        sheet.paragraph(experiment["name"], 11, style="B")
        results = experiment["results"]
        if results is None:
            sheet.paragraph(words["none"], 9.5)
            continue
        sheet.paragraph(results["verdict"]["sentence"], 13, style="I", gap=2)
        if bars(results):
            figure = net_forest(results, forms)
            assert figure is not None
            sheet.forest(figure)
        for number, point in enumerate(experiment["points"], start=1):
            sheet.point(number, point)
        since = experiment.get("changed")
        late = not sheet.holds(since)
        sheet.changed(None if late else since)
        append(sheet, experiment, content["language"], since if late else None)
    return bytes(sheet.output())


def _fonts(language: str) -> dict[str, Path]:
    """Regular, bold, and the verdict's own: a serif, but in Japanese sans, whose thin serifs are hard to read."""
    if language == "ja":
        return {"": JAPANESE, "B": JAPANESE, "I": JAPANESE}
    from matplotlib import get_data_path

    fonts = Path(get_data_path()) / "fonts" / "ttf"
    return {"": fonts / "DejaVuSans.ttf", "B": fonts / "DejaVuSans-Bold.ttf", "I": fonts / "DejaVuSerif.ttf"}
