"""From what was measured to the results document, in canonical form: the same snapshot gives the same bytes."""

from __future__ import annotations

import uuid
from datetime import UTC
from typing import Any

from experiments.models import Experiment
from impact.agreements.plan import MONEY, Plan
from impact.analysis.adverse import adverse
from impact.analysis.checks import run_checks
from impact.analysis.checks.evidence import Evidence
from impact.analysis.estimate import adjust_by_holm, estimator
from impact.analysis.judged_looks import add_looks
from impact.analysis.measure import NET, Measured
from impact.analysis.metrics import metric_block
from impact.analysis.models import Snapshot
from impact.analysis.money import money_block
from impact.analysis.policies import of_policy, policy_blocks, value_ladder
from impact.analysis.segments import segment_blocks
from impact.analysis.stop_or_wait import stop_or_wait
from impact.analysis.value_statement import Option, value_statement
from impact.analysis.verdict import verdicts
from impact.analysis.version import CODE_VERSION
from impact.analysis.waivers import heeded
from impact.analysis.what_if import what_if
from workspaces.canonical import digest


def seed_of(plan_sha256: str) -> int:
    """Return the seed of everything random in an analysis; it comes from the plan."""
    return int(plan_sha256[:8], 16)


def analysis_id(snapshot: Snapshot, plan_sha256: str) -> uuid.UUID:
    content = [snapshot.sha256, plan_sha256, CODE_VERSION, seed_of(plan_sha256)]
    return uuid.uuid5(uuid.NAMESPACE_OID, digest(content))


def results_document(experiment: Experiment, snapshot: Snapshot, plan: Plan, measured: Measured) -> dict[str, Any]:
    """Write the document, without sentences: those are said in the reader's language."""
    seed = seed_of(experiment.plan_sha256)
    metrics = [metric_block(plan, metric, measured.families[metric.key], seed) for metric in plan.metrics]
    money = money_block(plan, measured, seed) if plan.net else None
    _adjust(plan, metrics, money)
    statement = _value_statement(plan, measured, money)
    checks = run_checks(Evidence(plan, measured, metrics, money, statement))
    checks = heeded(checks, snapshot.manifest.get("waivers", []))
    primary = MONEY if plan.net else plan.primary.key if plan.primary else MONEY
    decisive = [block["net"] for block in money["comparisons"]] if money else _of_primary(plan, metrics)
    final = measured.open == 0 and snapshot.manifest["enrolment_over"]
    if primary in measured.families:
        add_looks(plan, measured.looks, measured.families[primary], decisive, final=final)
    of_arms, overall = verdicts(plan, decisive, checks, final)
    return {
        "experiment": experiment.key,
        "name": plan.name,
        "as_of": snapshot.as_of.astimezone(UTC).isoformat(),
        "analysis_id": str(analysis_id(snapshot, experiment.plan_sha256)),
        "code_version": CODE_VERSION,
        "snapshot": {"sha256": snapshot.sha256} | measured.events,
        "plan": {
            "sha256": experiment.plan_sha256,
            "alpha": plan.alpha,
            "comparisons": len(plan.pairs),
            "correction": "holm",
            "looks": plan.looks,
            "looks_at": plan.looks_at,
            "target_roi": plan.target_roi,
            "smallest_effect": plan.smallest_effect,
            "rows_per_arm": plan.case.rows_per_arm,
            "window_days": plan.horizon_days,
            "episodes": plan.episodes,
        },
        "unit_type": plan.unit_type,
        "arms": [{"arm": arm.key, "name": arm.name, "is_baseline": arm.is_baseline} for arm in plan.arms],
        "estimand": _estimand(plan),
        "maturity": {
            "mature": measured.mature - measured.censored.get(primary, 0),
            "open": measured.open,
            "censored": measured.censored.get(primary, 0),
            "final": final,
        },
        "excluded": measured.excluded,
        "held_out": measured.modes.get("holdout", 0),
        "checks": checks,
        "metrics": metrics,
        "money": money,
        "segments": segment_blocks(plan, measured),
        "adverse": adverse(plan, measured),
        "policies": policy_blocks(plan, measured.chosen, seed),
        "what_if": what_if(plan, measured.chosen),
        "value_ladder": value_ladder(plan, measured.chosen),
        "value_statement": statement,
        "months": measured.months,
        "stop_or_wait": stop_or_wait(plan, measured),
        "origin": plan.origin,
        "verdicts": of_arms,
        "verdict": overall,
    }


def _adjust(plan: Plan, metrics: list[dict[str, Any]], money: dict[str, Any] | None) -> None:
    """Holm over the arms within the primary metric, within the drivers together, and within each other metric."""
    drivers = [one for metric in metrics if metric["role"] == "driver" for one in metric["comparisons"]]
    families = [("drivers", drivers)]
    families += [(metric["key"], metric["comparisons"]) for metric in metrics if metric["role"] != "driver"]
    if money:
        families.append((MONEY, [block["net"] for block in money["comparisons"]]))
    for name, family in families:
        adjust_by_holm(plan, name, family)


def _value_statement(plan: Plan, measured: Measured, money: dict[str, Any] | None) -> dict[str, Any] | None:
    """A year of the policy that was signed to be used, or else of the arm that does best."""
    if money is None or plan.deployment is None:
        return None
    family, chosen, baseline = measured.families[MONEY], measured.chosen, plan.baseline.key
    key = plan.deployment.deploys
    if key and chosen and key in chosen.policies:
        option = Option(None, key, lambda contrast: of_policy(plan, chosen, key, contrast))
        return value_statement(plan, option, family.table.n, None, baseline)
    against = [block for block in money["comparisons"] if block["baseline"] == baseline]
    estimated = [block for block in against if block["net"]["effect"] is not None]
    if key or not estimated:
        return None
    best = max(estimated, key=lambda block: block["net"]["effect"])["arm"]
    option = Option(best, None, estimator(plan, family, best, baseline))
    return value_statement(plan, option, family.table.n, family.table.arm_sample(best, NET).n, baseline)


def _of_primary(plan: Plan, metrics: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return next((metric["comparisons"] for metric in metrics if metric["role"] == "primary"), [])


def _estimand(plan: Plan) -> str:
    row = f"episode of a {plan.unit_type}" if plan.episodes else plan.unit_type
    window = f" over {plan.horizon_days:g} days" if plan.horizon_days else ""
    return f"per {row}{window}, by assignment"
