"""From which risk on stopping costs less than waiting: as planned, and with failures in spite of stopping."""

from __future__ import annotations

from typing import Any

from impact.agreements.cashflow import stop_threshold
from impact.agreements.plan import Plan, StopOrWait
from impact.analysis.measure import Measured
from impact.analysis.segments import placed
from impact.stats.moments import MomentTable


def stop_or_wait(plan: Plan, measured: Measured) -> dict[str, Any] | None:
    """Planned threshold, and the measured one of all rows and in every agreed segment."""
    case = plan.stop_or_wait
    if case is None:
        return None
    family = measured.families[case.failures]
    parts = [("", "", family.table)]
    parts += [
        (segment, value, table)
        for segment in plan.agreed_segments
        for value, table in sorted(family.segments.get(segment, {}).items(), key=lambda one: placed(plan, one[0]))
    ]
    return {
        "stop": case.stop,
        "wait": case.wait,
        "metric": case.failures,
        "planned": stop_threshold(case.now, case.window, case.loss),
        "measured": [
            found for by, value, table in parts if (found := _measured(case, by, value, table, family.columns[0]))
        ],
    }


def _measured(case: StopOrWait, by: str, value: str, table: MomentTable, column: str) -> dict[str, Any] | None:
    sample = table.arm_sample(case.stop, {column: 1.0})
    if not sample.n:
        return None
    return {
        "by": by,
        "value": value,
        "n": sample.n,
        "residual": sample.mean,
        "threshold": stop_threshold(case.now, case.window, case.loss, sample.mean),
    }
