"""What is foreseen when an agreement is declared: what an arm would earn, and the rows and effect that prove it."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from experiments.models import Experiment
from impact.agreements.plan import PlannedClusters, PlannedMetric, Term
from impact.agreements.shapes import AgreementDeclared
from workspaces.errors import Refusal

QUARTERS = [0.25, 0.5, 0.75, 1.0]


def worth_of(driver: PlannedMetric, priced: Term) -> float:
    """What one more of the driver is worth; what is paid for where nothing happened, is lost where something does."""
    opposite = (driver.term.aggregate == "none") != (priced.aggregate == "none")
    return -priced.times if opposite else priced.times


def planned_clusters(declared: AgreementDeclared, experiment: Experiment) -> PlannedClusters | None:
    """How large and how alike within themselves the clusters are that are randomized, as agreed."""
    if declared.clusters is None:
        return None
    if not experiment.in_clusters:
        raise Refusal(
            "invalid-declaration",
            f"{experiment.key} randomizes by {experiment.randomizes}, not by cluster; leave clusters out",
            "/clusters",
        )
    size = declared.clusters.size
    if declared.rows_per_arm < 2 * size:
        raise Refusal(
            "invalid-declaration",
            f"rows_per_arm == {declared.rows_per_arm}, must be at least two clusters of {size:g} rows",
            "/rows_per_arm",
        )
    # numpy and scipy load slowly, and web processes import this module for its declarations
    from impact.stats.planning import Clusters

    agreed = Clusters(size, declared.clusters.icc, declared.clusters.cv)
    return PlannedClusters(size=size, icc=agreed.icc, cv=agreed.cv, design_effect=agreed.design_effect)


def looks_at(declared: AgreementDeclared, *, clustered: bool) -> list[float]:
    """Shares of the rows at which it is judged, a quarter at a time if nothing is said; none without planned looks."""
    if declared.looks != "group_sequential":
        if declared.looks_at is not None:
            raise Refusal(
                "invalid-declaration", f"looks == {declared.looks!r} has no looks_at; leave it out", "/looks_at"
            )
        return []
    if clustered:
        raise Refusal(
            "invalid-declaration",
            "clusters are looked at once or on any day: looks must be fixed or always_valid",
            "/looks",
        )
    shares = QUARTERS if declared.looks_at is None else declared.looks_at
    if len(shares) < 2 or shares[-1] != 1 or any(b <= a for a, b in pairwise(shares)):
        raise Refusal(
            "invalid-declaration", f"looks_at == {shares}, must be two or more that rise and end with 1", "/looks_at"
        )
    return list(shares)


def foresee(
    declared: AgreementDeclared,
    design: Mapping[str, Any],
    clusters: PlannedClusters | None,
    driver: PlannedMetric,
    times: float,
) -> dict[str, Any]:
    """What the expected effect would earn with each arm, what it takes to prove that, and what can be proven."""
    if declared.expected is None:
        return {}
    baseline = next(arm for arm in design["arms"] if arm.is_baseline)
    others = [arm for arm in design["arms"] if not arm.is_baseline]
    net = {arm.key: times * declared.expected.effect - (arm.planned_cost - baseline.planned_cost) for arm in others}
    if driver.kind != "proportion" or (design["clustered"] and clusters is None):
        # only the variance of a proportion is known beforehand, and that of clusters only if somebody said how alike
        return {"expected_net": net}
    from impact.stats import planning
    from impact.stats.looks import more_rows

    before = declared.expected.baseline
    after = before + declared.expected.effect
    within = times**2 * (1 - declared.expected.explained)
    variances = planning.Variances(within * after * (1 - after), within * before * (1 - before))
    alike = planning.Clusters(clusters.size, clusters.icc, clusters.cv) if clusters else None
    alpha, power = declared.alpha / len(others), declared.power
    at = looks_at(declared, clustered=bool(design["clustered"]))
    more = more_rows(at, alpha, power, any_day=declared.looks == "always_valid")
    test = planning.Plan(alpha=alpha, power=power, clusters=alike, inflation=more)
    return {
        "expected_net": net,
        "rows_needed": {arm: test.required_n(effect, variances).baseline for arm, effect in net.items() if effect},
        "detectable_effect": test.detectable_effect(declared.rows_per_arm, variances),
    }
