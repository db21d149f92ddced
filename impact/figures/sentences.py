"""Saying a results document in a reader's language: verdict, next step, reasons, and each check."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import ModuleType
from typing import Any

from impact.figures.forms import Forms, decimals_for
from impact.figures.withheld import without_figures
from impact.figures.words import en, ja
from impact.figures.words.reasons import reason

WORDS: dict[str, ModuleType] = {"en": en, "ja": ja}


def completed(
    document: Mapping[str, Any], language: str = "en", case: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the document with its sentences, and without figures where they are withheld.

    Parameters
    ----------
    document : mapping
        As stored: numbers and codes.
    language : str
        ``en`` or ``ja``.
    case : mapping, optional
        The agreed case, which says what is done if it wins, is unclear, loses.
    """
    said = named(without_figures(document), language)
    checks = [check | {"message": _with_waiver(check, said, language)} for check in said["checks"]]
    said["checks"] = checks
    verdict = document["verdict"]
    return said | {
        "verdict": {
            "level": verdict["level"],
            "arm": verdict["arm"],
            "sentence": verdict_sentence(said, language) + _waived(checks, language),
            "next_step": next_step(said, language, case or {}),
            "because": [check["message"] for check in checks if check["id"] in verdict["because"]],
        }
    }


def named(document: Mapping[str, Any], language: str) -> dict[str, Any]:
    """Return the document with its arms' names in a language, and no sentence yet."""
    return dict(document) | {"arms": [arm | {"name": arm_word(arm["name"], language)} for arm in document["arms"]]}


def row_word(document: Mapping[str, Any], language: str) -> str:
    """What a row of analysis is: a unit, or a unit's episode."""
    return WORDS[language].row(document["unit_type"], document["plan"]["episodes"])


def level_word(level: str, language: str) -> str:
    return WORDS[language].LEVELS[level]


def arm_word(name: str, language: str) -> str:
    return str(WORDS[language].arm(name))


def arm_names(document: Mapping[str, Any]) -> dict[str, str]:
    return {arm["arm"]: arm["name"] for arm in document["arms"]}


