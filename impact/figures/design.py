"""The design page: an outlook as a sentence, a table, a curve of weeks and the chances of each verdict."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from impact.figures.forest import nice_step
from impact.figures.forms import Forms
from impact.figures.sentences import level_word, metric_amount
from impact.figures.words.design import WORDS
from impact.figures.worth import inside

HEIGHT, TOP = 250, 22
# a curve begins far above what is planned; so many times that is drawn
STEEP = 3.0
LEVELS = ("proven", "likely", "unclear", "harmful")
FILLS = {"proven": "good", "likely": "soft", "unclear": "none", "harmful": "bad"}
# narrower parts of a bar hold no text
LEGIBLE = 8.0
ROW = 48
MIDDLE = 55


class Named(NamedTuple):
    """What the figures call things."""

    driver: Mapping[str, Any]
    arms: Mapping[str, str]
    currency: str
    row: str
    power: float
    rows: int
    per_week: float | None


def design_figures(outlook: Mapping[str, Any], named: Named, language: str) -> dict[str, Any]:
    """Return what the page shows of an outlook."""
    forms = Forms(language)
    return {
        **verdict(outlook, named, forms),
        "arms": {arm: arm_row(outlook, arm, named, forms) for arm in outlook["net"]},
        "curve": curve(outlook, named, forms),
        "chances": chances(outlook, named, forms),
    }


def unknown(language: str, why: str) -> dict[str, Any]:
    """The page where nothing can be foreseen: ``only_shares``, ``incomplete``, ``alike`` or ``mend``."""
    say = WORDS[language]
    sentence, following = (say["unknown"], say[why]) if why == "only_shares" else (say[why], "")
    return {"chip": {"tone": "caution", "icon": "warn", "word": say["unfinished"]} if not following else None,
            "sentence": sentence, "following": following, "arms": {}, "curve": None, "chances": None}  # fmt: skip


def verdict(outlook: Mapping[str, Any], named: Named, forms: Forms) -> dict[str, Any]:
    """The chance to prove what is hoped for, or that it would lose."""
    say, best = WORDS[forms.language], outlook["best"]
    effect, net = outlook["effect"], outlook["net"][best]
    texts = {
        "arm": inside(named.arms[best], forms),
        "driver": inside(named.driver["name"], forms),
        "effect": _amount(abs(effect), named, forms),
        "moves": say["moves"][effect < 0],
        "row": named.row,
    }
    if net <= 0:
        at = _amount(outlook["break_even"][best], named, forms, signed=True)
        sentence = say["lose"].format(**texts, net=_money(abs(net), named, forms), break_even=at)
        return {"chip": {"tone": "harmful", "icon": "harmful", "word": say["losing"]}, "sentence": sentence,
                "following": _tells(outlook, named, forms)}  # fmt: skip
    enough = outlook["needed"][best] <= named.rows
    chip = {"tone": "likely", "icon": "pass", "word": say["enough"]} if enough else {
        "tone": "caution", "icon": "warn", "word": say["small"],
    }  # fmt: skip
    sentence = say["prove"].format(**texts, chance=forms.percent(outlook["chance"]))
    following = _tells(outlook, named, forms)
    if not enough:
        weeks = outlook["weeks_needed"]
        following += say["takes"].format(
            power=forms.percent(named.power),
            needed=forms.number(outlook["needed"][best]),
            weeks=say["weeks"].format(weeks=forms.number(math.ceil(weeks))) if weeks else "",
        )
    return {"chip": chip, "sentence": sentence, "following": following}


def arm_row(outlook: Mapping[str, Any], arm: str, named: Named, forms: Forms) -> dict[str, str]:
    """Where an arm breaks even, what it would earn, and the rows that prove that."""
    needed = outlook["needed"][arm]
    return {
        "break_even": _amount(outlook["break_even"][arm], named, forms, signed=True),
        "net": _money(outlook["net"][arm], named, forms, signed=True),
        "needed": forms.number(needed) if needed and outlook["net"][arm] > 0 else "",
    }


def curve(outlook: Mapping[str, Any], named: Named, forms: Forms) -> dict[str, Any] | None:
    """Net effect that is proven against weeks of enrolment; None where nobody said how many come."""
    points: Sequence[tuple[int, float]] = outlook["curve"]
    if len(points) < 2 or named.per_week is None:
        return None
    say, weeks, most = WORDS[forms.language], outlook["weeks_planned"], points[-1][0]
    high = min(points[0][1], STEEP * max(outlook["detectable"], points[-1][1]))
    step = nice_step(high)
    top = math.ceil(high / step) * step

    def y(amount: float) -> float:
        return round(HEIGHT - (HEIGHT - TOP) * min(amount, top) / top, 1)

    line = " ".join(
        f"{'M' if place == 0 else 'L'}{100 * week / most:.2f} {y(amount)}"
        for place, (week, amount) in enumerate(points)
    )
    first = 100 * points[0][0] / most
    decimals = max(0, -math.floor(math.log10(step)))
    marks = [
        _mark(
            min(weeks, most),
            y(outlook["detectable"]),
            most,
            say["planned"].format(amount=_money(outlook["detectable"], named, forms)),
        )
    ]
    net, needed = outlook["net"][outlook["best"]], outlook["weeks_needed"]
    if needed and needed <= most and abs(needed - weeks) > most / 8:
        marks.append(_mark(needed, y(net), most, say["hoped"].format(amount=_money(net, named, forms))))
    return {
        "title": _curve_title(outlook, named, forms),
        "axis": say["curve_axis"].format(
            currency=forms.currency(named.currency), row=named.row, power=forms.percent(named.power),
            per_week=forms.number(named.per_week),
        ),
        "line": line,
        "band": f"M{first:.2f} {HEIGHT} {line.replace('M', 'L', 1)} L100 {HEIGHT}Z",
        "blind": say["blind"],
        "marks": marks,
        "grid": [
            {"y": y(place * step), "text": forms.number(place * step, decimals), "zero": not place}
            for place in range(round(top / step) + 1)
        ],
        "ticks": [
            {"x": 100 * week / most, "text": say["week"].format(week=week) if week else say["start"],
             "anchor": "start" if not week else "end" if week == most else "middle", "minor": week % 26 == 13}
            for week in (0, 13, 26, 39, 52) if week <= most
        ],
        "heads": [say["week_head"], say["amount_head"]],
        "rows": [[forms.number(week), _money(amount, named, forms)] for week, amount in points if week % 4 == 0],
    }  # fmt: skip


def chances(outlook: Mapping[str, Any], named: Named, forms: Forms) -> dict[str, Any]:
    """A bar of the four verdicts for each true effect."""
    say, rows = WORDS[forms.language], []
    for place, one in enumerate(outlook["chances"]):
        net = _money(one["net"], named, forms, signed=True)
        said = say["truth"] if one["effect"] else say["truth_none"]
        effect = _amount(one["effect"], named, forms, signed=True)
        rows.append(
            {
                "label": said.format(driver=named.driver["name"], effect=effect, net=net),
                "y": ROW * place + 14,
                "top": ROW * place + 20,
                "middle": ROW * place + 34.5,
                "parts": _parts(one["of"], forms),
                "texts": [forms.percent(one["of"][level]) for level in LEVELS],
            }
        )
    likely = outlook["chance"] > 1 / 2
    return {
        "title": say["chances_likely" if likely else "chances_unlikely"],
        "axis": say["chances_axis"].format(
            arm=inside(named.arms[outlook["best"]], forms), rows=forms.number(named.rows)
        ),
        "height": ROW * len(rows),
        "rows": rows,
        "legend": [{"level": level, "word": level_word(level, forms.language)} for level in LEVELS],
        "head": say["truth_head"],
    }


def _parts(of: Mapping[str, float], forms: Forms) -> list[dict[str, Any]]:
    parts, left = [], 0.0
    for level in LEVELS:
        width = 100 * of[level]
        if width >= 0.05:
            text = forms.percent(of[level]) if width >= LEGIBLE else ""
            places = {"x": left, "width": width, "middle": left + width / 2}
            parts.append({name: round(at, 2) for name, at in places.items()} | {"fill": FILLS[level], "text": text})
        left += width
    return parts


def _mark(week: float, y: float, most: int, text: str) -> dict[str, Any]:
    x = round(100 * week / most, 2)
    return {"x": x, "y": y, "text": text, "anchor": "end" if x > MIDDLE else "start", "dx": -8 if x > MIDDLE else 8}


def _curve_title(outlook: Mapping[str, Any], named: Named, forms: Forms) -> str:
    say, needed, weeks = WORDS[forms.language], outlook["weeks_needed"], outlook["weeks_planned"]
    texts = {"weeks": forms.number(math.ceil(weeks)), "detectable": _money(outlook["detectable"], named, forms)}
    if outlook["net"][outlook["best"]] <= 0:
        return str(say["curve"].format(**texts))
    if needed <= weeks:
        return str(say["curve_enough"].format(**texts))
    if needed > outlook["curve"][-1][0]:
        return str(say["curve_never"].format(**texts))
    return str(say["curve_small"].format(**texts, needed=forms.number(math.ceil(needed))))


def _tells(outlook: Mapping[str, Any], named: Named, forms: Forms) -> str:
    return str(
        WORDS[forms.language]["tells"].format(
            rows=forms.number(named.rows),
            detectable=_money(outlook["detectable"], named, forms),
            net=_money(outlook["net"][outlook["best"]], named, forms, signed=True),
        )
    )


def _amount(value: float, named: Named, forms: Forms, *, signed: bool = False) -> str:
    return metric_amount(value, named.driver, forms, 2, signed=signed)


def _money(amount: float, named: Named, forms: Forms, *, signed: bool = False) -> str:
    return forms.money(amount, named.currency, signed=signed)
