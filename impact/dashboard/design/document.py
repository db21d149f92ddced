"""From a filled form to the declarations that it stands for, as a declarative file would hold them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from experiments.models import Action, Experiment
from impact.agreements.foreseeing import QUARTERS
from impact.agreements.outlook import Sketch
from impact.dashboard.design.arms import Candidate
from impact.dashboard.design.form import GUARDRAILS, DesignForm
from impact.dashboard.design.start import MILLION, Start

# where a declaration calls a field otherwise than the form does
CALLED = {
    "until": "weeks", "horizon_days": "window_days", "expected": "expected_effect", "guardrails": "guardrail_1",
    "holdout": "kept_out", "primary": "outcome", "low": "value_low", "clusters": "cluster_size",
    "base": "value_base", "high": "value_high",
}  # fmt: skip
OF_ACTIONS = {"fixed": "fixed", "contingent": "contingent", "acceptance_share": "share"}


def document_of(form: DesignForm, now: datetime) -> dict[str, list[dict[str, Any]]]:
    """Return the lists of a declarative file; what isn't filled in yet is left out."""
    start, said = form.start, form.cleaned_data
    key = start.source.key if start.changes and start.source else said.get("key") or "new"
    found: dict[str, list[dict[str, Any]]] = {
        "actions": [one for action in start.actions if (one := _action(action, said))],
        "metrics": [] if start.net else _metrics(key, said),
        "assumptions": _assumption(key, start, said),
        "experiments": [_experiment(key, form, now)],
        "agreements": [_agreement(key, form)],
    }
    return {name: [_filled(item) for item in items] for name, items in found.items() if items}


def sketch_of(form: DesignForm) -> Sketch | None:
    """What is needed to foresee the plan; None where a part of it is missing or wrong."""
    start, said = form.start, form.cleaned_data
    amount = start.times or said.get("value_base")
    needed = [amount, said.get("expected_baseline"), said.get("expected_effect"), said.get("rows_per_arm")]
    alpha, power = said.get("alpha"), said.get("power")
    if not start.foreseeable or not all(needed) or not alpha or not power or len(form.arms) < 2:
        return None
    clusters = _clusters(said)
    if start.in_clusters and not clusters:
        return None
    costs = {one.id: planned_cost(one, start, said) for one in start.candidates}
    term = start.term
    negative = term["negative"] if term else said.get("direction") == "decrease"
    explained = (start.agreed.get("case") or {}).get("expected_explained") or 0.0
    return Sketch(
        before=_share(said["expected_baseline"]),
        effect=_share(said["expected_effect"]),
        times=-abs(float(amount)) if negative else abs(float(amount)),  # type: ignore[arg-type]
        costs={arm: costs[arm] - costs[form.compared_with] for arm in form.arms[1:]},
        rows_per_arm=said["rows_per_arm"],
        per_week=said.get("per_week") or None,
        share=min(form.weights) / sum(form.weights),
        alpha=_share(alpha),
        power=_share(power),
        smallest=said.get("smallest_effect") or 0.0,
        explained=explained,
        looks_at=_looks_at(start, said) or (),
        any_day=said.get("looks") == "always_valid",
        clusters=(clusters["size"], clusters["icc"], clusters.get("cv", 0.0)) if clusters else None,
    )


def planned_cost(candidate: Candidate, start: Start, said: Mapping[str, Any]) -> float:
    """What an arm costs a row; of a policy the most that it can."""
    costs = [_cost(action.key, said) for action in start.actions if action.key in candidate.gives]
    return max((one["fixed"] + one["contingent"] * one["acceptance_share"] for one in costs), default=0.0)


