"""A small interval bar for a table's row, on an axis that all rows share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from impact.figures.forest import Bar, nice_step, tone


def shared_axis(bars: Sequence[Bar]) -> tuple[float, float]:
    """Ends of one axis that holds every bar and zero."""
    ends = [0.0, *(end for bar in bars for end in (bar.low, bar.high) if math.isfinite(end))]
    step = nice_step(max(ends) - min(ends))
    low, high = math.floor(min(ends) / step) * step, math.ceil(max(ends) / step) * step
    return (low, high) if high > low else (low, low + step)


def interval(bar: Bar, axis: tuple[float, float]) -> dict[str, Any]:
    """Positions of one bar in percent of the width."""
    low, high = axis

    def x(value: float) -> float:
        return round(100 * (min(max(value, low), high) - low) / (high - low), 2)

    return {
        "x": x(bar.effect), "x1": x(bar.low), "x2": x(bar.high), "zero": x(0.0), "level": bar.level, "tone": tone(bar),
    }  # fmt: skip