def decisive(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Comparisons of net value, or of the primary metric where there is no money."""
    if document["money"]:
        return [block["net"] for block in document["money"]["comparisons"]]
    return next((metric["comparisons"] for metric in document["metrics"] if metric["role"] == "primary"), [])


def any_day(document: Mapping[str, Any]) -> bool:
    """Whether what is shown may be looked at on any day: before the end, and at the end where it was agreed so."""
    return not document["maturity"]["final"] or document["plan"]["looks"] == "always_valid"


def reading(document: Mapping[str, Any], block: Mapping[str, Any]) -> Mapping[str, Any]:
    """What of a comparison holds the range and the p-value that are shown: a look, any day's, or its own."""
    looks, anytime = block.get("looks"), block.get("always_valid")
    if looks and looks[-1]["ci"] and (document["maturity"]["final"] or looks[-1]["crossed"]):
        shown: Mapping[str, Any] = looks[-1]
        return shown
    return anytime if anytime and any_day(document) else block


def shown_range(document: Mapping[str, Any], block: Mapping[str, Any]) -> tuple[float, float]:
    """The planned range at the end, before it the one that may be looked at on any day."""
    low, high = reading(document, block)["ci"]
    return low, high


def range_now(document: Mapping[str, Any], block: Mapping[str, Any]) -> tuple[float, float]:
    """The range around the effect on all rows that count now, whatever a look said before."""
    anytime = block.get("always_valid")
    low, high = (anytime if anytime and any_day(document) else block)["ci"]
    return low, high


def shown_effect(block: Mapping[str, Any]) -> float:
    """The effect, of the look that decided where one did."""
    looks = block.get("looks")
    effect: float = looks[-1]["effect"] if looks and looks[-1]["crossed"] else block["effect"]
    return effect


def verdict_sentence(document: Mapping[str, Any], language: str) -> str:
    """Money, its range, compared with what, and one of the fixed words."""
    words, verdict = WORDS[language], document["verdict"]
    if verdict["level"] == "withheld":
        failed = [
            check
            for check in document["checks"]
            if check["severity"] == "block" and not check["passed"] and not check.get("waiver")
        ]
        return words.withheld(failed[0]["message"] if failed else "")
    if verdict["arm"] is None:
        return words.disagreeing(*_disagreeing(document))
    baseline = _baseline(document)
    blocks = {block["arm"]: block for block in decisive(document) if block["baseline"] == baseline}
    block = blocks[verdict["arm"]]
    if block["status"] != "estimated":
        names = arm_names(document)
        return words.no_comparison(names[block["arm"]], names[baseline], reason(block["reason"], language))
    if not document["money"]:
        return _metric_sentence(document, block, language)
    forms, currency = Forms(language), document["money"]["currency"]
    names = arm_names(document)
    low, high = shown_range(document, block)
    decimals = decimals_for(low, high, currency)
    effect = shown_effect(block)
    say = words.earned if effect >= 0 else words.lost
    sentence = say(
        verdict["level"],
        names[block["arm"]],
        names[baseline],
        row_word(document, language),
        forms.money(abs(effect), currency, decimals),
        forms.number(low, decimals),
        forms.number(high, decimals),
    )
    for other in document["verdicts"]:
        if other["level"] == "harmful" and other["arm"] != verdict["arm"]:
            loss = abs(blocks[other["arm"]]["effect"])
            sentence += words.also_lost(names[other["arm"]], forms.money(loss, currency, decimals))
    return sentence


def next_step(document: Mapping[str, Any], language: str, case: Mapping[str, Any]) -> str:
    """What to do now: what was agreed for this case, or what the word asks for."""
    words, verdict = WORDS[language], document["verdict"]
    level = verdict["level"]
    agreed = {"proven": "if_wins", "likely": "if_unclear", "unclear": "if_unclear", "harmful": "if_loses"}.get(level)
    steps = [remark] if (remark := _driver_remark(document, language)) else []
    steps.append(recommended(document, language))
    if agreed and case.get(agreed):
        steps.append(words.agreed_next(case[agreed]))
    return ("" if language == "ja" else " ").join(steps)


def recommended(document: Mapping[str, Any], language: str) -> str:
    """What the word asks for."""
    words, verdict = WORDS[language], document["verdict"]
    level = verdict["level"]
    block = next((one for one in decisive(document) if one["arm"] == verdict["arm"]), None)
    if block and block["status"] != "estimated":
        return str(words.NEXT["no_figure"])
    if level in ("likely", "unclear") and block and block.get("rows_needed"):
        rows = Forms(language).number(_rounded(block["rows_needed"]))
        return str(words.confirm(rows, row_word(document, language)))
    return str(words.NEXT[level])


def check_message(check: Mapping[str, Any], document: Mapping[str, Any], language: str) -> str:
    """Say a finding in a sentence with its consequence."""
    words, forms, names = WORDS[language], Forms(language), arm_names(document)
    join = "、".join if language == "ja" else ", ".join
    texts: dict[str, str] = {}
    for name, value in check["numbers"].items():
        if isinstance(value, bool):
            continue
        if isinstance(value, int | float):
            texts[name] = forms.number(value)
        elif name == "counts":
            texts[name] = join(f"{names[arm]} {forms.number(amount)}" for arm, amount in value.items())
        elif name == "expected":
            texts[name] = join(forms.number(amount) for amount in value.values())
        elif name in ("disagreeing", "broken"):
            texts[name] = join(f"{names[one['arm']]} ({one['metric']})" for one in value)
        elif name == "opposed":
            texts[name] = join(f"{names[one['arm']]} ({one['metric']}, {one['value']})" for one in value)
        elif name in ("harmed", "idle"):
            texts[name] = join(f"{names[one['arm']]} ({one['stratum']})" for one in value)
        elif name == "missing":
            texts[name] = join(f"{names[one['arm']]} ({one['category']})" for one in value)
        elif name == "leaks":
            texts[name] = join(f"{names[one['arm']]} {forms.percent(one['share'])}" for one in value)
            texts["least"] = forms.percent(min(one["least"] for one in value))
        elif name == "trends":
            ends = [[forms.number(one[end], 2, signed=True) for end in ("first", "last")] for one in value]
            texts[name] = join(words.trend(names[one["arm"]], *of) for one, of in zip(value, ends, strict=True))
        elif name == "hangs_on":
            texts[name] = join(words.HANGS_ON[one] for one in value)
        elif name == "flips":
            texts[name] = join(_flip(one, names, words, forms) for one in value)
        elif name == "arms":
            texts[name] = join(names[arm] for arm in value)
    texts["modes"] = join(
        f"{forms.number(amount)} {words.MODES[mode]}"
        for mode, amount in check["numbers"].items()
        if mode in words.MODES
    )
    if check["p_value"] is not None:
        texts["p"] = forms.probability(check["p_value"])
    if check["statistic"] is not None:
        texts["statistic"] = _statistic(check, forms)
    return words.check(check, texts)


def _with_waiver(check: Mapping[str, Any], document: Mapping[str, Any], language: str) -> str:
    """A finding, and whoever lets it pass or no longer does, with the reasons."""
    words, message = WORDS[language], check_message(check, document, language)
    for one in check.get("withdrawn", []):
        name, day, reason = _said(one["withdrawn"], language)
        message += words.withdrawn(one["name"], _said(one, language)[1], name, day, reason)
    if waiver := check.get("waiver"):
        message += words.waived(*_said(waiver, language))
    return message


def _said(waiver: Mapping[str, Any], language: str) -> tuple[str, str, str]:
    """Who gave or withdrew a waiver, the day, and the reason."""
    day = Forms(language).day(datetime.fromisoformat(waiver["at"]))
    return waiver["name"], day, waiver["reason"].rstrip(".。")


def _waived(checks: Sequence[Mapping[str, Any]], language: str) -> str:
    """What goes with the verdict wherever it is said: the checks that failed and were waived, by whom and why."""
    return "".join(
        WORDS[language].shown_all_the_same(
            check_title(check["id"], language), check["waiver"]["name"], check["waiver"]["reason"].rstrip(".。")
        )
        for check in checks
        if check.get("waiver")
    )


def _flip(one: Mapping[str, Any], names: Mapping[str, str], words: ModuleType, forms: Forms) -> str:
    """An assumption, and where within its range which arm's or policy's decision flips."""
    low, high = (forms.number(one[end], 0 if abs(one[end]) >= 10 else 2) for end in ("low", "high"))
    at = forms.number(one["flips_at"], 1 if abs(one["flips_at"]) < 10_000 else 0)
    return str(words.flip(names.get(one["of"], one["of"]), one["name"], at, low, high, one["unit"]))


def check_title(check_id: str, language: str) -> str:
    return WORDS[language].CHECKS[check_id]


def metric_amount(value: float, metric: Mapping[str, Any], forms: Forms, decimals: int, *, signed: bool = False) -> str:
    """A difference of a metric in its unit; proportions in points."""
    if metric["kind"] == "proportion":
        return f"{forms.number(100 * value, decimals, signed=signed)} {WORDS[forms.language].POINTS}".replace(
            " ", "" if forms.language == "ja" else "\u00a0"
        )
    unit = f"\u00a0{metric['unit']}" if metric["unit"] else ""
    return f"{forms.number(value, decimals, signed=signed)}{unit}"


def _metric_sentence(document: Mapping[str, Any], block: Mapping[str, Any], language: str) -> str:
    words, forms = WORDS[language], Forms(language)
    metric = next(metric for metric in document["metrics"] if metric["role"] == "primary")
    names = arm_names(document)
    scale = 100 if metric["kind"] == "proportion" else 1
    low, high = shown_range(document, block)
    decimals = decimals_for(scale * low, scale * high)
    effect = shown_effect(block)
    up = effect >= 0
    return words.moved(
        document["verdict"]["level"],
        names[block["arm"]],
        names[block["baseline"]],
        metric["name"],
        up,
        metric_amount(abs(effect), metric, forms, decimals),
        forms.number(scale * low, decimals),
        forms.number(scale * high, decimals),
        up == (metric["direction"] == "increase"),
    )


def _driver_remark(document: Mapping[str, Any], language: str) -> str | None:
    """Say it where the driver moved well and the money did not follow."""
    level = document["verdict"]["level"]
    if not document["money"] or level in ("proven", "withheld", "too_early"):
        return None
    for metric in document["metrics"]:
        good = 1 if metric["direction"] == "increase" else -1
        for block in metric["comparisons"]:
            settled = block["p_adjusted"] is not None and block["p_adjusted"] <= document["plan"]["alpha"]
            named = metric["role"] == "driver" and block["arm"] == document["verdict"]["arm"]
            if named and settled and good * block["effect"] > 0:
                return WORDS[language].driver_only(metric["name"], level == "harmful")
    return None


def _disagreeing(document: Mapping[str, Any]) -> tuple[str, str, bool]:
    """The arm whose driver and money point opposite ways, the driver, and whether the arm earns."""
    check = next(check for check in document["checks"] if check["id"] == "driver_and_money")
    one = check["numbers"]["disagreeing"][0]
    metric = next(metric for metric in document["metrics"] if metric["key"] == one["metric"])
    net = next(block for block in decisive(document) if block["arm"] == one["arm"])
    return arm_names(document)[one["arm"]], metric["name"], net["effect"] > 0


def _baseline(document: Mapping[str, Any]) -> str:
    return next(arm["arm"] for arm in document["arms"] if arm["is_baseline"])


def _statistic(check: Mapping[str, Any], forms: Forms) -> str:
    if check["id"] in ("cost_booked", "executed_as_drawn", "few_rows_decide"):
        return forms.percent(check["statistic"])
    if check["id"] == "clusters_enough":
        return forms.number(check["statistic"])
    return forms.number(check["statistic"], 2)


def _rounded(rows: int) -> int:
    """Two significant digits: nobody plans for 75,764."""
    step = 10 ** max(0, len(str(rows)) - 2)
    return round(rows / step) * step
