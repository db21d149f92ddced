"""What was measured by fiscal month, frozen with a report; closed months stay as the signed report before told them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from babel.numbers import get_currency_precision

from impact.agreements.periods import Line, Month, fiscal_period, lines_of, prior_line, restated, to_reissue, total
from impact.reports.comparing import levels_of
from impact.reports.models import Report, ReportSchedule
from workspaces.models import Workspace

LINES = ("experiment", "arm", "year", "quarter", "month", "prior", "value", "cost", "net", "currency")


def signed_before(schedule: ReportSchedule) -> Report | None:
    """The newest signed report of a schedule."""
    found: Report | None = schedule.reports.filter(status=Report.Status.SIGNED).order_by("-number").first()
    return found


def accounts_of(
    results: Mapping[str, Any], workspace: Workspace, agreed: float, before: Report | None
) -> dict[str, Any] | None:
    """Months of every arm that may be shown, and what of closed ones had to change; None where nothing has a date."""
    lines = _lines(results)
    if not lines:
        return None
    current = _month_of(results, workspace)
    told = _told(results["experiment"], before)
    changes = []
    for arm in lines if told else ():
        if said := _from_content(told["months"], arm):
            change = prior_line(lines[arm], said, told["current"], current)
            lines[arm] = restated(lines[arm], said, told["current"], change)
            amount = change.net if change else Decimal()
            changes.append((amount, to_reissue(amount, total(said), Decimal(repr(agreed)))))
    return {
        "currency": results["money"]["currency"],
        "fiscal_year_start": workspace.fiscal_year_start,
        "current": current,
        "months": [one for arm, of in lines.items() for one in _to_content(arm, of, workspace.fiscal_year_start)],
        "restated": before and told and {
            "report": before.number,
            "net": float(sum((change for change, _ in changes), Decimal())),
            "reissue": any(much for _, much in changes),
        },
    }  # fmt: skip


def restates(content: Mapping[str, Any]) -> bool:
    """Whether a report changes closed periods of the signed one before by more than is only told."""
    found = [one.get("accounts") for one in content["experiments"]]
    return any(one["restated"]["reissue"] for one in found if one and one["restated"])


def account_rows(report: Report) -> Iterator[dict[str, Any]]:
    """Every line of a report's months, for its files."""
    for experiment in report.content["experiments"]:
        accounts = experiment.get("accounts")
        for line in accounts["months"] if accounts else ():
            yield {"experiment": experiment["key"], **line, "currency": accounts["currency"]}


def _lines(results: Mapping[str, Any]) -> dict[str, list[Line]]:
    """Lines of each arm compared with the baseline; nothing of what is withheld."""
    levels, months = levels_of(results), results.get("months")
    if levels is None or not months:
        return {}
    by_arm: dict[str, dict[str, Any]] = {arm["arm"]: {} for arm in results["arms"]}
    for one in months:
        by_arm[one["arm"]][one["month"]] = one
    baseline = next(arm["arm"] for arm in results["arms"] if arm["is_baseline"])
    places, names = get_currency_precision(results["money"]["currency"]), sorted({one["month"] for one in months})
    found = {}
    for block in results["money"]["comparisons"]:
        parts = [block.get(name) or {"status": ""} for name in ("value", "cost")]
        shown = block["baseline"] == baseline and levels.get(block["arm"]) != "withheld"
        if shown and all(part["status"] == "estimated" for part in parts):
            rows = sum(one["matured"] for one in by_arm[block["arm"]].values())
            amounts = (rows * parts[0]["effect"], rows * parts[1]["effect"])
            dated = _dated(names, by_arm[block["arm"]], by_arm[baseline])
            found[block["arm"]] = lines_of(*amounts, dated, places)
    return found


def _dated(names: list[str], arm: Mapping[str, Any], baseline: Mapping[str, Any]) -> list[Month]:
    """An arm's months, its costs less those of as many rows of the baseline."""
    nothing = {"matured": 0, "opened": 0, "cost": 0.0}
    rows, others = (sum(one["matured"] for one in of.values()) for of in (arm, baseline))
    share = rows / others if others else 0.0
    found = []
    for name in names:
        own, other = arm.get(name, nothing), baseline.get(name, nothing)
        found.append(Month(name, own["matured"], own["opened"], own["cost"] - share * other["cost"]))
    return found


def _month_of(results: Mapping[str, Any], workspace: Workspace) -> str:
    """The month of the cut-off, which is open still."""
    return f"{datetime.fromisoformat(results['as_of']).astimezone(ZoneInfo(workspace.time_zone)):%Y-%m}"


def _told(key: str, before: Report | None) -> dict[str, Any]:
    """What the signed report before said of an experiment; empty where it said nothing."""
    content = before.content["experiments"] if before else []
    return next((one["accounts"] for one in content if one["key"] == key and one.get("accounts")), {})


def _to_content(arm: str, lines: list[Line], start: int) -> Iterator[dict[str, Any]]:
    for line in lines:
        year, quarter = fiscal_period(line.month, start)
        amounts = {name: float(getattr(line, name)) for name in ("value", "cost", "net")}
        yield {"arm": arm, "year": year, "quarter": quarter, "month": line.month, "prior": line.prior, **amounts}


def _from_content(months: list[dict[str, Any]], arm: str) -> list[Line]:
    return [
        Line(one["month"], Decimal(repr(one["value"])), Decimal(repr(one["cost"])), one["prior"])
        for one in months
        if one["arm"] == arm
    ]
