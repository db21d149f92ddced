"""Rows and events put where a test wants them, in days after the start: cases small enough to compute by hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from experiments.models import Assignment, Decision, Experiment
from impact.agreements.plan import Net, Plan, PlannedArm, PlannedMetric, Term
from impact.analysis.files import directory
from impact.analysis.freeze import freeze
from impact.analysis.measure import Measured, measure
from impact.analysis.models import Snapshot
from impact.ledger.models import Cost, Feed, Outcome
from tests.conftest import START
from workspaces.models import Workspace

HORIZON = 90.0
CHURNED = Term(outcome="churned", aggregate="any")
WORTH = Term(outcome="churned", aggregate="any", times=-300.0)


def plan(*, term: Term = CHURNED, value: list[Term] | None = None, kind: Any = "mean", **changes: Any) -> Plan:
    """A plan about the arms none and bonus, with one metric, and money if there is a value."""
    arms = [
        PlannedArm(key="none", name="No action", is_baseline=True, weight=1, planned_cost=0.0),
        PlannedArm(key="bonus", name="Bonus", is_baseline=False, weight=1, planned_cost=1.7),
    ]
    metric = PlannedMetric(key="m", name="M", kind=kind, role="driver", direction="decrease", unit="", term=term)
    content = {
        "experiment": "offers", "name": "Offers", "origin": "live", "unit_type": "customer", "currency": "EUR",
        "horizon_days": HORIZON, "arms": arms, "metrics": [metric], "net": Net(value=value) if value else None,
    }  # fmt: skip
    return Plan(**(content | changes))


def on(day: float) -> datetime:
    return START + timedelta(days=day)


@dataclass
class Ground:
    """A started experiment whose rows and events the test puts down itself."""

    workspace: Workspace
    experiment: Experiment
    numbers: Any = field(default_factory=count)

    def row(self, unit: str, arm: str, day: float = 0, key: str = "", **more: Any) -> Assignment:
        """A row of a unit; another key is its next episode."""
        return Assignment.objects.create(
            occasion=Assignment.objects.filter(unit_id=unit).count(),
            workspace=self.workspace,
            experiment=self.experiment,
            randomization_key=key or unit,
            unit_id=unit,
            arm=self.experiment.arms.get(key=arm),
            **{"propensity": 0.5, "first_decision_at": on(day), "matures_at": on(day + HORIZON)} | more,
        )

    def outcome(self, unit: str, day: float, value: float = 1, type: str = "churned", **more: Any) -> None:
        Outcome.objects.create(unit_id=unit, type=type, value=value, occurred_at=on(day), **self._fact(day) | more)

    def cost(self, unit: str, day: float, amount: float, category: str = "c", **more: Any) -> None:
        Cost.objects.create(
            unit_id=unit,
            category=category,
            amount=amount,
            currency="EUR",
            occurred_at=on(day),
            **self._fact(day) | more,
        )

    def feed(self, until: float, type: str = "churned", source: str = "crm") -> None:
        Feed.objects.create(
            workspace=self.workspace, source=source, type=type, complete_until=on(until), heard_at=on(until)
        )

    def frozen(self, plan: Plan, as_of: float = 400) -> Snapshot:
        return freeze(experiment=self.experiment, plan=plan, as_of=on(as_of))

    def measured(self, plan: Plan, as_of: float = 400) -> Measured:
        snapshot = self.frozen(plan, as_of)
        return measure(snapshot, plan, directory(self.workspace.key))

    def _fact(self, day: float) -> dict[str, Any]:
        return {
            "workspace": self.workspace, "source": "test", "event_id": str(next(self.numbers)), "digest": "",
            "received_at": on(day),
        }  # fmt: skip


def means(measured: Measured, family: str = "m", column: str | None = None) -> dict[str, tuple[int, float]]:
    """Arm -> rows that count and the mean of the family's first column, or another."""
    found = measured.families[family]
    samples = {arm: found.table.arm_sample(arm, {column or found.columns[0]: 1.0}) for arm in found.table.arms}
    return {arm: (sample.n, sample.mean) for arm, sample in samples.items()}


def paths(snapshot: Snapshot, name: str) -> list[Path]:
    """The files of one of the snapshot's tables."""
    home = directory(snapshot.workspace.key)
    return [home / file["name"] for file in snapshot.manifest["files"][name]]


def rows_of(snapshot: Snapshot, name: str) -> list[dict[str, Any]]:
    return [row for path in paths(snapshot, name) for row in pq.read_table(path).to_pylist()]


def forget(*models: Any) -> None:
    for model in models or (Decision, Assignment, Outcome, Cost, Feed):
        model.objects.all().delete()


def agrees(block: Any, effect: Any, alpha: float = 0.05) -> None:
    assert block["status"] == "estimated" and block["reason"] is None
    assert block["effect"] == pytest.approx(effect.estimate, rel=1e-9)
    assert block["se"] == pytest.approx(effect.se, rel=1e-9)
    assert block["ci"] == pytest.approx(effect.interval(1 - alpha), rel=1e-9)
    assert block["p_value"] == pytest.approx(effect.p_value(), rel=1e-9)
    assert block["p_gt_0"] == pytest.approx(effect.chance_above(), rel=1e-9)
    assert block["method"] == effect.method
