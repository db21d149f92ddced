"""What was agreed beside what came of it, and what changed between the last two analyses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from impact.figures.forms import Forms, decimals_for
from impact.figures.sentences import arm_names, check_title, decisive, level_word, metric_amount, row_word
from impact.figures.words.course import WORDS

COUNTED = ("decisions", "mature", "outcomes", "costs")
THEN = {"proven": "if_wins", "likely": "if_unclear", "unclear": "if_unclear", "harmful": "if_loses"}


def agreed_rows(document: Mapping[str, Any], case: Mapping[str, Any], language: str) -> list[dict[str, str]]:
    """Return a row for each thing that was signed: what was agreed, what came, and whether it was reached."""
    forms, say = Forms(language), WORDS[language]
    withheld = document["verdict"]["level"] == "withheld"
    rows = [_rows_row(document, case, forms)] if case.get("rows_per_arm") else []
    if not withheld:
        rows += _driver_rows(document, case, forms) + _net_rows(document, case, forms)
    rows.append(_window_row(document, forms))
    lost = None if withheld or not document["money"] else _lost(document)
    if case.get("loss_cap") and lost is not None:
        rows.append(_cap_row(document, case["loss_cap"], lost, forms))
    then = THEN.get(document["verdict"]["level"])
    if then and case.get(then):
        rows.append(
            _row(say["agreed"]["then"], case[then], level_word(document["verdict"]["level"], language), "info", "")
        )
    return rows


def changed_lines(before: Mapping[str, Any], now: Mapping[str, Any], zone: str, language: str) -> dict[str, Any]:
    """Say what differs between two analyses of one experiment, both with their sentences."""
    forms, say = Forms(language), WORDS[language]["changed"]
    lines = []
    earlier, later = (_counts(one) for one in (before, now))
    for name in COUNTED:
        more = later[name] - earlier[name]
        if more > 0:
            lines.append(say[name].format(count=forms.number(more)))
        elif more < 0:
            lines.append(say["fewer"].format(count=forms.number(-more), what=WORDS[language]["whats"][name]))
    lines += _effects_changed(before, now, forms)
    levels = [one["verdict"]["level"] for one in (before, now)]
    if levels[0] != levels[1]:
        lines.append(
            say["verdict"].format(before=level_word(levels[0], language), after=level_word(levels[1], language))
        )
    lines += _checks_changed(before, now, language)
    if before["code_version"] != now["code_version"]:
        lines.append(say["code"])
    day = forms.day(datetime.fromisoformat(before["as_of"]), zone)
    return {"since": say["since"].format(day=day), "lines": lines or [say["nothing"]]}


def _rows_row(document: Mapping[str, Any], case: Mapping[str, Any], forms: Forms) -> dict[str, str]:
    say, counted = WORDS[forms.language], _arms(document)
    least = min(arm["n"] for arm in counted)
    reached = least >= case["rows_per_arm"]
    return _verdict(say["agreed"]["rows"], forms.number(case["rows_per_arm"]), forms.number(least), reached, forms)


def _driver_rows(document: Mapping[str, Any], case: Mapping[str, Any], forms: Forms) -> list[dict[str, str]]:
    """The effect hoped for beside the one that was found, arm by arm."""
    hoped, say, names = case.get("expected_effect"), WORDS[forms.language], arm_names(document)
    metric = next((one for one in document["metrics"] if one["role"] == "driver"), None)
    if not hoped or metric is None:
        return []
    rows = []
    for block in _against_baseline(document, metric["comparisons"]):
        effect = block["effect"]
        reached = effect / hoped >= 1
        label = say["agreed"]["driver"].format(metric=metric["name"], arm=names[block["arm"]])
        agreed, came = (metric_amount(one, metric, forms, 2, signed=True) for one in (hoped, effect))
        rows.append(_verdict(label, agreed, came, reached, forms))
    return rows


def _net_rows(document: Mapping[str, Any], case: Mapping[str, Any], forms: Forms) -> list[dict[str, str]]:
    if not document["money"]:
        return []
    say, names, currency = WORDS[forms.language], arm_names(document), document["money"]["currency"]
    rows = []
    found = _against_baseline(document, decisive(document))
    for block in found:
        hoped = (case.get("expected_net") or {}).get(block["arm"])
        if hoped is None:
            continue
        low, high = block["ci"]
        decimals = decimals_for(low, high, currency)
        label = say["agreed"]["net"].format(row=row_word(document, forms.language), arm=names[block["arm"]])
        agreed, came = (forms.money(one, currency, decimals, signed=True) for one in (hoped, block["effect"]))
        rows.append(_verdict(label, agreed, came, block["effect"] >= hoped, forms))
    least = case.get("detectable_effect")
    if least is not None and found:
        best = max(found, key=lambda block: block["effect"])
        came = say["found"].format(effect=forms.money(best["effect"], currency, signed=True))
        above = best["effect"] >= least
        word = say["yes"] if above else say["below"]
        rows.append(
            _row(say["agreed"]["detectable"], forms.money(least, currency), came, "pass" if above else "warn", word)
        )
    return rows


def _window_row(document: Mapping[str, Any], forms: Forms) -> dict[str, str]:
    say, numbers = WORDS[forms.language], document["maturity"]
    whole = numbers["mature"] + numbers["open"] + numbers["censored"]
    share = forms.percent(numbers["mature"] / whole) if whole else ""
    return _row(
        say["agreed"]["window"],
        say["days"].format(days=forms.number(document["plan"]["window_days"])),
        say["mature"].format(share=share) if share else "",
        "pass" if numbers["final"] else "info",
        say["yes"] if numbers["final"] else say["open"],
    )


def _cap_row(document: Mapping[str, Any], cap: float, lost: float, forms: Forms) -> dict[str, str]:
    say, currency = WORDS[forms.language], document["money"]["currency"]
    came = say["lost"].format(amount=forms.money(lost, currency, 0)) if lost > 0 else say["not_lost"]
    kept = lost <= cap
    return _verdict(say["agreed"]["lost"], forms.money(cap, currency, 0), came, kept, forms)


def _lost(document: Mapping[str, Any]) -> float | None:
    """What all treated rows together lost."""
    found = [block for block in document["money"]["comparisons"] if block["net"]["status"] == "estimated"]
    baseline = next(arm["arm"] for arm in document["arms"] if arm["is_baseline"])
    totals = [block["total"]["net"] for block in found if block["baseline"] == baseline]
    return -sum(totals) if totals else None


def _against_baseline(document: Mapping[str, Any], blocks: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    baseline = next(arm["arm"] for arm in document["arms"] if arm["is_baseline"])
    withheld = {one["arm"] for one in document["verdicts"] if one["level"] == "withheld"}
    return [
        one
        for one in blocks
        if one["baseline"] == baseline and one["status"] == "estimated" and one["arm"] not in withheld
    ]


def _arms(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    if document["money"]:
        return list(document["money"]["arms"])
    return list(next(one["arms"] for one in document["metrics"] if one["role"] == "primary"))


def _counts(document: Mapping[str, Any]) -> dict[str, int]:
    snapshot = document["snapshot"]
    return {name: snapshot[name] for name in ("decisions", "outcomes", "costs")} | {
        "mature": document["maturity"]["mature"]
    }


def _effects_changed(before: Mapping[str, Any], now: Mapping[str, Any], forms: Forms) -> list[str]:
    say, names = WORDS[forms.language]["changed"], arm_names(now)
    earlier, later = (_shown(one, forms) for one in (before, now))
    lines = []
    for arm in dict.fromkeys([*later, *earlier]):
        texts = {"arm": names.get(arm, arm), "before": earlier.get(arm, ""), "after": later.get(arm, "")}
        if texts["before"] == texts["after"]:
            continue
        name = "effect" if texts["before"] and texts["after"] else "figure" if texts["after"] else "no_figure"
        lines.append(say[name].format(**texts))
    return lines


def _shown(document: Mapping[str, Any], forms: Forms) -> dict[str, str]:
    """Every arm's decisive effect as it was shown, in money or in the primary metric's unit."""
    if document["verdict"]["level"] == "withheld":
        return {}
    found = {}
    metric = next((one for one in document["metrics"] if one["role"] == "primary"), None)
    for block in _against_baseline(document, decisive(document)):
        if document["money"]:
            low, high = block["ci"]
            decimals = decimals_for(low, high, document["money"]["currency"])
            found[block["arm"]] = forms.money(block["effect"], document["money"]["currency"], decimals, signed=True)
        elif metric:
            found[block["arm"]] = metric_amount(block["effect"], metric, forms, 2, signed=True)
    return found


def _checks_changed(before: Mapping[str, Any], now: Mapping[str, Any], language: str) -> list[str]:
    say, join = WORDS[language]["changed"], ("、" if language == "ja" else ", ").join
    passed = [{check["id"]: check["passed"] for check in one["checks"]} for one in (before, now)]
    turned = [one for one in passed[1] if passed[0].get(one, True) != passed[1][one]]
    failing = [check_title(one, language) for one in turned if not passed[1][one]]
    passing = [check_title(one, language) for one in turned if passed[1][one]]
    lines = [say["failed"].format(checks=join(failing))] if failing else []
    return lines + ([say["passed"].format(checks=join(passing))] if passing else [])


def _verdict(label: str, agreed: str, came: str, reached: bool, forms: Forms) -> dict[str, str]:
    say = WORDS[forms.language]
    return _row(label, agreed, came, "pass" if reached else "warn", say["yes" if reached else "no"])


def _row(label: str, agreed: str, came: str, state: str, word: str) -> dict[str, str]:
    return {"label": label, "agreed": agreed, "came": came, "state": state, "word": word}
