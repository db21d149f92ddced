"""The course of an experiment: each stored analysis a point, its range a band, zero the strongest line."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from impact.figures.executive import drawn_times, measured_in
from impact.figures.forest import Bar, nice_step, tone
from impact.figures.forms import Forms, decimals_for
from impact.figures.sentences import arm_names, decisive
from impact.figures.words.course import WORDS
from impact.figures.worth import inside

HEIGHT, TOP, FOOT = 220, 14, 26
# a range of the first days would flatten all others; so many times the last one is drawn
WIDEST = 4.0
TICKS = 4


class Point(NamedTuple):
    """What one analysis says of one arm."""

    at: datetime
    effect: float
    low: float
    high: float
    anytime: bool


def course(documents: Sequence[Mapping[str, Any]], zone: str, language: str) -> dict[str, Any] | None:
    """Lay out the analyses of one experiment, from the first to the newest.

    Parameters
    ----------
    documents : sequence of mapping
        Results documents with their sentences, ascending; the newest names everything.
    zone : str
        Time zone of the days.
    language : str

    Returns
    -------
    dict or None
        None with fewer than two analyses that show a figure. ``x`` in percent, ``y`` in pixels.
    """
    forms, newest = Forms(language), documents[-1]
    lines = {arm["arm"]: _points(documents, arm["arm"]) for arm in newest["arms"] if not arm["is_baseline"]}
    lines = {arm: points for arm, points in lines.items() if len(points) > 1}
    if not lines:
        return None
    say, names = WORDS[language], arm_names(newest)
    times = [point.at for points in lines.values() for point in points]
    first, last = min(times), max(times)
    if last - first < timedelta(days=1):
        return None
    low, high, step = _axis(list(lines.values()))

    def y(value: float) -> float:
        return round(TOP + (HEIGHT - TOP) * (high - min(max(value, low), high)) / (high - low), 1)

    def x(at: datetime) -> float:
        return round(100 * ((at - first) / (last - first) if last > first else 1.0), 2)

    levels = {one["arm"]: one["level"] for one in newest["verdicts"]}
    currency = newest["money"]["currency"] if newest["money"] else None
    decimals = max(0, -math.floor(math.log10(step)))
    drawn = [_line(names[arm], levels.get(arm, "unclear"), points, x, y) for arm, points in lines.items()]
    shown = {point.at for points in lines.values() for point in points}
    missing = len(documents) - len(shown)
    baseline = next(arm["name"] for arm in newest["arms"] if arm["is_baseline"])
    anytime = all(point.anytime for points in lines.values() for point in points)
    return {
        "title": "; ".join(_finding(names[arm], points, zone, forms) for arm, points in lines.items()),
        "axis": say["axis_anytime" if anytime else "axis"].format(
            what=measured_in(newest, language), baseline=inside(baseline, forms)
        ),
        "missing": _missing(missing, forms),
        "height": HEIGHT + FOOT,
        "box": HEIGHT,
        "tick_y": HEIGHT + 18,
        "lines": drawn,
        "grid": [
            {"y": y(place * step), "text": forms.number(place * step, decimals, signed=True), "zero": not place}
            for place in range(round(low / step), round(high / step) + 1)
        ],
        "ticks": [
            {"x": 100 * part / TICKS, "text": forms.day(first + (last - first) * part / TICKS, zone),
             "anchor": "start" if not part else "end" if part == TICKS else "middle", "minor": part not in (0, TICKS)}
            for part in range(TICKS + 1)
        ],
        "numbers": [
            [point.at.isoformat(), names[arm], point.effect, point.low, point.high]
            for arm, points in lines.items()
            for point in points
        ],
        "heads": say["heads"],
        "rows": [
            [forms.day(point.at, zone), names[arm], *_texts(point, forms, currency)]
            for arm, points in lines.items()
            for point in points
        ],
    }  # fmt: skip


def _points(documents: Sequence[Mapping[str, Any]], arm: str) -> list[Point]:
    """What every analysis says of an arm, where it may be shown."""
    found = []
    for document in documents:
        baseline = next(one["arm"] for one in document["arms"] if one["is_baseline"])
        withheld = {one["arm"] for one in document["verdicts"] if one["level"] == "withheld"}
        if document["verdict"]["level"] == "withheld" or arm in withheld:
            continue
        blocks = [one for one in decisive(document) if (one["arm"], one["baseline"]) == (arm, baseline)]
        for block in blocks:
            if block["status"] == "estimated":
                anytime = block.get("always_valid")
                times = drawn_times(document)
                low, high = (times * end for end in (anytime["ci"] if anytime else block["ci"]))
                at = datetime.fromisoformat(document["as_of"])
                found.append(Point(at, times * block["effect"], low, high, bool(anytime)))
    return found


def _axis(lines: Sequence[Sequence[Point]]) -> tuple[float, float, float]:
    """Ends and step of the upright axis: everything drawn, zero, and of the widest early ranges a part."""
    last = max(points[-1].high - points[-1].low for points in lines)
    effects = [point.effect for points in lines for point in points]
    least, most = min(effects) - WIDEST * last, max(effects) + WIDEST * last
    ends = [0.0, *effects]
    ends += [min(max(end, least), most) for points in lines for point in points for end in (point.low, point.high)]
    step = nice_step(max(ends) - min(ends))
    low, high = math.floor(min(ends) / step) * step, math.ceil(max(ends) / step) * step
    return (low, high, step) if high > low else (low, low + step, step)


def _line(name: str, level: str, points: Sequence[Point], x: Any, y: Any) -> dict[str, Any]:
    over = [f"{x(point.at)} {y(point.high)}" for point in points]
    under = [f"{x(point.at)} {y(point.low)}" for point in reversed(points)]
    last = points[-1]
    return {
        "tone": tone(Bar(name, level, last.effect, last.low, last.high)),
        "path": "M" + " L".join(f"{x(point.at)} {y(point.effect)}" for point in points),
        "band": "M" + " L".join([*over, *under]) + "Z",
        "dots": [{"x": x(point.at), "y": y(point.effect)} for point in points],
        "label": name,
        "y": y(last.effect),
    }


def _finding(name: str, points: Sequence[Point], zone: str, forms: Forms) -> str:
    """Since when a range has left zero for good, or that it hasn't."""
    say, since = WORDS[forms.language], None
    for point in reversed(points):
        if point.low <= 0 <= point.high or (point.effect > 0) != (points[-1].effect > 0):
            break
        since = point
    if since is None:
        return str(say["around"].format(arm=name))
    return str(say["crossed"].format(arm=name, day=forms.day(since.at, zone)))


def _missing(count: int, forms: Forms) -> str:
    say = WORDS[forms.language]
    return "" if not count else str(say["left_out_one"] if count == 1 else say["left_out"].format(count=count))


def _texts(point: Point, forms: Forms, currency: str | None) -> list[str]:
    decimals = decimals_for(point.low, point.high, currency)
    return [
        forms.number(point.effect, decimals, signed=True),
        forms.number(point.low, decimals),
        forms.number(point.high, decimals),
    ]
