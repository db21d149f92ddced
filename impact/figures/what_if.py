"""What another rule would have earned: the rule that somebody chooses in an address, looked up and said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from impact.figures.forms import Forms, decimals_for
from impact.figures.sentences import WORDS, arm_names, row_word
from impact.figures.thresholds import score_text, threshold_figure
from impact.figures.words.what_if import WORDS as TEXTS
from impact.figures.worth import inside

NOBODY = "nobody"
# names in the address beside those of a segment's values
BY, THRESHOLD, RULE = "by", "threshold", "rule"


def what_if_section(document: Mapping[str, Any], asked: Mapping[str, str], language: str) -> dict[str, Any] | None:
    """Return the rules that can be tried, each with what it would have earned.

    Parameters
    ----------
    document : mapping
        A results document with its sentences.
    asked : mapping
        Of the address: ``by`` a segment and an arm for each of its values, or a ``threshold`` and its ``rule``,
        an arm and the side on which it is given, ``wait.below``. What isn't there or isn't known is as agreed.
    language : str

    Returns
    -------
    dict or None
        None where nothing can be tried: no money, withheld, or an analysis from before there was this.
    """
    found, forms = document.get("what_if"), Forms(language)
    if not found or not document["money"] or document["verdict"]["level"] == "withheld":
        return None
    tables = [
        _table(document, table, asked if asked.get(BY) == table["by"] else {}, forms) for table in found["tables"]
    ]
    return {"tables": tables, "threshold": _threshold(document, asked, forms)}


def _table(
    document: Mapping[str, Any], table: Mapping[str, Any], asked: Mapping[str, str], forms: Forms
) -> dict[str, Any]:
    say, names, values = TEXTS[forms.language], arm_names(document), table["values"]
    choices = [_choice(document, table, value["value"], asked) for value in values]
    rule = next(one for one in table["rules"] if one["choices"] == choices)
    said = "、".join if forms.language == "ja" else ", ".join
    text = said(
        say["chosen"].format(value=value["value"] or say["rest"], arm=names[arm])
        for value, arm in zip(values, choices, strict=True)
    )
    chosen_by = dict(zip((value["value"] for value in values), choices, strict=True))
    same = [key for key, policy in table["policies"].items() if policy == chosen_by]
    by = WORDS[forms.language].BY.get(table["by"], table["by"])
    return {
        "key": table["by"],
        "by": say["by"].format(by=inside(by, forms)),
        "exploratory": table["exploratory"],
        "fields": [
            {
                "name": value["value"],
                "label": say["part"].format(value=value["value"] or say["rest"], share=forms.percent(value["share"])),
                "options": [(arm["arm"], names[arm["arm"]], arm["arm"] == chosen) for arm in value["arms"]],
            }
            for value, chosen in zip(values, choices, strict=True)
        ],
        "result": result(document, rule["against"], text, same, forms, single=len(set(choices)) == 1),
        "grid": _grid(document, table, forms),
    }


def _choice(document: Mapping[str, Any], table: Mapping[str, Any], value: str, asked: Mapping[str, str]) -> str:
    """The arm of the address, else of the policy that was agreed to be used, else the baseline."""
    known = {arm["arm"] for arm in table["values"][0]["arms"]}
    baseline = next(arm["arm"] for arm in document["arms"] if arm["is_baseline"])
    agreed = table["policies"].get(document["what_if"]["deploys"], {}).get(value, baseline)
    wanted = asked.get(value, agreed)
    return next(arm for arm in (wanted, agreed, baseline) if arm in known)


def _threshold(document: Mapping[str, Any], asked: Mapping[str, str], forms: Forms) -> dict[str, Any] | None:
    found = document["what_if"]
    if not found["thresholds"]:
        return None
    say, names = TEXTS[forms.language], arm_names(document)
    curves = {f"{one['arm']}.{one['side']}": one for one in found["thresholds"]}
    key = asked.get(RULE, "")
    key = key if key in curves else _begin(document, curves)
    curve = curves[key]
    points, wanted = curve["points"], _number(asked.get(THRESHOLD))
    best = max(points, key=lambda one: (one["against"][NOBODY] or {"effect": float("-inf")})["effect"])
    marks = [one for one in found["marks"] if _draws(document, one, curve)]
    planned = next((one["at"] for one in marks), None)
    at = wanted if wanted is not None else planned if planned is not None else best["at"]
    point = min(points, key=lambda one: abs(one["at"] - at))
    rule = say[curve["side"]].format(arm=names[curve["arm"]], at=score_text(point["at"], points, forms))
    same = [one["policy"] for one in marks if one["at"] == point["at"] and one["policy"]]
    return {
        "rules": [
            (one, say[f"{of['side']}_any"].format(arm=names[of["arm"]]), one == key) for one, of in curves.items()
        ],
        "at": f"{point['at']:.4g}",
        "low": f"{points[0]['at']:.4g}",
        "high": f"{points[-1]['at']:.4g}",
        "result": result(document, point["against"], rule, same, forms, planned=planned == point["at"]),
        "nearest": ""
        if wanted is None or abs(wanted - point["at"]) < 1e-9
        else say["nearest"].format(at=score_text(point["at"], points, forms), count=len(points)),
        "figure": threshold_figure(document, curve, marks, best, None if wanted is None else point, forms),
    }


def _begin(document: Mapping[str, Any], curves: Mapping[str, Any]) -> str:
    """The rule to begin with: one that a threshold was agreed for, else the one that does best."""
    for mark in document["what_if"]["marks"]:
        for key, curve in curves.items():
            if _draws(document, mark, curve):
                return key
    effects = {
        key: max((point["against"][NOBODY] or {"effect": 0.0})["effect"] for point in curve["points"])
        for key, curve in curves.items()
    }
    return max(effects, key=lambda key: effects[key])


def _draws(document: Mapping[str, Any], mark: Mapping[str, Any], curve: Mapping[str, Any]) -> bool:
    """Whether a threshold that was there before lies on this curve."""
    baseline = next(arm["arm"] for arm in document["arms"] if arm["is_baseline"])
    low, high = (baseline, curve["arm"]) if curve["side"] == "from" else (curve["arm"], baseline)
    return bool(mark["low"] == low and mark["high"] == high)


def result(
    document: Mapping[str, Any],
    against: Mapping[str, Any],
    rule: str,
    same: Sequence[str],
    forms: Forms,
    *,
    single: bool = False,
    planned: bool = False,
) -> dict[str, Any]:
    """One rule against everybody it is compared with: a sentence, where it comes from, and rows."""
    say, names, currency = TEXTS[forms.language], arm_names(document), document["money"]["currency"]
    baseline = inside(next(arm["name"] for arm in document["arms"] if arm["is_baseline"]), forms)
    first = against[NOBODY]
    told = {"rule": rule, "baseline": baseline}
    if first is None:
        return {"sentence": say["not_known"].format(**told), "origin": "", "selected": False, "heads": (), "rows": []}
    if not first["se"]:
        sentence = say["same"].format(**told)
    else:
        decimals = decimals_for(first["ci"][0], first["ci"][1], currency)
        low, high = (forms.number(end, decimals) for end in first["ci"])
        effect = forms.money(first["effect"], currency, decimals, signed=True)
        sentence = say["sentence"].format(
            **told, row=row_word(document, forms.language), effect=effect, low=low, high=high
        )
    origin, selected = _origin(document, first, same, forms, single=single, planned=planned)
    labels = {
        one["key"]: say[one["key"]].format(arm=names.get(one["arm"], ""), policy=one["policy"])
        for one in document["what_if"]["against"]
    }
    heads = say["heads"] if first["booked"] else say["heads"][:3]
    rows = [[label, *_texts(against[key], currency, forms)] for key, label in labels.items() if against[key]]
    return {
        "sentence": sentence,
        "origin": origin,
        "selected": selected,
        "heads": heads,
        "rows": [list(zip(heads, row, strict=True)) for row in rows],
    }


def _origin(
    document: Mapping[str, Any],
    first: Mapping[str, Any],
    same: Sequence[str],
    forms: Forms,
    *,
    single: bool,
    planned: bool,
) -> tuple[str, bool]:
    """Whether a rule was there before, or was chosen on these data, with what may be booked then."""
    say, currency = TEXTS[forms.language], document["money"]["currency"]
    deploys = document["what_if"]["deploys"]
    if deploys in same:
        return say["agreed"].format(policy=deploys), False
    if same:
        return say["known"].format(policy=same[0]), False
    if single:
        return say["single"], False
    if planned or not first["se"]:
        return "", False
    if not first["booked"]:
        return say["selected"].format(booked=say["not_booked"]), True
    shrunk = first["booked"]
    decimals = decimals_for(shrunk["ci"][0], shrunk["ci"][1], currency)
    low, high = (forms.number(end, decimals) for end in shrunk["ci"])
    booked = say["is_booked"].format(
        effect=forms.money(shrunk["effect"], currency, decimals, signed=True), low=low, high=high,
        share=forms.percent(shrunk["shrinkage"]),
    )  # fmt: skip
    return say["selected"].format(booked=booked), True


def _texts(value: Mapping[str, Any], currency: str, forms: Forms) -> list[str]:
    found = []
    for one in (value, value["booked"]):
        if one:
            decimals = decimals_for(one["ci"][0], one["ci"][1], currency)
            found += [
                forms.number(one["effect"], decimals, signed=True),
                forms.span(*(forms.number(end, decimals) for end in one["ci"])),
            ]
    return found


def _grid(document: Mapping[str, Any], table: Mapping[str, Any], forms: Forms) -> dict[str, Any]:
    """Every part and arm: rows, net value, and what the arm earns there above the baseline."""
    say, names, currency = TEXTS[forms.language], arm_names(document), document["money"]["currency"]
    baseline = inside(next(arm["name"] for arm in document["arms"] if arm["is_baseline"]), forms)
    caption = say["grid"].format(
        currency=forms.currency(currency), row=row_word(document, forms.language), baseline=baseline
    )
    rows = []
    for value in table["values"]:
        for arm in value["arms"]:
            numbers = [arm["net"], arm["effect"], arm["se"]]
            texts = [
                "" if one is None else forms.number(one, 2, signed=place == 1) for place, one in enumerate(numbers)
            ]
            rows.append([value["value"] or say["rest"], names[arm["arm"]], forms.number(arm["n"]), *texts])
    heads = say["grid_heads"]
    return {"caption": caption, "heads": heads, "rows": [list(zip(heads, row, strict=True)) for row in rows]}


def _number(text: str | None) -> float | None:
    """A score as somebody typed it; None for anything else."""
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if abs(number) < float("inf") else None
