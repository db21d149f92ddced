"""The executive page of a report: what to decide, in a fixed order, from a said results document."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from impact.figures.agreed import agreed_rows
from impact.figures.beside import stop_or_wait
from impact.figures.forest import Bar
from impact.figures.forms import Forms, decimals_for
from impact.figures.model_worth import model_worth, score_free
from impact.figures.sentences import WORDS, arm_names, decisive, recommended, row_word, shown_effect, shown_range
from impact.figures.worth import knowing, points_of


def points(
    document: Mapping[str, Any], case: Mapping[str, Any], signatures: list[str], language: str
) -> list[dict[str, Any]]:
    """Return the points of the page, each with a title and a text or rows.

    Parameters
    ----------
    document : mapping
        A results document with its sentences.
    case : mapping
        The agreed case; empty if there was none.
    signatures : list of str
        Who signed it, for what and when.
    language : str
    """
    words = WORDS[language]
    rows, head = effect_rows(document, language), effect_head(document, language)
    year = points_of(document, head[1:], Forms(language))
    next_step, withheld = document["verdict"]["next_step"], document["verdict"]["level"] == "withheld"
    found = [
        {"title": words.POINTS_OF["effect"], "rows": [*rows, *([year["year"]["row"]] if year else [])], "head": head},
        {"title": words.POINTS_OF["compared"], "text": _compared(document, language)},
        *(year[name] for name in ("measured", "money") if year),
        {"title": words.POINTS_OF["confidence"], "text": words.LEVELS[document["verdict"]["level"]]},
        *([year["change"]] if year else []),
        {
            "title": words.POINTS_OF["threshold"],
            "text": "" if withheld else "\n".join(stop_or_wait(document, Forms(language))),
        },
        {"title": words.POINTS_OF["guardrails"], "text": _of_check(document, "guardrails_hold") or words.NO_GUARDRAILS},
        {"title": words.POINTS_OF["agreed"], "text": _agreed(document, case, signatures, language)},
        {"title": words.POINTS_OF["quality"], "text": _quality(document, language)},
        knowing(document, year["price"]["text"] if year else "", Forms(language)),
        {
            "title": words.POINTS_OF["next"],
            "text": "\n".join([next_step, *([year["expiry"]["text"]] if year else [])]),
        },
    ]
    asked = [case["decision"]] if case.get("decision") else []
    asked.append(words.recommended(recommended(document, language)))
    found.insert(0, {"title": words.POINTS_OF["decision"], "text": "\n".join(asked)})
    return [point for point in found if point.get("text") or point.get("rows")]


def bars(document: Mapping[str, Any]) -> list[Bar]:
    """Return every comparison with the baseline, as bars of the forest."""
    levels = {one["arm"]: one["level"] for one in document["verdicts"]}
    names = arm_names(document)
    baseline = next(arm["arm"] for arm in document["arms"] if arm["is_baseline"])
    found = []
    for block in decisive(document):
        if block["status"] != "estimated" or levels.get(block["arm"]) == "withheld":
            continue
        label, level = names[block["arm"]], levels.get(block["arm"], "unclear")
        if block["baseline"] != baseline:
            label = f"{label} \u2013 {names[block['baseline']]}"
            level = "unclear"
        low, high = shown_range(document, block)
        found.append(Bar(label, level, shown_effect(block), low, high, block["baseline"] == baseline))
    return found


def effect_rows(document: Mapping[str, Any], language: str) -> list[list[str]]:
    """Label, low, estimate and high of every comparison, in the reader's form; ``measured_in`` names the unit."""
    forms, scale = Forms(language), drawn_times(document)
    currency = document["money"]["currency"] if document["money"] else None
    rows = []
    for bar in bars(document):
        low, effect, high = (scale * value for value in (bar.low, bar.effect, bar.high))
        decimals = decimals_for(low, high, currency)
        rows.append([bar.label, *(forms.number(value, decimals, signed=True) for value in (low, effect, high))])
    return rows


def drawn_times(document: Mapping[str, Any]) -> int:
    """Proportions are drawn in points."""
    metric = next((one for one in document["metrics"] if one["role"] == "primary"), None)
    return 100 if metric and not document["money"] and metric["kind"] == "proportion" else 1


def effect_head(document: Mapping[str, Any], language: str) -> list[str]:
    return [measured_in(document, language), *WORDS[language].EFFECT_HEAD]


def measured_in(document: Mapping[str, Any], language: str) -> str:
    """What the decisive figure is, in which unit, per what."""
    words, row = WORDS[language], row_word(document, language)
    if document["money"]:
        return words.net_per(Forms(language).currency(document["money"]["currency"]), row)
    metric = next(one for one in document["metrics"] if one["role"] == "primary")
    unit = words.POINTS if metric["kind"] == "proportion" else metric["unit"]
    return words.metric_per(metric["name"], unit, row)


def _compared(document: Mapping[str, Any], language: str) -> str:
    """The baseline; what the model is worth, or at least the best action that needs no score."""
    forms = Forms(language)
    beside = model_worth(document, forms) or score_free(document, forms)
    return "\n".join(line for line in (compared_with(document, language), beside) if line)


def compared_with(document: Mapping[str, Any], language: str) -> str:
    names = arm_names(document)
    baseline = next(arm["arm"] for arm in document["arms"] if arm["is_baseline"])
    words, forms = WORDS[language], Forms(language)
    said = words.compared(names[baseline], forms.number(document["maturity"]["mature"]), document["unit_type"])
    day = words.cut_off(forms.day(datetime.fromisoformat(document["as_of"])))
    return f"{said} {day}" if language == "en" else f"{said}{day}"


def _agreed(document: Mapping[str, Any], case: Mapping[str, Any], signatures: list[str], language: str) -> str:
    """Who signed what and when, and which of it was reached."""
    if not signatures:
        return _of_check(document, "agreed_before")
    said = WORDS[language].agreed_line
    reached = [row for row in agreed_rows(document, case, language) if row["word"]]
    lines = [said(row["label"], row["agreed"], row["came"], row["word"]) for row in reached]
    return "\n".join(["; ".join(signatures), *lines])


def _quality(document: Mapping[str, Any], language: str) -> str:
    failed = [check for check in document["checks"] if not check["passed"] and check["severity"] != "info"]
    return "\n".join(check["message"] for check in failed) or WORDS[language].ALL_PASSED


def _of_check(document: Mapping[str, Any], check_id: str) -> str:
    return next((check["message"] for check in document["checks"] if check["id"] == check_id), "")
