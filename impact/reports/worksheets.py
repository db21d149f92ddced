"""The rows of a workbook's sheets, from frozen results: summary, money, checks and segments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from impact.figures.sentences import WORDS as SAID
from impact.figures.sentences import arm_names, level_word, shown_range
from impact.figures.words.sheet import WORDS as OF_THE_SHEET
from impact.figures.words.workbook import WORDS
from impact.figures.words.worth import WORDS as OF_A_YEAR
from impact.reports.comparing import compared, levels_of

YEARLY = ("per_case", "gross_per_year", "net_per_year", "npv", "programme_return", "payback_months")


def summary_rows(experiment: Mapping[str, Any], language: str) -> Iterator[list[Any]]:
    """The verdict and the points of the executive page, as texts; the numbers are in the other sheets."""
    name, results, words = experiment["name"], experiment["results"], WORDS[language]
    if results is None:
        yield [name, words["verdict"], OF_THE_SHEET[language]["none"]]
        return
    yield [name, words["verdict"], results["verdict"]["sentence"]]
    for point in experiment["points"]:
        text = point.get("text") or "\n".join(_told(point["head"], row) for row in point["rows"])
        yield [name, point["title"], text]
    yield [name, words["snapshot"], results["snapshot"]["sha256"]]


def comparison_rows(experiment: Mapping[str, Any], language: str) -> Iterator[list[Any]]:
    """Every comparison under the names that people gave."""
    results, words = experiment["results"], WORDS[language]
    roles = {"money": words["in_money"]} | SAID[language].ROLES
    names = arm_names(results) | {one["key"]: one["name"] for one in results["metrics"]}
    for row in compared(results):
        yield [
            experiment["name"], names[row["arm"]], names[row["baseline"]],
            words[row["metric"]] if row["role"] == "money" else names[row["metric"]], roles[row["role"]],
            row["effect"], row["low"], row["high"], row["p"], row["n"], row["n_baseline"], row.get("unit"),
            row.get("currency"), row["verdict"] and level_word(row["verdict"], language),
            datetime.fromisoformat(row["as_of"]),
        ]  # fmt: skip


def _told(head: list[str], row: list[str]) -> str:
    cells = ", ".join(f"{title} {cell}" for title, cell in zip(head[1:], row[1:], strict=True))
    return f"{row[0]}: {cells} ({head[0]})"


def check_rows(experiment: Mapping[str, Any], words: Mapping[str, Any]) -> Iterator[list[Any]]:
    for check in experiment["results"]["checks"]:
        waiver = check.get("waiver") or {}
        yield [
            experiment["name"], check["id"], words["yes" if check["passed"] else "no"], words[check["severity"]],
            check["message"], check["p_value"], waiver.get("name"), waiver.get("reason"),
        ]  # fmt: skip


def segment_rows(experiment: Mapping[str, Any], words: Mapping[str, Any]) -> Iterator[list[Any]]:
    results = experiment["results"]
    levels, names = levels_of(results), arm_names(results)
    currency = results["money"] and results["money"]["currency"]
    for segment in results["segments"] if levels is not None else ():
        for block in segment["comparisons"]:
            if (levels or {}).get(block["arm"]) == "withheld":
                continue
            low, high = block["ci"] or (None, None)
            yield [
                experiment["name"], segment["by"], segment["value"], segment["n"], names[block["arm"]],
                names[block["baseline"]], block["effect"], low, high, block["p_value"], block["p_adjusted"],
                words["exploratory" if segment["exploratory"] else "agreed"], currency, block["reason"],
            ]  # fmt: skip


def period_rows(experiment: Mapping[str, Any], words: Mapping[str, Any]) -> Iterator[list[Any]]:
    """Every arm's months, and what of closed ones had to change."""
    accounts, names = experiment.get("accounts") or {}, arm_names(experiment["results"])
    for line in accounts.get("months", ()):
        yield [
            experiment["name"], names[line["arm"]], line["year"], line["quarter"], line["month"],
            words["yes" if line["prior"] else "no"], line["value"], line["cost"], line["net"], accounts["currency"],
        ]  # fmt: skip