def field_of(pointer: str, document: Mapping[str, list[dict[str, Any]]], form: DesignForm) -> str | None:
    """The field of the form that a refusal's pointer means; None where no field is to blame."""
    parts = pointer.strip("/").split("/")
    item = document[parts[0]][int(parts[1])] if len(parts) > 1 and parts[0] in document else {}
    if parts[0] == "actions" and parts[-1] in OF_ACTIONS:
        return f"{OF_ACTIONS[parts[-1]]}_{item['key']}"
    if parts[0] == "experiments" and "arms" in parts:
        places = [int(part) for part in parts[2:] if part.isdigit()]
        return f"weight_{form.arms[places[0] if places else 0]}"
    for part in reversed(parts[2:]):
        name = CALLED.get(part, part)
        if name in form.fields:
            return name
    return None


def _action(action: Action, said: Mapping[str, Any]) -> dict[str, Any] | None:
    """An action whose cost is said otherwise than it is declared."""
    cost = _cost(action.key, said)
    if (cost["fixed"], cost["contingent"], cost["acceptance_share"]) == (
        action.fixed_cost,
        action.contingent_cost,
        action.acceptance_share,
    ):
        return None
    kept = ("no_action", "channel", "parameters", "safety_class", "reversible", "lead_time_hours", "capacity")
    return {"key": action.key, "name": action.name} | {name: getattr(action, name) for name in kept} | {"cost": cost}


def _cost(key: str, said: Mapping[str, Any]) -> dict[str, float]:
    return {
        "fixed": said.get(f"fixed_{key}") or 0.0,
        "contingent": said.get(f"contingent_{key}") or 0.0,
        "acceptance_share": _share(said.get(f"share_{key}") or 0.0),
    }


