"""Small evidence for the checks: sixty rows, and what differs is said."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from impact.agreements.plan import MONEY, Plan, PlannedArm
from impact.analysis.checks.evidence import Evidence, Finding
from impact.analysis.measure import Assigned, Family, Measured
from impact.stats.moments import MomentTable
from tests.analysis.ground import WORTH, plan

ARMS = np.array(["none", "bonus"] * 30)


def family(columns: dict[str, Any], covariates: tuple[str, ...] = (), sums: Any = None) -> Family:
    names = tuple(name for name in columns if name not in covariates)
    return Family(names, covariates, MomentTable.from_arrays(columns, ARMS), sums, {})


def measured(**changes: Any) -> Measured:
    """Sixty mature rows, half in each arm, of which nothing else is known."""
    found = Measured(
        families={"m": family({"metric m": np.arange(60) % 7})},
        mature=60,
        open=0,
        censored={"m": 0, MONEY: 0},
        censored_by_arm={"m": {}},
        mature_by_arm={"none": 30, "bonus": 30},
        assigned=[Assigned("", "1", "none", 30, 15.0), Assigned("", "1", "bonus", 30, 15.0)],
        excluded={},
        modes={"randomized": 60},
        estimated_cost=0.0,
        total_cost=100.0,
    )
    return replace(found, **changes)


def seen(planned: Plan | None = None, metrics: Any = (), money: Any = None, **changes: Any) -> Evidence:
    return Evidence(planned or plan(value=[WORTH]), measured(**changes), list(metrics), money)


def finding(check: Any, evidence: Evidence) -> Finding:
    found = check(evidence)
    assert found is not None
    return found


def weighted(**weights: float | None) -> list[PlannedArm]:
    return [
        PlannedArm(key=key, name=key, is_baseline=key == "none", weight=weight, planned_cost=0)
        for key, weight in weights.items()
    ]


def compared(effect: float, p: float, **more: Any) -> dict[str, Any]:
    return {
        "arm": "bonus", "baseline": "none", "status": "estimated", "effect": effect, "p_adjusted": p,
        "ci": [effect - 1, effect + 1],
    } | more  # fmt: skip


def money(effect: float, p: float, se: float = 1.0, cost: float = 1.0) -> dict[str, Any]:
    return {"comparisons": [compared(effect, p) | {"net": compared(effect, p), "cost": {"se": se, "effect": cost}}]}
