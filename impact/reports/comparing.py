"""Every comparison of an analysis as a row, for the files: nothing of what is withheld."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from impact.figures.sentences import decisive, reading, shown_effect, shown_range

COLUMNS = (
    "experiment", "arm", "baseline", "metric", "role", "effect", "low", "high", "p", "n", "n_baseline", "unit",
    "currency", "verdict", "as_of",
)  # fmt: skip


def compared(results: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """One row for each comparison, at full precision."""
    levels = levels_of(results)
    if levels is None:
        return
    decides = decisive(results)
    for named, arms, blocks in _blocks(results):
        counts = {one["arm"]: one["n"] for one in arms}
        for arm, baseline, block in blocks:
            if block["status"] != "estimated" or levels.get(arm) == "withheld":
                continue
            low, high = shown_range(results, block)
            yield named | {
                "arm": arm,
                "baseline": baseline,
                "effect": shown_effect(block),
                "low": low,
                "high": high,
                "p": _p_value(results, block),
                "n": counts[arm],
                "n_baseline": counts[baseline],
                "verdict": levels.get(arm, "") if block in decides else "",
                "as_of": results["as_of"],
            }


def levels_of(results: Mapping[str, Any]) -> dict[str, str] | None:
    """Each arm's verdict; None where the whole is withheld."""
    if results["verdict"]["level"] == "withheld":
        return None
    return {one["arm"]: one["level"] for one in results["verdicts"]}


def _blocks(results: Mapping[str, Any]) -> Iterator[tuple[dict[str, str], Any, list[tuple[str, str, Any]]]]:
    """Net value, value and cost, then every metric: its name and unit, its arms, its comparisons."""
    if money := results["money"]:
        for name in ("net", "value", "cost"):
            named = {"metric": name, "role": "money", "currency": money["currency"]}
            found = [(one["arm"], one["baseline"], one[name]) for one in money["comparisons"] if name in one]
            yield named, money["arms"], found
    for metric in results["metrics"]:
        named = {"metric": metric["key"], "role": metric["role"], "unit": metric["unit"]}
        yield named, metric["arms"], [(one["arm"], one["baseline"], one) for one in metric["comparisons"]]


def _p_value(results: Mapping[str, Any], block: Mapping[str, Any]) -> float | None:
    """Of the range that is shown."""
    p_value: float | None = reading(results, block)["p_value"]
    return p_value
