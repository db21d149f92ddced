"""Paper that texts and tables are written on, in English or Japanese."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fpdf import FPDF
from fpdf.enums import MethodReturnValue, XPos, YPos

from impact.figures.lines import lines

INK, QUIET, RULE = (25, 28, 32), (85, 91, 99), (227, 223, 214)
MARGIN, WIDTH = 16, 178


class Paper(FPDF):
    """Text and rows over the width of a page; a report's content says the language."""

    content: Mapping[str, Any]

    def _font(self, size: float, colour: tuple[int, int, int] = INK, style: str = "") -> None:
        self.set_font("text", style, size)
        self.set_text_color(*colour)

    def paragraph(
        self, text: str, size: float, colour: tuple[int, int, int] = INK, style: str = "", gap: float = 2
    ) -> None:
        """Write lines over the whole width."""
        self._font(size, colour, style)
        self._text(WIDTH, size * 0.5, text, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.ln(gap)

    def small(self, text: str, x: float, y: float, width: float, align: str) -> None:
        """Write one short line beside a drawing."""
        self._font(7, QUIET)
        self.set_xy(x, y)
        self.cell(width, 3, text, align=align)

    def heading(self, text: str) -> None:
        """Begin a part, with room for what follows."""
        if self.get_y() > self.h - 76:
            self.add_page()
        self.ln(2)
        self.paragraph(text, 10, style="B", gap=1)

    def grid(
        self, head: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[float], align: str = "L"
    ) -> None:
        """Write rows over the whole width, the first cell strong; a row stays on one page."""
        for place, row in enumerate([head, *rows]):
            broken = [self._broken(text, width, 8, place > 0 and not column)
                      for column, (text, width) in enumerate(zip(row, widths, strict=True))]  # fmt: skip
            height = 3.9 * max(len(lines_of) for lines_of in broken) + 1.6
            if self.get_y() + height > self.h - 22:
                self.add_page()
            self.set_draw_color(*RULE)
            self.line(MARGIN, self.get_y(), MARGIN + WIDTH, self.get_y())
            top, left = self.get_y() + 0.8, float(MARGIN)
            for column, (lines_of, width) in enumerate(zip(broken, widths, strict=True)):
                self._font(8, INK if place else QUIET, "B" if place and not column else "")
                for number, line in enumerate(lines_of):
                    self.set_xy(left, top + 3.9 * number)
                    self.cell(width, 3.9, line, align=align if column else "L")
                left += width
            self.set_xy(MARGIN, top + height - 0.8)
        self.ln(2)

    def _broken(self, text: str, width: float, size: float, strong: bool) -> list[str]:
        """The lines that a text takes in a width."""
        self._font(size, style="B" if strong else "")
        room = width - 2 * self.c_margin
        if self.content["language"] == "ja":
            return lines(text, lambda line: self.get_string_width(line) <= room)
        found: list[str] = self.multi_cell(width, 3.9, text, dry_run=True, output=MethodReturnValue.LINES)  # type: ignore[assignment]
        return found

    def _text(self, width: float, height: float, text: str, **where: Any) -> None:
        """Write a text in the width from where we are."""
        if self.content["language"] == "ja":
            room = width - 2 * self.c_margin
            broken = [lines(part, lambda line: self.get_string_width(line) <= room) for part in text.split("\n")]
            text = "\n".join(line for part in broken for line in part)
        self.multi_cell(width, height, text, align="L", **where)
