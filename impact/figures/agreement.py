"""The agreement page: the business case as texts in the reader's form."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from impact.figures.forms import Forms
from impact.figures.looks import looks_text
from impact.figures.sentences import WORDS, metric_amount
from impact.figures.words.foreseen import FORESEEN, PARTS


def agreement_page(plan: Mapping[str, Any], language: str) -> dict[str, Any]:
    """Return what the page shows of a plan."""
    forms = Forms(language)
    case, currency = plan["case"], plan["currency"]
    value = abs(plan["break_even"]["times"]) if plan["break_even"] else None
    metric: dict[str, Any] = next(
        (one for one in plan["metrics"] if value and one["key"] == plan["break_even"]["metric"]), {}
    )
    baseline = next(arm for arm in plan["arms"] if arm["is_baseline"])
    arms = []
    for arm in plan["arms"]:
        extra = arm["planned_cost"] - baseline["planned_cost"]
        # of a policy only the most is known, so of a baseline that is one nothing can be taken off
        effect = None if arm["is_baseline"] or _varies(baseline) or not value else extra / value
        arms.append(
            {
                "name": arm["name"],
                "is_baseline": arm["is_baseline"],
                "cost": forms.money(arm["planned_cost"], currency),
                "at_most": _varies(arm),
                **dict(zip(("policy", "version"), arm.get("policy", "").split("@"), strict=False)),
                "break_even": None
                if effect is None
                else metric_amount(effect, metric, forms, 2).replace("\u00a0", " "),
                "expected": _money(case["expected_net"].get(arm["key"]), currency, forms),
                "rows_needed": _rows(case["rows_needed"].get(arm["key"]), forms),
            }
        )
    return {
        "case": case,
        "arms": arms,
        "driver": metric.get("name", ""),
        "rows_per_arm": forms.number(case["rows_per_arm"] or 0),
        "horizon": forms.number(plan["horizon_days"]),
        "power": forms.percent(plan["power"]),
        "alpha": forms.percent(plan["alpha"]),
        "looks": looks_text(plan, language),
        "detectable": _money(case["detectable_effect"], currency, forms),
        "smallest_effect": forms.money(plan["smallest_effect"], currency),
        "assumptions": [
            assumption
            | {
                "base": forms.money(assumption["base"], assumption["unit"], _decimals(assumption)),
                "range": forms.span(*(forms.number(assumption[end], _decimals(assumption)) for end in ("low", "high"))),
            }
            for assumption in case["assumptions"]
        ],
        "clusters": _clusters(case.get("clusters"), forms),
        "year": _year(plan, forms),
        "has": {name: any(arm[name] for arm in arms) for name in ("break_even", "expected", "rows_needed")},
    }


def foreseen_rows(
    found: Iterable[tuple[str, str, bool, Mapping[str, Any]]], plan: Mapping[str, Any], language: str
) -> list[dict[str, str]]:
    """The checks before a start as rows; each is given as its id, severity, whether it passed, and its numbers."""
    forms, join = Forms(language), ("、" if language == "ja" else ", ").join
    names = {arm["key"]: arm["name"] for arm in plan["arms"]}
    rows = []
    for check_id, severity, passed, numbers in found:
        title, good, bad = FORESEEN[language][check_id]
        texts = {
            "missing": join(PARTS[language][part] for part in numbers.get("missing", [])),
            "arms": join(names[arm] for arm in numbers.get("arms", [])),
            "detectable": _money(numbers.get("detectable"), plan["currency"], forms),
            "cluster": numbers.get("cluster", ""),
            **{name: _rows(numbers.get(name), forms) for name in ("planned", "needed")},
            "factor": forms.number(numbers["factor"], 2) if "factor" in numbers else "",
            "days": forms.number(numbers["days"], 1) if "days" in numbers else "",
        }
        state = "pass" if passed else severity
        rows.append(
            {
                "state": state,
                "state_word": WORDS[language].STATES[state],
                "title": title,
                "message": (good if passed else bad).format(**texts),
            }
        )
    return rows


def _varies(arm: Mapping[str, Any]) -> bool:
    """Whether what it costs depends on the prediction, or on chance; plans from before there were such say nothing."""
    return arm.get("kind", "") not in ("", "fixed")


def _money(amount: float | None, currency: str, forms: Forms) -> str:
    return "" if amount is None else forms.money(amount, currency)


def _decimals(assumption: Mapping[str, Any]) -> int:
    """As many as the finest of its numbers was given with, up to six."""
    texts = [f"{assumption[name]:.6f}".rstrip("0") for name in ("low", "base", "high")]
    return max(len(text.partition(".")[2]) for text in texts)


def _year(plan: Mapping[str, Any], forms: Forms) -> dict[str, str] | None:
    """What a year would be told with, in the reader's form."""
    deployment, currency = plan.get("deployment"), plan["currency"]
    if deployment is None:
        return None
    return {
        "cases": forms.number(deployment["cases_per_year"]["base"]),
        "build": forms.money(deployment["build"]["base"], currency, 0),
        "running": forms.money(deployment["running_per_year"]["base"], currency, 0),
        "rate": forms.percent(deployment["discount_rate"]["base"]),
        "years": forms.number(deployment["years"]),
        "holdout": forms.percent(deployment["holdout"]),
        "spread": _money(deployment["spread"], currency, forms),
        "deploys": deployment["deploys"] or "",
        "todays_rule": deployment["todays_rule"] or "",
    }


def _clusters(agreed: Mapping[str, float] | None, forms: Forms) -> dict[str, str] | None:
    """How large and how alike clusters were agreed to be; agreements from before there was such a part say nothing."""
    if agreed is None:
        return None
    return {
        "size": forms.number(agreed["size"], 0 if agreed["size"].is_integer() else 1),
        "icc": forms.number(agreed["icc"], 3),
        "cv": forms.number(agreed["cv"], 2),
        "factor": forms.number(agreed["design_effect"], 2),
    }


def _rows(rows: float | None, forms: Forms) -> str:
    return "" if rows is None else forms.number(math.ceil(rows))
