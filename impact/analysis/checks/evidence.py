"""What the checks look at, and what they find."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from impact.agreements.plan import MONEY, Plan
from impact.analysis.measure import Measured
from impact.stats.moments import Cell, MomentTable


@dataclass(frozen=True, slots=True)
class Finding:
    id: str
    severity: str
    passed: bool
    statistic: float | None = None
    p_value: float | None = None
    numbers: Mapping[str, Any] = field(default_factory=dict)

    def block(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "severity": self.severity,
            "passed": self.passed,
            "statistic": self.statistic,
            "p_value": self.p_value,
            "numbers": dict(self.numbers),
        }


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the checks look at."""

    plan: Plan
    measured: Measured
    metrics: list[dict[str, Any]]
    money: dict[str, Any] | None
    statement: dict[str, Any] | None = None


def primary_of(seen: Evidence) -> str:
    return MONEY if seen.plan.net else seen.plan.primary.key if seen.plan.primary else ""


def parts_of(table: MomentTable, part: Callable[[Cell], str]) -> dict[str, MomentTable]:
    """The table in parts by something about its cells, in the order of their names."""
    names = sorted({part(cell) for cell in table.cells})
    return {
        name: MomentTable(table.columns, table.origin, {c: m for c, m in table.cells.items() if part(c) == name})
        for name in names
    }