def money_rows(experiment: Mapping[str, Any], language: str) -> Iterator[list[Any]]:
    """Means and totals of the arms, effects and ROI, then a year of what is deployed, and its assumptions."""
    results, words = experiment["results"], WORDS[language]
    levels = levels_of(results)
    if levels is None or not results["money"]:
        return
    money, names = results["money"], arm_names(results)
    unit = money["currency"]
    for arm in money["arms"]:
        if levels.get(arm["arm"]) == "withheld":
            continue
        for part, of in (("mean", arm), ("total", arm["total"])):
            for name in ("net", "value", "cost"):
                yield _row(experiment, words[part], words[name], names[arm["arm"]], base=of[name], unit=unit)
    for one in money["comparisons"]:
        if levels.get(one["arm"]) != "withheld":
            yield from _compared(experiment, one, names, unit, words)
    if statement := results.get("value_statement"):
        yield from _statement(experiment, statement, language)


def _compared(
    experiment: Mapping[str, Any], one: Mapping[str, Any], names: Mapping[str, str], unit: str, words: Mapping[str, Any]
) -> Iterator[list[Any]]:
    label = f"{names[one['arm']]} \u2013 {names[one['baseline']]}"
    for name in ("net", "value", "cost"):
        if name in one and one[name]["status"] == "estimated":
            low, high = shown_range(experiment["results"], one[name])
            yield _row(experiment, words["effect"], words[name], label, low, one[name]["effect"], high, unit)
    if roi := one.get("roi"):
        shown = roi if roi["status"] == "shown" else {}
        bounds = (shown.get("set") or {}).get("bounds") or (None, None)
        yield _row(
            experiment, words["effect"], words["roi"], label, bounds[0], shown.get("point"), bounds[1],
            remark=roi.get("reason"),
        )  # fmt: skip


def _statement(experiment: Mapping[str, Any], said: Mapping[str, Any], language: str) -> Iterator[list[Any]]:
    words, yearly, unit = WORDS[language], OF_A_YEAR[language], said["currency"]
    of, programme = said["policy"] or said["arm"], said["programme"]
    for kind in ("projected", "booked"):
        cases = said.get(kind) or {}
        for name in YEARLY if cases else ():
            title = str(yearly[name]).format(years=programme["years"], rate=f"{programme['discount_rate']:.0%}")
            low, base, high = ((cases.get(case) or {}).get(name) for case in ("low", "base", "high"))
            unit_of = {"programme_return": "", "payback_months": words["months"]}.get(name, unit)
            yield _row(experiment, words[kind], title, of, low, base, high, unit_of)
        if cash := said["cash"].get(kind):
            yield _row(experiment, words[kind], words["peak"], of, base=cash["peak_funding"], unit=unit)
            month = cash["months_to_positive"]
            yield _row(experiment, words[kind], words["paid"], of, base=month, unit=words["months"])
    for name, amount in (
        ("build", programme["build"]), ("running", programme["running_per_year"]), ("price", said["price_of_holdout"]),
    ):  # fmt: skip
        yield _row(experiment, words["programme"], words[name], of, base=amount, unit=unit)
    for one in said["tornado"]:
        flips = words["flips"].format(at=f"{one['flips_at']:,.2f}") if one["flips_at"] is not None else ""
        yield _row(
            experiment, words["assumption"], one["name"], one["owner"], one["low"], one["base"], one["high"],
            one["unit"], flips,
        )  # fmt: skip


def _row(
    experiment: Mapping[str, Any],
    part: str,
    what: str,
    of: str | None,
    low: float | None = None,
    base: float | None = None,
    high: float | None = None,
    unit: str = "",
    remark: str | None = None,
) -> list[Any]:
    return [experiment["name"], part, what, of, low, base, high, unit, remark]
