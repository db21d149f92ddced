"""What a year of the result is worth: measured beside booked beside projected, and the assumptions it hangs on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from impact.agreements.cashflow import (
    Cash,
    Flow,
    Programme,
    Swing,
    crossing,
    dated_cash,
    fading_margin,
    price_of_holdout,
    swing,
    year_of,
)
from impact.agreements.plan import Deployment, Plan
from impact.stats.beliefs import booked
from impact.stats.effects import NotEstimable, TEffect
from impact.stats.moments import Contrast

NET: Contrast = {"value": 1.0, "cost": -1.0}
QUANTITIES = ("cases_per_year", "build", "running_per_year", "discount_rate", "adoption")
# what is measured can't be argued about
ARGUABLE = ("agreed", "guess")

Estimate = Callable[[Contrast], TEffect | NotEstimable]


class Option(NamedTuple):
    """What would be used instead of the baseline: an arm for everybody or a policy, with its estimator."""

    arm: str | None
    policy: str | None
    estimate: Estimate


def flips(plan: Plan, estimate: Estimate) -> list[dict[str, Any]]:
    """What each assumption inside the net effect does to it, and where the effect would change its sign."""
    net = estimate(NET)
    if isinstance(net, NotEstimable):
        return []
    return [
        _flip(plan, key, _swing(assumption, net.estimate, _part(estimate, plan.assumed[key])))
        for key, assumption in _assumptions(plan)
        if key in plan.assumed and assumption["base"]
    ]


def value_statement(plan: Plan, option: Option, rows: int, in_arm: int | None, against: str) -> dict[str, Any] | None:
    """Tell a year of an option, with the business case that was signed.

    ``rows`` is how many count, ``in_arm`` how many got the arm, if it is one.
    """
    if plan.deployment is None:
        return None
    net = option.estimate(NET)
    if isinstance(net, NotEstimable):
        return None
    programme, low, high = programme_of(plan.deployment), *net.interval(1 - plan.alpha)
    shrunk = booked(net, plan.deployment.spread, 1 - plan.alpha) if plan.deployment.spread else None
    return {
        "arm": option.arm,
        "policy": option.policy,
        "against": against,
        "currency": plan.currency,
        "programme": programme._asdict() | {"cases": programme.cases},
        "expires_months": plan.deployment.expires_months,
        "measured": {
            "rows": rows,
            "per_case": net.estimate,
            "ci": [low, high],
            "in_arm": in_arm,
            "total": None if in_arm is None else in_arm * net.estimate,
        },
        "projected": _years(programme, low, net.estimate, high),
        "booked": shrunk
        and {
            "spread": plan.deployment.spread,
            "shrinkage": shrunk.shrinkage,
            **_years(programme, shrunk.interval[0], shrunk.estimate, shrunk.interval[1]),
        },
        "cases": _cases(plan, option.estimate, programme, net),
        "cash": {
            "projected": _cash(plan, option.estimate, programme, 1.0),
            "booked": shrunk and _cash(plan, option.estimate, programme, shrunk.shrinkage),
        },
        "price_of_holdout": price_of_holdout(
            programme.holdout, programme.cases_per_year, shrunk.estimate if shrunk else net.estimate
        ),
        "tornado": _tornado(plan, option.estimate, programme, net.estimate),
    }


def year_against(plan: Plan, effect: TEffect) -> dict[str, Any] | None:
    """Low, base and high year of an effect with the case that was signed."""
    if plan.deployment is None:
        return None
    low, high = effect.interval(1 - plan.alpha)
    return _years(programme_of(plan.deployment), low, effect.estimate, high)


def programme_of(deployment: Deployment, changes: Mapping[str, float] | None = None) -> Programme:
    """The programme at its base, or where assumptions have other values."""
    changes = changes or {}
    quantities = {name: getattr(deployment, name) for name in QUANTITIES}
    values = {name: changes.get(one.assumption or "", one.base) for name, one in quantities.items()}
    return Programme(years=deployment.years, holdout=deployment.holdout, **values)


def _years(programme: Programme, low: float, base: float, high: float) -> dict[str, Any]:
    return {name: year_of(one, programme)._asdict() for name, one in (("low", low), ("base", base), ("high", high))}


def _assumptions(plan: Plan) -> Iterator[tuple[str, Mapping[str, Any]]]:
    return ((one["key"], one) for one in plan.case.assumptions)


def _contrast(plan: Plan, changes: Mapping[str, float]) -> Contrast:
    """The net value where assumptions have other values than their bases."""
    contrast = dict(NET)
    for key, assumption in _assumptions(plan):
        if key in changes and key in plan.assumed and assumption["base"]:
            column = plan.assumed[key]
            contrast[column] = contrast.get(column, 0.0) + changes[key] / assumption["base"] - 1
    return contrast


def _part(estimate: Estimate, column: str) -> float:
    found = estimate({column: 1.0})
    return 0.0 if isinstance(found, NotEstimable) else found.estimate


def _swing(assumption: Mapping[str, Any], net: float, part: float) -> Swing:
    return swing(net, part / assumption["base"], assumption["low"], assumption["base"], assumption["high"])


def _flip(plan: Plan, key: str, found: Swing) -> dict[str, Any]:
    assumption = dict(_assumptions(plan))[key]
    return {
        "assumption": key,
        **{name: assumption[name] for name in ("name", "low", "base", "high", "unit", "owner", "status")},
        "effect_at_low": found.at_low,
        "effect_at_high": found.at_high,
        "flips_at": found.flips_at,
        "inside": found.inside and assumption["status"] in ARGUABLE,
    }


def _npv(plan: Plan, estimate: Estimate, changes: Mapping[str, float]) -> float:
    assert plan.deployment is not None
    net = estimate(_contrast(plan, changes))
    assert isinstance(net, TEffect)
    return year_of(net.estimate, programme_of(plan.deployment, changes)).npv


def _tornado(plan: Plan, estimate: Estimate, programme: Programme, net: float) -> list[dict[str, Any]]:
    """Net present value at both ends of every assumption, the widest first."""
    bars = []
    for key, assumption in _assumptions(plan):
        ends = [_npv(plan, estimate, {key: assumption[end]}) for end in ("low", "high")]
        part = _part(estimate, plan.assumed[key]) if key in plan.assumed and assumption["base"] else 0.0
        bars.append(
            _flip(plan, key, _swing(assumption, net, part) if part else Swing(net, net, None, False))
            | {
                "npv_at_low": ends[0],
                "npv_at_high": ends[1],
                "npv_flips_at": crossing(
                    lambda value, key=key: _npv(plan, estimate, {key: value}),  # type: ignore[misc]
                    assumption["low"],
                    assumption["high"],
                ),
            }
        )
    return sorted(bars, key=lambda bar: (-abs(bar["npv_at_high"] - bar["npv_at_low"]), bar["assumption"]))


def _cases(plan: Plan, estimate: Estimate, programme: Programme, net: TEffect) -> dict[str, Any]:
    """The lower sampling limit at the worse end of every assumption, the upper one at the better."""
    found = {"base": year_of(net.estimate, programme)._asdict()}
    for name, side in (("low", 0), ("high", 1)):
        changes = {}
        for key, assumption in _assumptions(plan):
            ends = sorted((_npv(plan, estimate, {key: assumption[end]}), assumption[end]) for end in ("low", "high"))
            changes[key] = ends[side][1]
        there = estimate(_contrast(plan, changes))
        assert plan.deployment is not None
        assert isinstance(there, TEffect)
        limit = there.interval(1 - plan.alpha)[side]
        found[name] = year_of(limit, programme_of(plan.deployment, changes))._asdict()
    return found


def _cash(plan: Plan, estimate: Estimate, programme: Programme, shrinkage: float) -> dict[str, Any]:
    """Dated cash; where the effect is shrunk its value is, for the cost is known."""
    value, cost = _part(estimate, "value"), _part(estimate, "cost")
    kept = (shrinkage * (value - cost) + cost) / value if value else 1.0
    flows, rest = [], value
    for key, assumption in _assumptions(plan):
        if key in plan.assumed and assumption["cash"]:
            part = _part(estimate, plan.assumed[key])
            cash = assumption["cash"]
            flows.append(Flow(kept * part, fading_margin(cash["months"], cash["kept"], cash["rate"])))
            rest -= part
    if rest or not flows:
        flows.append(Flow(kept * rest))
    found: Cash = dated_cash(flows, cost, programme)
    return found._asdict() | {"balance": list(found.balance)}
