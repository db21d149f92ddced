"""The value ladder: from nothing to the model's policy, and what the model adds after its own cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from impact.figures.forest import Bar, forest
from impact.figures.forms import Forms, decimals_for
from impact.figures.sentences import arm_names, row_word
from impact.figures.worth import CASES, inside, words


def ladder(document: Mapping[str, Any], forms: Forms) -> dict[str, Any] | None:
    """From nothing to the model's policy on the same rows, and what the model adds to an action without a score."""
    # documents from before there was one
    found, say = document.get("value_ladder"), words(forms)
    if found is None or document["verdict"]["level"] == "withheld":
        return None
    rungs = [one for one in found["rungs"] if one["rung"] != "nothing" and one["status"] == "estimated" and one["se"]]
    if not rungs:
        return None
    names, currency, row = arm_names(document), document["money"]["currency"], row_word(document, forms.language)
    labels = {"random": "random", "best_single": "best_single", "todays_rule": "todays_rule", "model": "rung_model"}
    bars = [
        Bar(
            say[labels[one["rung"]]].format(arm=names.get(one["arm"], ""), key=one["policy"]),
            "unclear",
            one["effect"],
            one["ci"][0],
            one["ci"][1],
            compared=False,
        )
        for one in rungs
    ]
    best = max(bars, key=lambda bar: bar.effect)
    bars += _after_running(document, bars[-1], forms) if rungs[-1]["rung"] == "model" else []
    baseline = next(arm["name"] for arm in document["arms"] if arm["is_baseline"])
    decimals = decimals_for(best.low, best.high, currency)
    axis = say["ladder_axis"].format(
        currency=forms.currency(currency),
        row=row,
        baseline=inside(baseline, forms),
        level=forms.percent(1 - document["plan"]["alpha"]),
    )
    figure = forest(bars, forms, currency=currency) | {
        "title": say["ladder"].format(
            name=best.label,
            effect=forms.money(best.effect, currency, decimals, signed=True),
            row=row,
            baseline=inside(baseline, forms),
        ),
        "axis": axis,
    }
    return {"figure": figure, "model": _model(document, forms)}


def _after_running(document: Mapping[str, Any], model: Bar, forms: Forms) -> list[Bar]:
    """The model's policy after what running the model costs a case."""
    programme = (document["value_statement"] or {}).get("programme")
    if not programme or not programme["running_per_year"] or not programme["cases"]:
        return []
    cost = programme["running_per_year"] / programme["cases"]
    said = words(forms)["rung_after"].format(
        cost=forms.number(cost, decimals_for(0, cost, document["money"]["currency"]))
    )
    return [Bar(said, "unclear", model.effect - cost, model.low - cost, model.high - cost, compared=False)]


def _model(document: Mapping[str, Any], forms: Forms) -> str:
    model, say, currency = document["value_ladder"]["model"], words(forms), document["money"]["currency"]
    if model is None or model["status"] != "estimated":
        return ""
    low, high = model["ci"]
    decimals = decimals_for(low, high, currency)
    texts = {
        "arm": arm_names(document)[model["arm"]],
        "effect": forms.money(model["effect"], currency, decimals, signed=True),
        "row": row_word(document, forms.language),
        "low": forms.number(low, decimals, signed=True),
        "high": forms.number(high, decimals, signed=True),
    }
    if not model["year"]:
        return str(say["model_plain"].format(**texts))
    npv = {case: model["year"][case]["npv"] for case in CASES}
    return str(
        say["model"].format(
            **texts,
            npv=forms.money(npv["base"], currency, 0, signed=True),
            npv_low=forms.number(npv["low"], signed=True),
            npv_high=forms.number(npv["high"], signed=True),
        )
    )
