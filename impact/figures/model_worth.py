"""What the model is worth, in a sentence: its policy against the best action that needs no score."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from impact.figures.forms import Forms, decimals_for
from impact.figures.sentences import arm_names, row_word
from impact.figures.worth import inside, words


def model_worth(document: Mapping[str, Any], forms: Forms) -> str:
    """Say the policy that was signed to be used as the verdict's subject; nothing where there is none to say."""
    ladder, say = document.get("value_ladder"), words(forms)
    if not ladder or document["verdict"]["level"] == "withheld" or not document["money"]:
        return ""
    whole = next((one for one in ladder["rungs"] if one["rung"] == "model"), None)
    model = ladder["model"]
    if not whole or not model or "not_estimable" in (whole["status"], model["status"]):
        return ""
    names, currency = arm_names(document), document["money"]["currency"]
    baseline = next(arm["arm"] for arm in document["arms"] if arm["is_baseline"])
    text = say["worth_none" if model["arm"] == baseline else "worth"]
    return str(
        text.format(
            key=whole["policy"],
            row=row_word(document, forms.language),
            baseline=inside(names[baseline], forms),
            arm=inside(names[model["arm"]], forms),
            level=say["worth_levels"][_level(document, model)],
            **_amounts(whole, currency, forms, ""),
            **_amounts(model, currency, forms, "more"),
        )
    )


def score_free(document: Mapping[str, Any], forms: Forms) -> str:
    """Name the best action that needs no score."""
    ladder = document.get("value_ladder")
    if not ladder or document["verdict"]["level"] == "withheld":
        return ""
    best = next((one["arm"] for one in ladder["rungs"] if one["rung"] == "best_single"), None)
    return str(words(forms)["score_free"].format(arm=arm_names(document)[best])) if best else ""


def _level(document: Mapping[str, Any], model: Mapping[str, Any]) -> str:
    if not document["maturity"]["final"]:
        return "early"
    low, high = model["ci"]
    if low <= 0 <= high:
        return "open"
    return "proven" if low > 0 else "lost"


def _amounts(block: Mapping[str, Any], currency: str, forms: Forms, name: str) -> dict[str, str]:
    low, high = block["ci"]
    decimals = decimals_for(low, high, currency)
    start = f"{name}_" if name else ""
    return {
        name or "effect": forms.money(block["effect"], currency, decimals, signed=True),
        f"{start}low": forms.number(low, decimals),
        f"{start}high": forms.number(high, decimals),
    }
