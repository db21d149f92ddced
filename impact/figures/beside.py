"""What stands beside the figure of a results document: sensitivities and thresholds, said in sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from impact.figures.forms import Forms, decimals_for
from impact.figures.sentences import WORDS, arm_names, metric_amount, row_word
from impact.figures.words.beside import WORDS as BESIDE


def by_clusters(document: Mapping[str, Any], forms: Forms) -> list[str]:
    """Net value by the clusters that the rows lie in, on the whole and in each agreed segment."""
    if not document["money"]:
        return []
    parts = [("", "", document["money"]["comparisons"])]
    parts += [(one["by"], one["value"], one["comparisons"]) for one in document["segments"] if not one["exploratory"]]
    return [
        _cluster_line(document, _where(by, value, forms), block, forms)
        for by, value, comparisons in parts
        for block in comparisons
        # an analysis of an earlier version knows nothing of it
        if (block.get("by_clusters") or {}).get("status") == "estimated"
    ]


def adverse_lines(document: Mapping[str, Any], by: str, forms: Forms) -> list[str]:
    """Where a driver went the wrong way in a segment; a warning, and no claim."""
    words, names, lines = BESIDE[forms.language], arm_names(document), []
    metrics = {metric["key"]: metric for metric in document["metrics"]}
    for one in document.get("adverse", []):
        if one["by"] != by or one["p_value"] is None:
            continue
        metric, settled = metrics[one["metric"]], one["p_value"] <= document["plan"]["alpha"]
        lines.append(
            words["adverse_settled" if settled else "adverse"].format(
                value=one["value"],
                arm=names[one["arm"]],
                metric=metric["name"],
                effect=metric_amount(one["effect"], metric, forms, 1, signed=True),
                p=forms.probability(one["p_value"]),
            )
        )
    return lines


def takers(document: Mapping[str, Any], forms: Forms) -> list[str]:
    """The effect on the value of those who took each action up, where executions are reported."""
    found = document["money"]["comparisons"] if document["money"] else []
    return [_takers(document, block, forms) for block in found if block.get("cace")]


def _takers(document: Mapping[str, Any], block: Mapping[str, Any], forms: Forms) -> str:
    words, names = BESIDE[forms.language], arm_names(document)
    arm, baseline, found = names[block["arm"]], names[block["baseline"]], block["cace"]
    if found["status"] != "estimated":
        return words["no_takers"].format(arm=arm, baseline=baseline)
    currency, kind, bounds = document["money"]["currency"], found["set"]["kind"], found["set"]["bounds"]
    decimals = decimals_for(bounds[0], bounds[1], currency) if bounds else 0
    ends = [forms.number(end, decimals) for end in bounds]
    if kind == "line":
        span = words["any"]
    else:
        span = forms.span(*ends) if kind == "interval" else words["rays"].format(low=ends[0], high=ends[1])
    return words["takers"].format(
        arm=arm,
        take_up=forms.percent(found["take_up"]),
        row=row_word(document, forms.language),
        effect=forms.money(found["effect"], currency, decimals, signed=True),
        span=span,
    )


def stop_or_wait(document: Mapping[str, Any], forms: Forms) -> list[str]:
    """From which risk on stopping at once pays: as planned, and with what failed all the same."""
    case = document.get("stop_or_wait")
    if not case:
        return []
    words, planned = BESIDE[forms.language], forms.percent(case["planned"], 1)
    lines = [words["planned"].format(planned=planned)]
    for one in case["measured"]:
        where, n = _where(one["by"], one["value"], forms), forms.number(one["n"])
        if not one["residual"]:
            lines.append(words["as_planned"].format(where=where, n=n))
            continue
        residual, threshold = forms.percent(one["residual"], 1), forms.percent(one["threshold"], 1)
        lines.append(
            words["measured"].format(where=where, n=n, residual=residual, threshold=threshold, planned=planned)
        )
    return lines


def _cluster_line(document: Mapping[str, Any], where: str, block: Mapping[str, Any], forms: Forms) -> str:
    found, names, currency = block["by_clusters"], arm_names(document), document["money"]["currency"]
    decimals = decimals_for(found["ci"][0], found["ci"][1], currency)
    return BESIDE[forms.language]["clusters"].format(
        where=where,
        n=forms.number(found["clusters"]),
        arm=names[block["arm"]],
        baseline=names[block["baseline"]],
        row=row_word(document, forms.language),
        effect=forms.money(found["effect"], currency, decimals, signed=True),
        low=forms.number(found["ci"][0], decimals),
        high=forms.number(found["ci"][1], decimals),
    )


def _where(by: str, value: str, forms: Forms) -> str:
    words = BESIDE[forms.language]
    if not by:
        return words["whole"]
    said = words["part"].format(by=WORDS[forms.language].BY.get(by, by), value=value)
    return said[:1].upper() + said[1:]
