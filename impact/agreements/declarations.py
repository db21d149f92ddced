"""Declaring metrics, assumptions and agreements."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from experiments.declarations import DECLARATIONS as OF_EXPERIMENTS
from experiments.models import Experiment, Status
from impact.agreements.assumed_policies import declare_policy, publish_with
from impact.agreements.models import Agreement, Assumption, Metric
from impact.agreements.plan import (
    to_content,
)
from impact.agreements.resolving import plan_of
from impact.agreements.shapes import AgreementDeclared, AssumptionDeclared, MetricDeclared, TermDeclared
from workspaces import clock
from workspaces.canonical import digest
from workspaces.declarations import Change, Declaration, declare_version, differences, noted
from workspaces.errors import Missing, Refusal
from workspaces.models import Workspace


def declare_metric(workspace: Workspace, declared: MetricDeclared, actor: str) -> Change:
    terms = _terms(declared)
    content = {
        "name": declared.name,
        "kind": declared.kind,
        "direction": declared.direction,
        "unit": declared.unit,
        "definition": [{name: getattr(term, name) for name in TermDeclared.__struct_fields__} for term in terms],
        "covariates": msgspec.to_builtins(declared.covariates),
    }
    return declare_version("metric", Metric, workspace, declared.key, content, actor)


def _terms(declared: MetricDeclared) -> list[TermDeclared]:
    """What the kind of metric is made of, or what it must have."""
    wanted = {"net value": {"value"}, "ratio": {"of", "per"}}.get(declared.kind, {"of"})
    if {name for name in ("of", "per", "value") if getattr(declared, name) is not None} != wanted:
        raise Refusal(
            "invalid-declaration", f"a {declared.kind} metric has {' and '.join(sorted(wanted))}, nothing else", "/kind"
        )
    terms = [one for one in (declared.of, declared.per, *(declared.value or [])) if one]
    if declared.kind == "proportion" and terms[0].aggregate not in ("any", "none"):
        raise Refusal(
            "invalid-declaration",
            "a proportion counts rows with any event or with none: aggregate: any",
            "/of/aggregate",
        )
    if declared.kind == "ratio" and terms[0].window_days != terms[1].window_days:
        raise Refusal(
            "invalid-declaration",
            f"window_days == {terms[0].window_days} above and {terms[1].window_days} below: give both the same",
            "/per/window_days",
        )
    if any(one.cap and one.aggregate in ("any", "none") for one in terms):
        raise Refusal("invalid-declaration", "what is 0 or 1 has no tail to cap: leave cap out", "/cap")
    return terms


def declare_assumption(workspace: Workspace, declared: AssumptionDeclared, actor: str) -> Change:
    if not declared.low <= declared.base <= declared.high:
        raise Refusal(
            "invalid-declaration",
            f"low, base, high == {declared.low}, {declared.base}, {declared.high}, must ascend",
            "/base",
        )
    content = {name: getattr(declared, name) for name in AssumptionDeclared.__struct_fields__ if name != "key"}
    content["cash"] = msgspec.to_builtins(declared.cash)
    change = declare_version("assumption", Assumption, workspace, declared.key, content, actor)
    if "base" in change.fields and change.did == "changed":
        published = publish_with(workspace, declared.key, actor)
        return replace(change, fields={**change.fields, **published})
    return change


def declare_agreement(workspace: Workspace, declared: AgreementDeclared, actor: str) -> Change:
    """Resolve everything the agreement names and freeze it as a new version, unless nothing differs."""
    experiment = Experiment.objects.within(workspace).filter(key=declared.experiment).first()
    if experiment is None:
        raise Missing("experiment", declared.experiment, "/experiment")
    if experiment.decision_point is None:
        raise Refusal("in-use", f"{experiment.key} was loaded after it had ended: nobody can agree it beforehand")
    content = to_content(plan_of(workspace, experiment, declared))
    current = experiment.agreements.order_by("-version").first()
    changes = differences(current, {"content": content})
    if changes and current and experiment.status != Status.DRAFT:
        raise Refusal(
            "in-use", f"{experiment.key} is {experiment.status}: its agreement is signed and can't change any more"
        )
    if changes:
        Agreement.objects.create(
            workspace=workspace,
            experiment=experiment,
            version=current.version + 1 if current else 1,
            content=content,
            sha256=digest(content),
            created_at=clock.server_now(),
        )
    return noted("agreement", workspace, declared.experiment, current, changes, actor)


# assumptions come first: policies count with them, and experiments name policies
DECLARATIONS = (
    Declaration("assumptions", AssumptionDeclared, declare_assumption),
    *(Declaration(one.name, one.shape, declare_policy) if one.name == "policies" else one for one in OF_EXPERIMENTS),
    Declaration("metrics", MetricDeclared, declare_metric),
    Declaration("agreements", AgreementDeclared, declare_agreement),
)
