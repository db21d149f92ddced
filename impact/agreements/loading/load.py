"""Writing a finished experiment: decisions, outcomes, costs and the plan, all of it or nothing."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from django.db import connection, transaction
from django.db.models import Model

from experiments.models import Arm, Assignment, Decision, Experiment, Mode, Status
from impact.agreements.loading.rows import Record, read_records
from impact.agreements.loading.specification import Specification
from impact.agreements.loading.table import Table
from impact.agreements.plan import BreakEven, Net, Plan, PlannedArm, PlannedMetric, Term, to_content
from impact.ledger.models import LOADED, Cost, Feed, Outcome
from workspaces import clock
from workspaces.canonical import digest
from workspaces.errors import Refusal
from workspaces.facts import insert_rows
from workspaces.identifiers import new_id
from workspaces.models import Workspace
from workspaces.services import audit

ID_LENGTH = 200
FACT = ("id", "workspace_id", "source", "event_id", "digest", "received_at")


def load_experiment(
    *,
    workspace: Workspace,
    path: Path,
    spec: Specification,
    actor: str,
    progress: Callable[[float, str], None] = lambda share, message: None,
) -> Experiment:
    """Load the file, or return the experiment that was loaded from the same file and specification before."""
    if spec.currency not in (None, workspace.currency):
        raise Refusal(
            "other-currency",
            f"currency == {spec.currency!r}, the workspace {workspace.key} counts in {workspace.currency}; "
            "load it into a workspace of that currency with --workspace",
        )
    table = Table(path)
    progress(0.05, "checking rows")
    records = read_records(table, spec)
    plan = plan_of(spec, workspace, records, table.sha256)
    content = to_content(plan)
    known = Experiment.objects.within(workspace).filter(key=spec.experiment).first()
    if known is not None:
        if known.plan_sha256 == digest(content):
            return known
        raise Refusal(
            "experiment-exists",
            f"There is an experiment {spec.experiment!r} with another specification or file; choose another key",
        )
    with transaction.atomic():
        return _write(workspace, spec, plan, records, actor, progress)


def plan_of(spec: Specification, workspace: Workspace, records: Sequence[Record], sha256: str) -> Plan:
    """Return the plan that a specification amounts to."""
    default = None if spec.missing == "censored" else 0.0
    found = sorted({record.arm for record in records} - {spec.arm.baseline})
    names = list(spec.weights) if spec.weights else [spec.arm.baseline, *found]
    primary_given = any(metric.role == "primary" for metric in spec.metrics)
    metrics = []
    for place, metric in enumerate(spec.metrics):
        role = metric.role or ("secondary" if spec.money or primary_given or place else "primary")
        metrics.append(
            PlannedMetric(
                key=metric.key,
                name=metric.key,
                kind=metric.kind,
                # with value or cost the money is primary, and what else was to be moved is a driver
                role="driver" if spec.money and role == "primary" else role,
                direction=metric.direction,
                unit=metric.unit,
                term=Term(outcome=spec.outcome_type(metric.column), aggregate="sum", default=default),
            )
        )
    value = [
        Term(outcome=spec.outcome_type(spec.value.column), default=default, times=spec.value.multiply)
    ] if spec.value else []  # fmt: skip
    priced = next((metric for metric in metrics if value and metric.term.outcome == value[0].outcome), None)
    return Plan(
        experiment=spec.experiment,
        name=spec.name or spec.experiment,
        origin="loaded",
        unit_type="unit",
        currency=workspace.currency,
        horizon_days=0.0,
        arms=[
            PlannedArm(
                key=arm,
                name=arm,
                is_baseline=arm == spec.arm.baseline,
                weight=spec.weights[arm] if spec.weights else None,
                planned_cost=0.0,
            )
            for arm in names
        ],
        metrics=metrics,
        net=Net(value=value) if spec.money else None,
        break_even=BreakEven(metric=priced.key, times=value[0].times) if priced and value[0].times else None,
        comparisons=spec.comparisons,
        alpha=spec.alpha,
        target_roi=spec.target_roi,
        covariates=spec.covariates,
        segments=spec.segments,
        clustered=spec.cluster is not None,
        propensities_known=spec.weights is not None or spec.propensity is not None,
        source_sha256=sha256,
        specification_sha256=digest(msgspec.to_builtins(spec)),
    )


def unit_named(spec: Specification, record: Record) -> str:
    """Name a row's unit; the experiment's key keeps it apart from the units of live experiments."""
    name = f"{spec.experiment}/{record.key}"
    return name if len(name) <= ID_LENGTH else digest(name)


def _write(
    workspace: Workspace,
    spec: Specification,
    plan: Plan,
    records: Sequence[Record],
    actor: str,
    progress: Callable[[float, str], None],
) -> Experiment:
    now = clock.now(workspace)
    at = now - timedelta(seconds=1)
    salt = secrets.token_hex(16)
    content = to_content(plan)
    experiment = Experiment.objects.create(
        workspace=workspace,
        key=spec.experiment,
        name=plan.name,
        method=Experiment.Method.ELSEWHERE,
        salt=salt,
        traffic_salt=f"{salt}/traffic",
        origin=Experiment.Origin.LOADED,
        status=Status.CLOSED,
        plan=content,
        plan_sha256=digest(content),
        created_at=at,
        started_at=at,
        closed_at=at,
    )
    arms = {
        planned.key: Arm.objects.create(
            workspace=workspace,
            experiment=experiment,
            key=planned.key,
            place=place,
            is_baseline=planned.is_baseline,
        )
        for place, planned in enumerate(plan.arms)
    }
    progress(0.2, f"storing {len(records)} decisions")
    units = _store_decisions(experiment, spec, plan, records, arms, at)
    progress(0.6, "storing outcomes and costs")
    _store_events(experiment, spec, plan, records, units, at)
    Feed.objects.bulk_create(
        Feed(
            workspace=workspace,
            source=f"{LOADED}{spec.experiment}",
            type=spec.outcome_type(column),
            complete_until=now,
            heard_at=now,
        )
        for column in sorted({column for record in records[:1] for column in record.numbers})
    )
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            # the planner, which has seen none of these rows yet, would read them in nested loops
            cursor.execute(f"ANALYZE {', '.join(one._meta.db_table for one in (Assignment, Decision, Outcome, Cost))}")
    audit.record(
        workspace=workspace,
        actor=actor,
        action="load experiment",
        subject=spec.experiment,
        after={"plan": experiment.plan_sha256, "rows": len(records)},
    )
    return experiment


def _store_decisions(
    experiment: Experiment,
    spec: Specification,
    plan: Plan,
    records: Sequence[Record],
    arms: Mapping[str, Arm],
    at: datetime,
) -> dict[str, str]:
    """Store an assignment and a decision for each record, and return the records' units."""
    # where nobody says how it was drawn, an arm's share is the best guess
    sizes = Counter(record.arm for record in records)
    parts = {arm.key: sizes[arm.key] if arm.weight is None else arm.weight for arm in plan.arms}
    shares = {arm: part / sum(parts.values()) for arm, part in parts.items()}
    units = {record.key: unit_named(spec, record) for record in records}
    assignments, decisions = [], []
    for record in records:
        assignment, unit = new_id(), units[record.key]
        propensity = record.propensity or shares[record.arm]
        assignments.append(
            (
                assignment, experiment.workspace_id, experiment.pk, record.key, unit, 0, record.cluster,
                arms[record.arm].pk, record.stratum, record.phase, propensity, None, record.covariates,
                record.segments, at, at,
            )
        )  # fmt: skip
        decisions.append(
            (
                *_fact(experiment, plan, record.key, at), None, unit, record.cluster, 0, None, None, {}, None,
                propensity, Mode.RANDOMIZED.value, assignment, None, {}, at, at,
            )
        )  # fmt: skip
    _insert(
        Assignment,
        (
            "id", "workspace_id", "experiment_id", "randomization_key", "unit_id", "occasion", "cluster_id", "arm_id",
            "stratum", "phase", "propensity", "draw", "covariates", "segments", "first_decision_at", "matures_at",
        ),
        assignments,
    )  # fmt: skip
    _insert(
        Decision,
        (
            *FACT, "decision_point_id", "unit_id", "cluster_id", "episode", "prediction_id", "score", "candidates",
            "action_id", "propensity", "mode", "assignment_id", "draw", "would_have", "decided_at", "matures_at",
        ),
        decisions,
    )  # fmt: skip
    return units


