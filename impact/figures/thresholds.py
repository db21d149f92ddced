"""Net value by the threshold: a line with its band, and marks where it was agreed, is best, or was chosen."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from impact.figures.forest import nice_step
from impact.figures.forms import Forms, decimals_for
from impact.figures.sentences import arm_names, row_word
from impact.figures.words.what_if import WORDS
from impact.figures.worth import inside

HEIGHT, TOP, FOOT = 240, 44, 26
NOBODY = "nobody"


def threshold_figure(
    document: Mapping[str, Any],
    curve: Mapping[str, Any],
    known: Sequence[Mapping[str, Any]],
    best: Mapping[str, Any],
    asked: Mapping[str, Any] | None,
    forms: Forms,
) -> dict[str, Any] | None:
    """Lay out one arm's thresholds, compared with the baseline for everybody.

    Parameters
    ----------
    document : mapping
        A results document with its sentences.
    curve : mapping
        Its arm, the side of the threshold on which it is given, and the points.
    known : sequence of mapping
        The thresholds that were there before, each with the policy it is of; the planned one has none.
    best, asked : mapping
        Points of the curve; ``asked`` may be missing.
    forms : Forms

    Returns
    -------
    dict or None
        ``x`` in percent, ``y`` in pixels; None with fewer than two points that are known.
    """
    points = [one for one in curve["points"] if one["against"][NOBODY]]
    if len(points) < 2:
        return None
    say, currency = WORDS[forms.language], document["money"]["currency"]
    first, last = points[0]["at"], points[-1]["at"]
    ends = [0.0, *(end for one in points for end in one["against"][NOBODY]["ci"])]
    step = nice_step(max(ends) - min(ends))
    low, high = math.floor(min(ends) / step) * step, math.ceil(max(ends) / step) * step
    high = high if high > low else low + step
    decimals = max(0, -math.floor(math.log10(step)))

    def x(at: float) -> float:
        return round(100 * (at - first) / (last - first), 2)

    def y(value: float) -> float:
        return round(TOP + (HEIGHT - TOP) * (high - value) / (high - low), 1)

    over = [(x(one["at"]), y(one["against"][NOBODY]["ci"][1])) for one in points]
    under = [(x(one["at"]), y(one["against"][NOBODY]["ci"][0])) for one in points]
    middle = [(x(one["at"]), y(one["against"][NOBODY]["effect"])) for one in points]
    effect = best["against"][NOBODY]["effect"]
    return {
        "title": _title(document, curve, best, forms),
        "axis": say["axis"].format(
            currency=forms.currency(currency),
            row=row_word(document, forms.language),
            baseline=_baseline(document, forms),
            level=forms.percent(1 - document["plan"]["alpha"]),
        ),
        "height": HEIGHT + FOOT,
        "box": HEIGHT,
        "tick_y": HEIGHT + 18,
        "band": f"M{_path(over)} L{_path(under[::-1])}Z",
        "line": f"M{_path(middle)}",
        "dots": [{"x": across, "y": down} for across, down in middle],
        "marks": _marks(document, points, known, best if effect > 0 else None, asked, x, forms),
        "grid": [
            {"y": y(place * step), "text": forms.number(place * step, decimals, signed=True), "zero": not place}
            for place in range(round(low / step), round(high / step) + 1)
        ],
        "ticks": [
            {
                "x": x(one),
                "text": forms.number(one, _decimals(points)),
                "anchor": "start" if x(one) < 5 else "end" if x(one) > 95 else "middle",
            }
            for one in _round(first, last)
        ],
        "heads": say["threshold_heads"],
        "rows": [list(zip(say["threshold_heads"], _row(one, points, currency, forms), strict=True)) for one in points],
    }


def score_text(at: float, points: Sequence[Mapping[str, Any]], forms: Forms) -> str:
    """A score as finely as the scores that are tried lie apart."""
    return forms.number(at, _decimals(points))


def _title(document: Mapping[str, Any], curve: Mapping[str, Any], best: Mapping[str, Any], forms: Forms) -> str:
    say, value, currency = WORDS[forms.language], best["against"][NOBODY], document["money"]["currency"]
    arm = arm_names(document)[curve["arm"]]
    if value["effect"] <= 0:
        return str(say["title_none"].format(arm=arm, baseline=_baseline(document, forms)))
    return str(
        say["title"].format(
            arm=arm,
            side=say[f"side_{curve['side']}"],
            at=score_text(best["at"], curve["points"], forms),
            effect=forms.money(
                value["effect"], currency, decimals_for(value["ci"][0], value["ci"][1], currency), signed=True
            ),
            row=row_word(document, forms.language),
        )
    )


def _marks(
    document: Mapping[str, Any],
    points: Sequence[Mapping[str, Any]],
    known: Sequence[Mapping[str, Any]],
    best: Mapping[str, Any] | None,
    asked: Mapping[str, Any] | None,
    x: Any,
    forms: Forms,
) -> list[dict[str, Any]]:
    """Upright lines, each with its words, on rows of their own so that no two meet."""
    say, at = WORDS[forms.language], dict[float, list[str]]()
    agreed = (None, document["what_if"]["deploys"])
    for one in known:
        name = say["mark_agreed"] if one["policy"] in agreed else one["policy"]
        at.setdefault(one["at"], []).append(name)
    for name, point in (("mark_best", best), ("mark_asked", asked)):
        if point:
            at.setdefault(point["at"], []).append(say[name])
    return [
        {
            "x": x(score),
            "text": f"{say['mark_join'].join(dict.fromkeys(names))} {score_text(score, points, forms)}",
            "y": 10 + 14 * row,
            "anchor": "end" if x(score) > 60 else "start",
            "dx": -4 if x(score) > 60 else 4,
        }
        for row, (score, names) in enumerate(at.items())
    ]


def _decimals(points: Sequence[Mapping[str, Any]]) -> int:
    width = points[-1]["at"] - points[0]["at"]
    return max(0, 2 - math.floor(math.log10(width)))


def _round(first: float, last: float) -> list[float]:
    step = nice_step(last - first)
    return [place * step for place in range(math.ceil(first / step), math.floor(last / step) + 1)]


def _row(point: Mapping[str, Any], points: Sequence[Mapping[str, Any]], currency: str, forms: Forms) -> list[str]:
    value = point["against"][NOBODY]
    decimals = decimals_for(value["ci"][0], value["ci"][1], currency)
    return [
        score_text(point["at"], points, forms),
        forms.percent(point["share"]),
        forms.number(value["effect"], decimals, signed=True),
        *(forms.number(end, decimals) for end in value["ci"]),
    ]


def _baseline(document: Mapping[str, Any], forms: Forms) -> str:
    return inside(next(arm["name"] for arm in document["arms"] if arm["is_baseline"]), forms)


def _path(places: Sequence[tuple[float, float]]) -> str:
    return " L".join(f"{across} {down}" for across, down in places)
