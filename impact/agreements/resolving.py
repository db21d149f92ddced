"""From what was declared to the plan that is signed: every name resolved to a number as it is now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC
from typing import Any, cast

import msgspec

from experiments.models import Experiment, Policy
from impact.agreements.design import design_of
from impact.agreements.foreseeing import foresee, looks_at, planned_clusters, worth_of
from impact.agreements.models import Assumption, Metric
from impact.agreements.plan import (
    BreakEven,
    Case,
    Deployment,
    Direction,
    Earlier,
    MetricKind,
    Net,
    Plan,
    PlannedArm,
    PlannedMetric,
    PlannedPolicy,
    Quantity,
    Role,
    StopOrWait,
    Term,
)
from impact.agreements.shapes import AgreementDeclared, DeploymentDeclared, StopOrWaitDeclared
from workspaces.errors import Missing, Refusal
from workspaces.models import Workspace


def plan_of(workspace: Workspace, experiment: Experiment, declared: AgreementDeclared) -> Plan:
    """Resolve metrics, assumptions, arms and costs as they are now."""
    assumptions = {one.key: one for one in Assumption.objects.within(workspace).current()}
    metrics = {one.key: one for one in Metric.objects.within(workspace).current()}
    roles = _roles(declared, metrics)
    used: set[str] = set()

    def terms(metric: Metric) -> list[Term]:
        return [_term(one, assumptions, used) for one in metric.definition]

    primary = metrics[declared.primary]
    net = Net(value=terms(primary), metric=primary.key) if primary.kind == Metric.Kind.NET_VALUE else None
    planned = [
        PlannedMetric(
            key=key,
            name=metrics[key].name,
            kind=cast(MetricKind, metrics[key].kind),
            role=cast(Role, role),
            direction=cast(Direction, metrics[key].direction),
            unit=metrics[key].unit,
            term=terms(metrics[key])[0],
            per=next(iter(terms(metrics[key])[1:]), None),
            margin=margin,
        )
        for key, role, margin in roles
        if metrics[key].kind != Metric.Kind.NET_VALUE
    ]
    driver = next((metric for metric in planned if metric.role == "driver"), None)
    # one more of a ratio isn't one more of an outcome
    outcome = driver.term.outcome if driver and not driver.per else None
    priced = next((term for term in net.value if term.outcome == outcome), None) if net else None
    worth = worth_of(driver, priced) if driver and priced else 0.0
    point = experiment.decision_point
    assert point is not None
    design = design_of(experiment)
    _check_expected(declared, driver, experiment)
    clusters = planned_clusters(declared, experiment)
    policies = _policies(workspace, point.key)
    deployment = _deployment(declared.deployment, assumptions, used, policies) if declared.deployment else None
    if deployment and not net:
        raise Refusal("invalid-declaration", f"{declared.primary} is no money: leave the deployment out", "/deployment")
    return Plan(
        experiment=experiment.key,
        name=experiment.name,
        origin="live",
        unit_type=point.model.unit_type,
        currency=workspace.currency,
        metrics=planned,
        net=net,
        break_even=BreakEven(metric=driver.key, times=worth) if driver and priced else None,
        deployment=deployment,
        stop_or_wait=_stop_or_wait(declared.stop_or_wait, design["arms"], planned, net),
        policies=policies,
        earlier=_earlier(metrics[key] for key, _, _ in roles),
        alpha=declared.alpha,
        power=declared.power,
        looks=declared.looks,
        looks_at=looks_at(declared, clustered=design["clustered"]),
        target_roi=declared.target_roi,
        smallest_effect=declared.smallest_effect,
        segments=declared.segments,
        agreed_segments=declared.segments,
        case=Case(
            hypothesis=declared.hypothesis,
            decision=declared.decision,
            owner=declared.owner,
            rows_per_arm=declared.rows_per_arm,
            expected_baseline=declared.expected.baseline if declared.expected else None,
            expected_effect=declared.expected.effect if declared.expected else None,
            expected_explained=declared.expected.explained if declared.expected else None,
            clusters=clusters,
            **(foresee(declared, design, clusters, driver, worth) if driver and priced else {}),
            loss_cap=declared.loss_cap,
            if_wins=declared.if_wins,
            if_unclear=declared.if_unclear,
            if_loses=declared.if_loses,
            assumptions=[_frozen(assumptions[key]) for key in sorted(used)],
        ),
        **design,
    )


def _earlier(metrics: Iterable[Metric]) -> list[Earlier]:
    """Covariates of all metrics, each once: what is known from before serves every figure."""
    found = {msgspec.convert(one, Earlier): None for metric in metrics for one in metric.covariates}
    return list(found)


def _frozen(assumption: Assumption) -> dict[str, Any]:
    """An assumption as it is now, so that no later version changes what was signed."""
    names = ("key", "version", "name", "low", "base", "high", "unit", "owner", "source", "status", "cash")
    since = assumption.valid_from
    return {name: getattr(assumption, name) for name in names} | {
        "valid_from": since and since.astimezone(UTC).isoformat()
    }


def _policies(workspace: Workspace, point: str) -> list[PlannedPolicy]:
    found = Policy.objects.within(workspace).current().filter(decision_point=point).order_by("key")
    return [PlannedPolicy(key=one.key, version=one.version, role=one.role) for one in found]


def _deployment(
    declared: DeploymentDeclared, assumptions: dict[str, Assumption], used: set[str], policies: list[PlannedPolicy]
) -> Deployment:
    """Resolve what a year is counted with; every end of an assumption must be a possible number too."""
    limits = {"discount_rate": 1.0, "adoption": 1.0}
    found: dict[str, Any] = {
        name: getattr(declared, name)
        for name in ("years", "holdout", "spread", "expires_months", "reissue_above", "deploys", "todays_rule")
    }
    for name in ("cases_per_year", "build", "running_per_year", "discount_rate", "adoption"):
        said, pointer = getattr(declared, name), f"/deployment/{name}"
        if isinstance(said, str):
            if said not in assumptions:
                raise Missing("assumption", said, pointer)
            used.add(said)
            ends = (assumptions[said].low, assumptions[said].high)
            found[name] = Quantity(base=assumptions[said].base, assumption=said)
        else:
            ends = (said, said)
            found[name] = Quantity(base=said)
        if ends[0] < 0 or ends[1] > limits.get(name, ends[1]):
            above = f" and at most {limits[name]:g}" if name in limits else ""
            raise Refusal("invalid-declaration", f"{name} == {said!r}, must be at least 0{above}", pointer)
    for name in ("deploys", "todays_rule"):
        key = getattr(declared, name)
        if key and key not in {policy.key for policy in policies}:
            raise Missing("policy", key, f"/deployment/{name}")
    return Deployment(**found)


def _roles(declared: AgreementDeclared, metrics: dict[str, Metric]) -> list[tuple[str, str, float | None]]:
    """Metrics with their roles and margins; each has one role."""
    roles: list[tuple[str, str, float | None]] = [(declared.primary, "primary", None)]
    roles += [(key, "driver", None) for key in declared.drivers]
    roles += [(one.metric, "guardrail", one.margin) for one in declared.guardrails]
    roles += [(key, "secondary", None) for key in declared.secondary]
    times = Counter(key for key, _, _ in roles)
    for key, role, _ in roles:
        pointer = "/" + {"driver": "drivers", "guardrail": "guardrails"}.get(role, role)
        if key not in metrics:
            raise Missing("metric", key, pointer)
        if times[key] > 1:
            raise Refusal("invalid-declaration", f"{key!r} stands {times[key]} times; give it one role", pointer)
    return roles


def _check_expected(declared: AgreementDeclared, driver: PlannedMetric | None, experiment: Experiment) -> None:
    if declared.expected is None:
        return
    before = declared.expected.baseline
    after = before + declared.expected.effect
    if driver and driver.kind == "proportion" and not (0 < before < 1 and 0 < after < 1):
        raise Refusal(
            "invalid-declaration", f"{driver.key} from {before} to {after}: a proportion stays in (0, 1)", "/expected"
        )
    if declared.expected.explained and not experiment.strata:
        raise Refusal(
            "invalid-declaration",
            f"explained == {declared.expected.explained}, but {experiment.key} has no strata; leave it out",
            "/expected/explained",
        )


def _stop_or_wait(
    declared: StopOrWaitDeclared | None, arms: list[PlannedArm], metrics: list[PlannedMetric], net: Net | None
) -> StopOrWait | None:
    """Resolve what stopping, waiting and failing cost; a failure must cost more than the window."""
    if declared is None:
        return None
    cost = {arm.key: arm.planned_cost for arm in arms}
    for name in ("stop", "wait"):
        if getattr(declared, name) not in cost:
            raise Missing("arm", getattr(declared, name), f"/stop_or_wait/{name}")
    metric = next((one for one in metrics if one.key == declared.failures), None)
    if metric is None or metric.kind != "proportion":
        raise Refusal(
            "invalid-declaration",
            f"{declared.failures} is no proportion that this agreement looks at; make it a driver or secondary",
            "/stop_or_wait/failures",
        )
    lost = [-term.times for term in (net.value if net else []) if term.outcome == metric.term.outcome]
    now, window, loss = cost[declared.stop], cost[declared.wait], sum(lost)
    if loss <= window:
        raise Refusal(
            "invalid-declaration",
            f"a failure loses {loss:g}, and waiting for the window costs {window:g}: it must lose more",
            "/stop_or_wait/failures",
        )
    return StopOrWait(stop=declared.stop, wait=declared.wait, failures=metric.key, now=now, window=window, loss=loss)


def _term(definition: dict, assumptions: dict[str, Assumption], used: set[str]) -> Term:
    times, named = definition["times"], None
    if isinstance(times, str):
        if times not in assumptions:
            raise Missing("assumption", times, "/times")
        named, times = times, assumptions[times].base
        used.add(named)
    return Term(
        outcome=definition["outcome"],
        aggregate=definition["aggregate"],
        default=definition["default"],
        times=-times if definition["negative"] else times,
        window_days=definition["window_days"],
        cap=definition.get("cap"),
        assumption=named,
    )
