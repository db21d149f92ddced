"""Pictures of a model: its scores by day, how far they drifted, and how right they were."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from impact.figures.forest import nice_step
from impact.figures.forms import Forms
from impact.figures.words.model import WORDS

LINE = 0.2
HEIGHT, HEAD, FOOT = 180, 14, 26
SQUARE = 300
TONES = {"steady": "good", "drifted": "bad", "few": "unsure", "waiting": "unsure"}


@dataclass(frozen=True, slots=True)
class Day:
    """Predictions of one day: how many, five quantiles of the scores, and the index against the reference."""

    on: date
    rows: int
    quantiles: Sequence[float]
    psi: float | None = None
    by_chance: float | None = None
    features: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


def stability(psi: float | None, by_chance: float | None) -> str:
    """Return ``steady``, ``drifted``, ``few`` where chance alone may do it, or ``waiting`` for a reference.

    Parameters
    ----------
    psi, by_chance : float or None
        The index, and what chance exceeds on one day in a hundred.
    """
    if psi is None or by_chance is None:
        return "waiting"
    if psi <= LINE:
        return "steady"
    return "drifted" if psi > by_chance else "few"


def stability_chip(psi: float | None, by_chance: float | None, forms: Forms) -> dict[str, str]:
    """Return the chip of one index: word, icon and tone."""
    level = stability(psi, by_chance)
    chip = {"steady": "proven", "drifted": "harmful", "few": "unclear", "waiting": "too_early"}[level]
    number = "" if psi is None else forms.number(psi, 2)
    return {"level": level, "chip": chip, "word": WORDS[forms.language][level], "psi": number}


def days_figure(days: Sequence[Day], forms: Forms) -> dict[str, Any]:
    """Lay out the distribution of the scores by day.

    Parameters
    ----------
    days : sequence of Day
        In order, at least one.
    forms : Forms

    Returns
    -------
    dict
        Title, grid and marks: ``x`` in percent of the width, ``y`` in pixels; the data as a table.
    """
    words = WORDS[forms.language]
    least, most = min(day.quantiles[0] for day in days), max(day.quantiles[4] for day in days)
    # zero is shown where it isn't far away
    up = _Scale.over(min(0.0, least) if least < most / 2 else least, most, HEIGHT)
    first, last = days[0], days[-1]
    title = words["days" if len(days) > 1 else "days_one"].format(
        day=forms.day(last.on), median=up.text(last.quantiles[2], forms), last=up.text(last.quantiles[2], forms),
        first=up.text(first.quantiles[2], forms),
    )  # fmt: skip
    marks = []
    for x, day in zip(_places(days), days, strict=True):
        tone = "unsure" if day.psi is None else "accent"
        p5, p25, median, p75, p95 = (up.y(one) for one in day.quantiles)
        marks.append({"tone": tone, "x": x, "thin": (p5, p95), "thick": (p25, p75), "dot": median})
    return {
        "title": title,
        "axis": words["days_axis"],
        **_frame(days, up, forms),
        "marks": marks,
        "rows": [
            {
                "name": forms.day(day.on),
                "cells": [forms.number(day.rows), *(up.text(one, forms) for one in day.quantiles)],
            }
            for day in reversed(days)
        ],
    }


def drift_figure(days: Sequence[Day], forms: Forms) -> dict[str, Any] | None:
    """Lay out the stability index by day with its line at 0.2; None where nothing was compared yet.

    Parameters
    ----------
    days : sequence of Day
        In order.
    forms : Forms
    """
    words = WORDS[forms.language]
    compared = [(day, day.psi, day.by_chance or 0.0) for day in days if day.psi is not None]
    if not compared:
        return None
    up = _Scale.over(0.0, max(1.25 * LINE, *(psi for _, psi, _ in compared)), HEIGHT)
    levels = [stability(psi, chance) for _, psi, chance in compared]
    worst, most, _ = max(compared, key=lambda one: one[1])
    level = next((one for one in ("drifted", "few") if one in levels), "steady")
    title = words[f"drift_{level}"].format(
        line=forms.number(LINE, 1), days=len(compared), few=levels.count("few"), drifted=levels.count("drifted"),
        day=forms.day(worst.on), most=forms.number(most, 2),
    )  # fmt: skip
    only = [day for day, _, _ in compared]
    marks = [
        {"tone": TONES[level], "x": x, "thin": (up.y(0.0), up.y(psi)), "dot": up.y(psi), "level": level,
         "dash": up.y(chance) if chance < up.high else None}
        for x, (_, psi, chance), level in zip(_places(only), compared, levels, strict=True)
    ]  # fmt: skip
    return {
        "title": title,
        "axis": words["drift_axis"],
        **_frame(only, up, forms),
        "line": {"y": up.y(LINE), "text": forms.number(LINE, 1)},
        "marks": marks,
        "rows": [
            {
                "name": forms.day(day.on),
                "cells": [forms.number(day.rows), forms.number(psi, 3), forms.number(chance, 3), words[level]],
            }
            for (day, psi, chance), level in reversed(list(zip(compared, levels, strict=True)))
        ],
    }  # fmt: skip


def calibration_figure(content: Mapping[str, Any], forms: Forms) -> dict[str, Any]:
    """Lay out what the scores said against how often it came true.

    Parameters
    ----------
    content : mapping
        As measured: ``bins``, each with ``predicted``, ``observed`` and its range ``ci``.
    forms : Forms
    """
    words = WORDS[forms.language]
    ends = [end for one in content["bins"] for end in (one["predicted"], one["ci"][1])]
    up = _Scale.over(0.0, min(1.0, max(ends)), SQUARE)
    return {
        "title": calibration_title(content, forms),
        "axis": words["calibration_axis"],
        "height": SQUARE + HEAD + FOOT,
        "bottom": SQUARE + HEAD,
        "grid": [{"y": up.y(tick), "text": forms.percent(tick)} for tick in up.ticks],
        "ticks": [
            {"x": up.share(tick), "text": forms.percent(tick), "minor": place % 2 == 1,
             "anchor": "end" if tick == up.ticks[-1] else "middle"}
            for place, tick in enumerate(up.ticks)
        ],
        "diagonal": {"y1": up.y(0.0), "y2": up.y(up.high)},
        "marks": [
            {"tone": "accent", "x": up.share(one["predicted"]), "thin": (up.y(one["ci"][0]), up.y(one["ci"][1])),
             "dot": up.y(one["observed"])}
            for one in content["bins"]
        ],
        "rows": [
            {
                "name": forms.span(forms.percent(one["lowest"], 1), forms.percent(one["highest"], 1)),
                "cells": [
                    forms.number(one["rows"]),
                    forms.percent(one["predicted"], 1),
                    forms.percent(one["observed"], 1),
                    forms.span(forms.percent(one["ci"][0], 1), forms.percent(one["ci"][1], 1)),
                ],
            }
            for one in content["bins"]
        ],
    }  # fmt: skip


def calibration_title(content: Mapping[str, Any], forms: Forms) -> str:
    """Say whether the scores were right on the whole: their mean within the range of how often it came true."""
    low, high = content["ci"]
    said = "low" if content["predicted"] < low else "high" if content["predicted"] > high else "right"
    observed, predicted = forms.percent(content["observed"], 1), forms.percent(content["predicted"], 1)
    return WORDS[forms.language][said].format(observed=observed, predicted=predicted)


def refusal(content: Mapping[str, Any] | None, forms: Forms) -> str:
    """Say why scores were not judged; empty where they were."""
    words = WORDS[forms.language]
    if content is None:
        return words["empty"]
    if content["status"] == "measured":
        return ""
    return words[content["reason"]].format(rows=forms.number(content["rows"]))


def discrimination(content: Mapping[str, Any], forms: Forms) -> dict[str, str]:
    """Return the figures of a judgement in the reader's form, with a sentence that says what they mean."""
    words = WORDS[forms.language]
    if "auc" not in content:
        share = "" if content["r2"] is None else forms.percent(content["r2"])
        mae = forms.number(content["mae"], 3)
        return {"sentence": words["r2"].format(share=share, mae=mae) if share else "", "r2": share, "mae": mae}
    ci = content["auc_ci"]
    return {
        "sentence": words["auc"].format(share=forms.percent(content["auc"])),
        "auc": forms.number(content["auc"], 3),
        "range": forms.span(forms.number(ci[0], 3), forms.number(ci[1], 3)) if ci else "",
        "brier": forms.number(content["brier"], 4),
        "log_loss": forms.number(content["log_loss"], 4),
    }