def _metrics(key: str, said: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A share of the units with the outcome, and the money that it is worth."""
    fewer = said.get("direction") == "decrease"
    outcome, name = said.get("outcome", ""), said.get("outcome_name", "")
    term = {"outcome": outcome, "aggregate": "any"}
    worth = term | {"times": f"{key}-value", **({"negative": True} if fewer else {})}
    return [
        {"key": f"{key}-outcome", "name": name, "kind": "proportion", "direction": said.get("direction"), "of": term},
        {"key": f"{key}-net", "name": said.get("value_name", ""), "kind": "net value", "value": [worth]},
    ]


def _assumption(key: str, start: Start, said: Mapping[str, Any]) -> list[dict[str, Any]]:
    known = start.assumption
    if start.net and known is None:
        return []
    parts = {part: said.get(f"value_{part}") for part in ("name", "low", "base", "high", "owner", "status", "source")}
    kept = {"cash": known.cash, "valid_from": known.valid_from and known.valid_from.isoformat()} if known else {}
    unit = known.unit if known else start.point.workspace.currency
    return [{"key": known.key if known else f"{key}-value", **parts, "unit": unit, **_filled(kept)}]


def _experiment(key: str, form: DesignForm, now: datetime) -> dict[str, Any]:
    start, said = form.start, form.cleaned_data
    weeks, by = said.get("weeks"), {one.id: one for one in start.candidates}
    # a whole number of weeks from the next full day on
    until = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=7 * weeks + 1) if weeks else None
    return {
        "key": key,
        "name": said.get("name", ""),
        "decision_point": start.point.key,
        "arms": [by[arm].declared | {"weight": weight} for arm, weight in zip(form.arms, form.weights, strict=True)],
        "baseline": by[form.compared_with].key,
        "horizon_days": said.get("window_days"),
        **(_drawn_as(start.source) if start.source else {}),
        **({"enrolment": {"until": until.isoformat()}} if until else {}),
    }


def _drawn_as(source: Experiment) -> dict[str, Any]:
    """How the experiment that this is made from is drawn, where that isn't how all are."""
    strata = [
        {"feature": one["feature"]} if isinstance(one, dict) and "feature" in one else one for one in source.strata
    ]
    said = {
        "randomize": source.randomizes,
        "period_days": source.period_days,
        "method": source.method,
        "strata": strata,
        "covariates": source.covariates,
        "traffic": source.traffic_ppm / MILLION,
        "layer": source.layer,
    }
    usual: dict[str, Any] = {
        "randomize": "unit",
        "period_days": None,
        "method": "hash",
        "strata": [],
        "covariates": [],
        "traffic": 1.0,
        "layer": source.decision_point and source.decision_point.key,
    }
    return {name: value for name, value in said.items() if value != usual[name]}


def _agreement(key: str, form: DesignForm) -> dict[str, Any]:
    start, said = form.start, form.cleaned_data
    roles: dict[str, list[str]] = {"driver": [], "secondary": []}
    for metric in start.agreed.get("metrics", []):
        roles.setdefault(metric["role"], []).append(metric["key"])
    drivers = roles["driver"] or ([start.driver.key] if start.driver else [] if start.net else [f"{key}-outcome"])
    rails = [
        {"metric": said[f"guardrail_{place}"], "margin": said.get(f"margin_{place}")}
        for place in GUARDRAILS
        if said.get(f"guardrail_{place}")
    ]
    guarded = {one["metric"] for one in rails}
    words = ("hypothesis", "decision", "owner", "if_wins", "if_unclear", "if_loses", "rows_per_arm")
    return _filled(
        {
            "experiment": key,
            **{name: said.get(name) for name in words},
            "primary": start.net.key if start.net else f"{key}-net",
            "drivers": [one for one in drivers if one not in guarded],
            "secondary": [one for one in roles["secondary"] if one not in guarded],
            "guardrails": rails,
            "expected": _expected(start, said),
            "clusters": _clusters(said),
            "smallest_effect": said.get("smallest_effect"),
            "alpha": _share(said["alpha"]) if said.get("alpha") else None,
            "power": _share(said["power"]) if said.get("power") else None,
            "looks": said.get("looks"),
            "looks_at": _looks_at(start, said),
            "target_roi": start.agreed.get("target_roi"),
            "segments": start.agreed.get("agreed_segments"),
            "loss_cap": said.get("loss_cap"),
            "deployment": _deployment(start, said),
        }
    )


def _looks_at(start: Start, said: Mapping[str, Any]) -> list[float] | None:
    """As they were agreed before, else a quarter at a time."""
    if said.get("looks") != "group_sequential":
        return None
    return start.agreed.get("looks_at") or QUARTERS


def _expected(start: Start, said: Mapping[str, Any]) -> dict[str, Any] | None:
    before, effect = said.get("expected_baseline"), said.get("expected_effect")
    if before is None or effect is None:
        return None
    explained = (start.agreed.get("case") or {}).get("expected_explained")
    return _filled({"baseline": _share(before), "effect": _share(effect), "explained": explained})


def _clusters(said: Mapping[str, Any]) -> dict[str, float] | None:
    """How large and how alike clusters are; None until both are said."""
    found = {name: said.get(f"cluster_{name}") for name in ("size", "icc", "cv")}
    if found["size"] is None or found["icc"] is None:
        return None
    return {name: value for name, value in found.items() if value is not None}


def _deployment(start: Start, said: Mapping[str, Any]) -> dict[str, Any] | None:
    """What a year is counted with; None where nobody says how many cases there are."""
    if not said.get("cases_per_year"):
        return None
    kept = start.agreed.get("deployment") or {}
    adoption = kept.get("adoption") or {}
    return _filled(
        {
            **{name: _quantity(said.get(name)) for name in ("cases_per_year", "build", "running_per_year")},
            "discount_rate": _quantity(said.get("discount_rate"), 100),
            "adoption": adoption.get("assumption") or adoption.get("base"),
            "years": said.get("years"),
            "holdout": _share(said["kept_out"]) if said.get("kept_out") else None,
            "spread": said.get("spread"),
            "expires_months": kept.get("expires_months"),
            "reissue_above": kept.get("reissue_above"),
            "deploys": said.get("deploys"),
            "todays_rule": said.get("todays_rule"),
        }
    )


def _quantity(text: str | None, parts: int = 1) -> float | str | None:
    """A number, or else the key of an assumption."""
    if not text:
        return None
    try:
        return round(float(text) / parts, 12)
    except ValueError:
        return text


def _share(percent: float) -> float:
    return round(percent / 100, 12)


def _filled(content: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in content.items() if value not in (None, "", [], {})}
