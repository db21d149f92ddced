"""Breaking Japanese into lines: between characters, but never inside a number or a Latin word."""

from __future__ import annotations

import re
from collections.abc import Callable

CLOSING = "、。，．）」』】〕〜・：；！？ー%％ァィゥェォッャュョぁぃぅぇぉっゃゅょ々"
OPENING = "（「『【〔"
UNIT = re.compile(rf"[{OPENING}]*(?:p [=<] )?(?:[!-~\u00a0-\u024f\u2013\u2212]+|.)[{CLOSING}]*")


def lines(text: str, fits: Callable[[str], bool]) -> list[str]:
    """Break a text into as few lines as fit.

    Parameters
    ----------
    text : str
        One paragraph.
    fits : callable
        Whether a line is short enough; a single unit that isn't gets a line of its own.
    """
    found = [""]
    for unit in UNIT.findall(text):
        if found[-1] and not fits((found[-1] + unit).rstrip()):
            found[-1] = found[-1].rstrip()
            found.append(unit.lstrip())
        else:
            found[-1] += unit
    return found