@dataclass(frozen=True, slots=True)
class _Scale:
    """An axis with ticks at round numbers."""

    low: float
    high: float
    step: float
    size: int

    @classmethod
    def over(cls, low: float, high: float, size: int) -> _Scale:
        step = nice_step(high - low)
        return cls(math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step or step, step, size)

    @property
    def ticks(self) -> list[float]:
        return [self.low + place * self.step for place in range(round((self.high - self.low) / self.step) + 1)]

    def share(self, value: float) -> float:
        width = self.high - self.low or 1.0
        return round(100 * (min(max(value, self.low), self.high) - self.low) / width, 2)

    def y(self, value: float) -> float:
        return round(HEAD + self.size * (1 - self.share(value) / 100), 1)

    def text(self, value: float, forms: Forms) -> str:
        return forms.number(value, min(6, max(0, 1 - math.floor(math.log10(self.step)))))


def _frame(days: Sequence[Day], up: _Scale, forms: Forms) -> dict[str, Any]:
    places = _places(days)
    middle = len(days) // 2
    shown = (
        {0: "start", middle: "middle", len(days) - 1: "end"} if len(days) > 2 else {0: "start", len(days) - 1: "end"}
    )
    decimals = min(6, max(0, -math.floor(math.log10(up.step))))
    return {
        "height": HEIGHT + HEAD + FOOT,
        "bottom": HEIGHT + HEAD,
        "grid": [{"y": up.y(tick), "text": forms.number(tick, decimals)} for tick in up.ticks],
        "ticks": [
            {"x": places[place], "text": forms.day(days[place].on), "anchor": anchor if len(days) > 1 else "middle",
             "minor": anchor == "middle"}
            for place, anchor in shown.items()
        ],
    }  # fmt: skip


def _places(days: Sequence[Day]) -> list[float]:
    """Where each day stands, in percent of the width."""
    width = (days[-1].on - days[0].on).days
    return [round(100 * (day.on - days[0].on).days / width, 2) if width else 50.0 for day in days]
