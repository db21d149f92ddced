"""The experiment page: a said results document as texts, rows and figures in the reader's form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from impact.figures.beside import adverse_lines, by_clusters, stop_or_wait, takers
from impact.figures.executive import bars, drawn_times, measured_in
from impact.figures.forest import Bar, forest
from impact.figures.forms import Forms, decimals_for
from impact.figures.ladder import ladder
from impact.figures.model_worth import model_worth
from impact.figures.policies import policies_section
from impact.figures.sentences import (
    WORDS,
    any_day,
    arm_names,
    check_title,
    decisive,
    metric_amount,
    range_now,
    reading,
    row_word,
    shown_range,
)
from impact.figures.words.reasons import reason
from impact.figures.worth import worth_section


def experiment_page(document: Mapping[str, Any], language: str) -> dict[str, Any]:
    """Return everything the page shows of a document that has its sentences."""
    forms = Forms(language)
    withheld = document["verdict"]["level"] == "withheld"
    return {
        "verdict": document["verdict"] | {"word": WORDS[language].LEVELS[document["verdict"]["level"]]},
        "forest": None if withheld else net_forest(document, forms),
        "currency": forms.currency(document["money"]["currency"]) if document["money"] else "",
        "money": None if withheld or not document["money"] else [
            money_row(document, block, forms) for block in document["money"]["comparisons"]
        ],
        "by_clusters": [] if withheld else by_clusters(document, forms),
        "takers": [] if withheld else takers(document, forms),
        "stop_or_wait": [] if withheld else stop_or_wait(document, forms),
        "model_worth": model_worth(document, forms),
        "worth": worth_section(document, forms),
        "ladder": ladder(document, forms),
        "policies": policies_section(document, language),
        "metrics": [] if withheld else [metric_table(document, metric, forms) for metric in document["metrics"]],
        "segments": [] if withheld else segment_forests(document, forms),
        "checks": [check_row(check, language) for check in document["checks"]],
        "maturity": maturity(document, forms),
        "estimand": WORDS[language].estimand(
            row_word(document, language), forms.number(document["plan"]["window_days"])
        ),
    }  # fmt: skip


def net_forest(document: Mapping[str, Any], forms: Forms) -> dict[str, Any] | None:
    """The forest of every comparison, titled with what it shows."""
    found = bars(document)
    if not found:
        return None
    currency = document["money"]["currency"] if document["money"] else None
    words = WORDS[forms.language]
    scale = drawn_times(document)
    shown = [_scaled(bar, scale) for bar in found]
    worth = scale * document["plan"]["smallest_effect"] or None
    return forest(shown, forms, worth=worth, currency=currency) | {
        "title": words.forest_title([(bar.label, bar.level) for bar in found if bar.compared]),
        "axis": axis_text(document, forms, anytime=_any_day(document)),
    }


def _any_day(document: Mapping[str, Any]) -> bool:
    """Whether every range that is drawn may be looked at on any day: that of a planned look is of its moment."""
    looked = [block for block in decisive(document) if block["status"] == "estimated"]
    return all(reading(document, block) is block.get("always_valid") for block in looked) and any_day(document)


def axis_text(document: Mapping[str, Any], forms: Forms, *, anytime: bool = False) -> str:
    """What is drawn, compared with what, and what the lines are."""
    words, names = WORDS[forms.language], arm_names(document)
    baseline = next(names[arm["arm"]] for arm in document["arms"] if arm["is_baseline"])
    level = forms.percent(1 - document["plan"]["alpha"])
    return words.forest_axis(measured_in(document, forms.language), baseline, level, anytime)


def money_row(document: Mapping[str, Any], block: Mapping[str, Any], forms: Forms) -> dict[str, Any]:
    """Value, cost, net and return of one comparison."""
    words, currency = WORDS[forms.language], document["money"]["currency"]
    names = arm_names(document)
    net = block["net"]
    row: dict[str, Any] = {
        "arm": names[block["arm"]],
        "baseline": names[block["baseline"]],
        "reason": reason(net["reason"], forms.language) if net["reason"] else None,
        "roi": roi_text(block["roi"], forms),
    }
    if net["status"] != "estimated":
        return row
    low, high = range_now(document, net)
    decimals = decimals_for(low, high, currency)
    for name in ("value", "cost"):
        row[name] = forms.number(block[name]["effect"], decimals, signed=True)
    row["net"] = forms.number(net["effect"], decimals, signed=True)
    row["range"] = forms.span(forms.number(low, decimals), forms.number(high, decimals))
    row["total"] = forms.money(block["total"]["net"], currency, 0, signed=True)
    row["total_range"] = forms.span(*(forms.number(end) for end in block["total"]["net_ci"]))
    row["rows"] = forms.number(block["total"]["n"])
    if block["break_even"] and block["break_even"]["effect"] > 0:
        metric = next(one for one in document["metrics"] if one["key"] == block["break_even"]["metric"])
        effect = block["break_even"]["effect"]
        amount = metric_amount(effect, metric, forms, 2 if effect < 1000 else 0)
        row["break_even"] = words.break_even(metric["name"], amount)
    return row


def roi_text(roi: Mapping[str, Any], forms: Forms) -> str:
    """The return with its set, or why there is none."""
    words = WORDS[forms.language]
    if roi["set"] is None or roi["status"] == "not_defined":
        return words.NO_ROI
    kind, bounds = roi["set"]["kind"], [forms.percent(bound, signed=True) for bound in roi["set"]["bounds"]]
    span = words.roi_set(kind, bounds)
    return f"{forms.percent(roi['point'], signed=True)} ({span})" if roi["status"] == "shown" else span


def metric_table(document: Mapping[str, Any], metric: Mapping[str, Any], forms: Forms) -> dict[str, Any]:
    """One metric: every arm's level, and its change with what that means."""
    words, names = WORDS[forms.language], arm_names(document)
    baseline = next(arm["arm"] for arm in document["arms"] if arm["is_baseline"])
    comparisons = {block["arm"]: block for block in metric["comparisons"] if block["baseline"] == baseline}
    proportion = metric["kind"] == "proportion"
    rows = []
    for arm in metric["arms"]:
        level = ""
        if arm["mean"] is not None:
            spread = (arm["variance"] or 0.0) ** 0.5 / max(arm["n"], 1) ** 0.5
            decimals = 1 if proportion else max(2, decimals_for(-spread * 2, spread * 2))
            level = forms.percent(arm["mean"], decimals) if proportion else forms.number(arm["mean"], decimals)
        row = {"arm": names[arm["arm"]], "n": forms.number(arm["n"]), "level": level}
        block = comparisons.get(arm["arm"])
        if block is None:
            row["reading"] = words.BASELINE
        elif block["status"] != "estimated":
            row["reading"] = words.not_estimable(reason(block["reason"], forms.language))
        else:
            row |= change(document, metric, block, forms)
        rows.append(row)
    return {
        "title": metric["name"],
        "role": words.ROLES[metric["role"]],
        "unit": metric["unit"],
        "rows": rows,
        "less_is_better": metric["direction"] == "decrease",
    }