def _store_events(
    experiment: Experiment,
    spec: Specification,
    plan: Plan,
    records: Sequence[Record],
    units: Mapping[str, str],
    at: datetime,
) -> None:
    """Store outcomes and costs; a 0 isn't stored where the default says as much."""
    types = {column: spec.outcome_type(column) for record in records[:1] for column in record.numbers}
    outcomes = [
        (
            *_fact(experiment, plan, f"{record.key}/{column}", at),
            *(units[record.key], at, "", types[column], number, ""),
        )
        for record in records
        for column, number in record.numbers.items()
        if number is not None and (number or spec.missing == "censored")
    ]
    _insert(Outcome, (*FACT, "unit_id", "occurred_at", "relates_to", "type", "value", "currency"), outcomes)
    currency = experiment.workspace.currency
    costs = [
        (
            *_fact(experiment, plan, f"{record.key}/cost", at), units[record.key], at, "", spec.experiment, amount,
            currency, False,
        )
        for record in records
        if (amount := _cost(spec, record))
    ]  # fmt: skip
    _insert(Cost, (*FACT, "unit_id", "occurred_at", "relates_to", "category", "amount", "currency", "estimated"), costs)


def _insert(model: type[Model], names: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    if len(insert_rows(model, names, rows)) < len(rows):
        raise Refusal("bad-file", f"Two rows would be one {model._meta.verbose_name}; use ids without '/' and '#'.")


def _fact(experiment: Experiment, plan: Plan, event: str, at: datetime) -> tuple[Any, ...]:
    """The columns that every fact begins with."""
    event_id = event if len(event) <= ID_LENGTH else digest(event)
    return new_id(), experiment.workspace_id, f"{LOADED}{experiment.key}", event_id, plan.source_sha256, at


def _cost(spec: Specification, record: Record) -> float:
    by_arm = spec.cost_by_arm
    return (record.cost or 0.0) if by_arm is None else by_arm.get(record.arm, 0.0)


def arms_without_cost(spec: Specification, plan: Plan) -> list[str]:
    """Arms that cost 0 because nobody said what they cost."""
    by_arm = spec.cost_by_arm
    return [] if by_arm is None else [arm.key for arm in plan.arms if arm.key not in by_arm]
