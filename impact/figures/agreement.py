"""The agreement page: the business case as texts in the reader's form."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from impact.figures.forms import Forms
from impact.figures.sentences import WORDS


def agreement_page(plan: Mapping[str, Any], language: str) -> dict[str, Any]:
    """Return what the page shows of a plan."""
    forms = Forms(language)
    case, currency = plan["case"], plan["currency"]
    value = abs(plan["break_even"]["times"]) if plan["break_even"] else None
    baseline = next(arm for arm in plan["arms"] if arm["is_baseline"])
    arms = []
    for arm in plan["arms"]:
        extra = arm["planned_cost"] - baseline["planned_cost"]
        effect = None if arm["is_baseline"] or not value else extra / value
        arms.append(
            {
                "name": arm["name"],
                "is_baseline": arm["is_baseline"],
                "cost": forms.money(arm["planned_cost"], currency, 2),
                "break_even": None if effect is None else f"{forms.number(100 * effect, 2)} {WORDS[language].POINTS}",
                "expected": _money(case["expected_net"].get(arm["key"]), currency, forms),
                "rows_needed": _rows(case["rows_needed"].get(arm["key"]), forms),
            }
        )
    return {
        "case": case,
        "arms": arms,
        "driver": next((metric["name"] for metric in plan["metrics"] if metric["role"] == "driver"), ""),
        "rows_per_arm": forms.number(case["rows_per_arm"] or 0),
        "horizon": forms.number(plan["horizon_days"]),
        "power": forms.percent(plan["power"]),
        "alpha": forms.percent(plan["alpha"]),
        "detectable": _money(case["detectable_effect"], currency, forms),
        "smallest_effect": forms.money(plan["smallest_effect"], currency, 2),
        "assumptions": [
            assumption
            | {name: forms.money(assumption[name], assumption["unit"], 2) for name in ("low", "base", "high")}
            for assumption in case["assumptions"]
        ],
    }


def _money(amount: float | None, currency: str, forms: Forms) -> str:
    return "" if amount is None else forms.money(amount, currency, 2)


def _rows(rows: float | None, forms: Forms) -> str:
    return "" if rows is None else forms.number(math.ceil(rows))