def change(
    document: Mapping[str, Any], metric: Mapping[str, Any], block: Mapping[str, Any], forms: Forms
) -> dict[str, Any]:
    """A change: the arrow tells direction, the word tells worth."""
    words = WORDS[forms.language]
    scale = 100 if metric["kind"] == "proportion" else 1
    low, high = shown_range(document, block)
    decimals = decimals_for(scale * low, scale * high)
    up = block["effect"] > 0
    good = up == (metric["direction"] == "increase")
    settled = block["p_adjusted"] is not None and block["p_adjusted"] <= document["plan"]["alpha"]
    if not document["maturity"]["final"]:
        settled = not low <= 0 <= high
    return {
        "arrow": "\u25b2" if up else "\u25bc" if block["effect"] < 0 else "",
        "change": metric_amount(abs(block["effect"]), metric, forms, decimals),
        "range": forms.span(
            forms.number(scale * low, decimals, signed=True), forms.number(scale * high, decimals, signed=True)
        ),
        "reading": words.reading(metric["kind"], up, good, settled),
        "tone": ("good" if good else "bad") if settled else "unsure",
    }


def segment_forests(document: Mapping[str, Any], forms: Forms) -> list[dict[str, Any]]:
    """One forest for each segment that was looked at."""
    words = WORDS[forms.language]
    currency = document["money"]["currency"] if document["money"] else None
    scale = drawn_times(document)
    found = []
    for by in dict.fromkeys(one["by"] for one in document["segments"]):
        of_segment = [one for one in document["segments"] if one["by"] == by]
        shown = [_scaled(bar, scale) for bar in segment_bars(document, by, forms.language)]
        if shown:
            found.append(
                {
                    "by": words.BY.get(by, by),
                    "exploratory": of_segment[0]["exploratory"],
                    "adverse": adverse_lines(document, by, forms),
                    "figure": forest(shown, forms, currency=currency)
                    | {
                        "title": words.segment_title([(bar.label, bar.level) for bar in shown]),
                        "axis": axis_text(document, forms),
                    },
                }
            )
    return found


def segment_bars(document: Mapping[str, Any], by: str, language: str) -> list[Bar]:
    """Every value's comparisons with the baseline; words after Benjamini and Hochberg, never more than likely."""
    words, names = WORDS[language], arm_names(document)
    metric = next((one for one in document["metrics"] if one["role"] == "primary"), None)
    baseline = next(arm["arm"] for arm in document["arms"] if arm["is_baseline"])
    good = 1 if document["money"] or not metric or metric["direction"] == "increase" else -1
    return [
        Bar(
            f"{one['value'] or words.NOTHING}, {names[block['arm']]}",
            _segment_level(block, good, document["plan"]["alpha"]),
            block["effect"],
            *block["ci"],
        )
        for one in document["segments"]
        if one["by"] == by
        for block in one["comparisons"]
        if block["status"] == "estimated" and block["baseline"] == baseline
    ]


def check_row(check: Mapping[str, Any], language: str) -> dict[str, str]:
    """A check with its icon: passed, or what its failing means."""
    state = "pass" if check["passed"] else check["severity"]
    return {
        "id": check["id"],
        "state": state,
        "state_word": WORDS[language].STATES[state],
        "title": check_title(check["id"], language),
        "message": check["message"],
    }


def maturity(document: Mapping[str, Any], forms: Forms) -> dict[str, Any]:
    """How many rows count, as a share and in words."""
    numbers: Mapping[str, int] = document["maturity"]
    whole = numbers["mature"] + numbers["open"] + numbers["censored"]
    share = numbers["mature"] / whole if whole else 0.0
    return {
        "share": round(100 * share, 1),
        "text": forms.percent(share),
        "mature": forms.number(numbers["mature"]),
        "whole": forms.number(whole),
    }


def _scaled(bar: Bar, scale: int) -> Bar:
    return replace(bar, effect=scale * bar.effect, low=scale * bar.low, high=scale * bar.high)


def _segment_level(block: Mapping[str, Any], good: int, alpha: float) -> str:
    if block["p_adjusted"] is not None and block["p_adjusted"] <= alpha:
        return "likely" if good * block["effect"] > 0 else "harmful"
    return "unclear"


__all__: Sequence[str] = ("experiment_page", "segment_bars")
