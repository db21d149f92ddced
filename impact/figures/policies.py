"""What each policy would have earned on an experiment's rows, and how sure each way of telling is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from impact.figures.forest import Bar, forest
from impact.figures.forms import Forms, decimals_for
from impact.figures.sentences import arm_names, row_word
from impact.figures.words.course import WORDS
from impact.figures.worth import inside, words

NOBODY = "nobody"


def policies_section(document: Mapping[str, Any], language: str) -> dict[str, Any] | None:
    """Return a forest against the baseline for everybody, and every reading as a row; None without any."""
    blocks = [one for one in document["policies"] if one["status"] == "estimated"]
    if document["verdict"]["level"] == "withheld" or not document["money"] or not blocks:
        return None
    forms, say, currency = Forms(language), WORDS[language], document["money"]["currency"]
    # a policy that is the baseline for everybody has nothing to show
    headline = {one["policy"]: one for one in reversed(blocks) if one["against"] == NOBODY and one["se"]}
    bars = [
        Bar(key, "unclear", one["effect"], low=one["ci"][0], high=one["ci"][1], compared=False)
        for key, one in reversed(headline.items())
    ]
    if not bars:
        return None
    best, row = max(bars, key=lambda bar: bar.effect), row_word(document, language)
    decimals = decimals_for(best.low, best.high, currency)
    baseline = next(arm["name"] for arm in document["arms"] if arm["is_baseline"])
    title = say["policies"].format(
        policy=best.label,
        effect=forms.money(best.effect, currency, decimals, signed=True),
        row=row,
        baseline=inside(baseline, forms),
    )
    axis = say["policies_axis"].format(
        currency=forms.currency(currency), row=row, level=forms.percent(1 - document["plan"]["alpha"])
    )
    return {
        "figure": forest(bars, forms, currency=currency) | {"title": title, "axis": axis},
        "heads": say["policy_heads"],
        "rows": [_reading(document, one, forms) for one in blocks],
    }


def _reading(document: Mapping[str, Any], block: Mapping[str, Any], forms: Forms) -> list[str]:
    say, names = words(forms), arm_names(document)
    low, high = block["ci"]
    decimals = decimals_for(low, high, document["money"]["currency"])
    against = say["nobody"] if block["against"] == NOBODY else names.get(block["against"], block["against"])
    policy = f"{block['policy']} ({say['selected']})" if block["selected_on_same_data"] else block["policy"]
    return [
        policy,
        against,
        say["estimators"][block["estimator"]],
        forms.number(block["effect"], decimals, signed=True),
        forms.span(forms.number(low, decimals), forms.number(high, decimals)),
        forms.number(block["ess"]) if block["ess"] else "",
    ]
