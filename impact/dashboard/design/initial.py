"""What stands in the fields before anybody types: from the decision point, or from what is changed or cloned."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from impact.dashboard.design.arms import id_of
from impact.dashboard.design.form import GUARDRAILS
from impact.dashboard.design.start import Start

WEEKS, ROWS = 8, 1000
PERCENT = 100
SECONDS_A_WEEK = 7 * 24 * 3600


def initial_of(start: Start, owner: str, now: datetime) -> dict[str, Any]:
    """Return every field's value."""
    found = _arms(start) | {
        "window_days": start.point.horizon_days,
        "weeks": WEEKS,
        "per_week": start.per_week or None,
        "rows_per_arm": start.per_week * WEEKS // len(start.actions) or ROWS,
        "alpha": 5,
        "power": 80,
        "owner": owner,
        "direction": "decrease",
        "value_status": "guess",
        "value_owner": owner,
        "if_wins": _("Put it into use, keep 5 % out, and measure again within a year."),
        "if_unclear": _("Confirm it once with a larger experiment, or drop it."),
        "if_loses": _("Drop it at once."),
    }
    if start.assumption:
        found |= {f"value_{part}": getattr(start.assumption, part) for part in ("name", "owner", "status", "source")}
        found |= {f"value_{end}": _plain(getattr(start.assumption, end)) for end in ("low", "base", "high")}
    return found | (_agreed(start, now) if start.source else {})


def _arms(start: Start) -> dict[str, Any]:
    arms = start.source.arms.select_related("action", "policy") if start.source else []
    held = {id_of(arm): arm.weight for arm in arms} or {action.key: 1 for action in start.actions}
    found: dict[str, Any] = {"baseline": next((id_of(arm) for arm in arms if arm.is_baseline), start.point.baseline)}
    for one in start.candidates:
        found |= {f"arm_{one.id}": one.id in held, f"weight_{one.id}": held.get(one.id, 1)}
    for action in start.actions:
        found |= {
            f"fixed_{action.key}": _plain(action.fixed_cost),
            f"contingent_{action.key}": _plain(action.contingent_cost),
            f"share_{action.key}": _percent(action.acceptance_share),
        }
    return found


def _agreed(start: Start, now: datetime) -> dict[str, Any]:
    """The business case of the agreement; a clone has another key and name."""
    agreed, source = start.agreed, start.source
    assert source is not None
    case = agreed["case"]
    words = ("hypothesis", "decision", "owner", "if_wins", "if_unclear", "if_loses", "rows_per_arm", "loss_cap")
    found = {name: _plain(case[name]) if isinstance(case[name], float) else case[name] for name in words}
    found |= {
        "name": source.name if start.changes else _("%(name)s, again") % {"name": source.name},
        "key": source.key if start.changes else f"{source.key[:44]}-2",
        "window_days": _plain(source.horizon_days),
        "expected_baseline": _percent(case["expected_baseline"]),
        "expected_effect": _percent(case["expected_effect"]),
        "smallest_effect": _plain(agreed["smallest_effect"]),
        "alpha": _percent(agreed["alpha"]),
        "power": _percent(agreed["power"]),
        "looks": agreed["looks"],
    }
    if source.enrolment_until and start.changes:
        left = (source.enrolment_until - now).total_seconds() / SECONDS_A_WEEK
        found["weeks"] = max(1, math.floor(left))
    if clusters := case.get("clusters"):
        found |= {f"cluster_{name}": _plain(clusters[name]) for name in ("size", "icc", "cv")}
    rails = [one for one in agreed["metrics"] if one["role"] == "guardrail"]
    for place, one in zip(GUARDRAILS, rails, strict=False):
        found |= {f"guardrail_{place}": one["key"], f"margin_{place}": one["margin"]}
    return found | _year(agreed.get("deployment"))


def _year(deployment: Mapping[str, Any] | None) -> dict[str, Any]:
    if deployment is None:
        return {}
    names = ("cases_per_year", "build", "running_per_year")
    rate = deployment["discount_rate"]
    return {
        **{name: deployment[name]["assumption"] or _plain(deployment[name]["base"]) for name in names},
        "discount_rate": rate["assumption"] or _percent(rate["base"]),
        "years": deployment["years"],
        "kept_out": _percent(deployment["holdout"]),
        "spread": None if deployment["spread"] is None else _plain(deployment["spread"]),
        **{name: deployment[name] for name in ("deploys", "todays_rule")},
    }


def _percent(share: float | None) -> float | int | None:
    return None if share is None else _plain(round(PERCENT * share, 10))


def _plain(value: float) -> float | int:
    """Without a decimal where there is none to show."""
    return int(value) if float(value).is_integer() else value
