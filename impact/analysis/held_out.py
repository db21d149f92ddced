"""What the global holdout measures: units that it keeps out beside everybody else, in money, over the same time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from django.db.models import Q, QuerySet

from experiments import randomization
from experiments.models import Decision, Experiment, Holdout
from impact.agreements.plan import Term, from_content
from impact.analysis.happened import between, by_unit, number_of
from impact.ledger.models import Cost, Feed, Outcome
from impact.stats.effects import NotEstimable, difference
from impact.stats.moments import MomentTable
from workspaces.models import Workspace

DAYS_A_YEAR = 365.2425
LEVEL = 0.95
# on either side: below, its error isn't to be trusted
FEWEST_UNITS = 20
OTHERS, HELD_OUT = "others", "held out"


@dataclass(frozen=True, slots=True)
class Priced:
    """A term of some experiment's net value, and how long after a decision it counts."""

    term: Term
    window: timedelta


@dataclass(slots=True)
class Window:
    """A time from a unit's decision on, in which value and cost count once."""

    at: datetime
    # decision point -> what was planned to be spent at its first decision
    planned: dict[str, float]


def measure_holdout(workspace: Workspace, population: str, since: datetime, as_of: datetime) -> dict[str, Any]:
    """Return what everybody else brought more than held-out units, per unit, in total and for a year; or why nothing.

    A unit belongs to the holdout by its draw, whatever was then done about it. Its windows open at its first decision
    after ``since`` and at the first after each has closed; those count that have closed, and whose feeds are complete.
    """
    about: dict[str, Any] = {
        "population": population,
        "as_of": _text(as_of),
        "since": _text(since),
        "currency": workspace.currency,
    }
    holdouts = _holdouts(workspace, population, as_of)
    if not holdouts:
        return about | _refused("no-holdout")
    since = max(since, *(holdout.valid_from for holdout in holdouts))
    about |= {"since": _text(since), "holdouts": [holdout.key for holdout in holdouts]}
    priced = _priced(workspace, population, as_of)
    if not priced:
        return about | _refused("no-value")
    complete = _complete(workspace, priced, as_of)
    if silent := sorted({one.term.outcome for one in priced} - set(complete)):
        return about | _refused("no-feed", silent=silent)
    length = max(one.window for one in priced)
    until = min(as_of - length, *(complete[one.term.outcome] - one.window for one in priced))
    if until <= since:
        return about | _refused("too-early", earliest=_text(since + length))
    about |= {"until": _text(until)}
    windows = _windows(_decisions(workspace, population, since, as_of), until, length)
    net = _net_values(workspace, windows, priced, length, as_of)
    return about | _estimated(holdouts, net, (until - since) / timedelta(days=1))


def _estimated(holdouts: list[Holdout], net: dict[str, float], days: float) -> dict[str, Any]:
    sides = [HELD_OUT if _is_held_out(unit, holdouts) else OTHERS for unit in net]
    units = {side: sides.count(side) for side in (OTHERS, HELD_OUT)}
    found: dict[str, Any] = {"units": units, "days": days}
    if min(units.values()) < FEWEST_UNITS:
        return found | _refused("too-few", fewest=FEWEST_UNITS)
    table = MomentTable.from_arrays({"net": np.array(list(net.values()))}, np.array(sides))
    effect = difference(table, {"net": 1.0}, OTHERS, HELD_OUT)
    if isinstance(effect, NotEstimable) or not effect.se:
        return found | _refused("no-variance")
    low, high = effect.interval(LEVEL)
    a_year = units[OTHERS] * DAYS_A_YEAR / days
    return found | {
        "status": "measured",
        "effect": effect.estimate,
        "se": effect.se,
        "df": effect.df,
        "ci": [low, high],
        "total": units[OTHERS] * effect.estimate,
        "total_ci": [units[OTHERS] * low, units[OTHERS] * high],
        "year": a_year * effect.estimate,
        "year_ci": [a_year * low, a_year * high],
    }


def _refused(reason: str, **more: Any) -> dict[str, Any]:
    return {"status": "not_measured", "reason": reason} | more


def _holdouts(workspace: Workspace, population: str, as_of: datetime) -> list[Holdout]:
    """Those in force; of one that is over nothing new is learnt."""
    found = Holdout.objects.within(workspace).filter(
        Q(valid_until=None) | Q(valid_until__gt=as_of), unit_type=population, valid_from__lte=as_of
    )
    return list(found.order_by("key"))


def _is_held_out(unit: str, holdouts: list[Holdout]) -> bool:
    return any(randomization.within(holdout.salt, unit, holdout.share_ppm) for holdout in holdouts)


def _priced(workspace: Workspace, population: str, as_of: datetime) -> list[Priced]:
    """What all experiments on the population call value, each once, at the newest one's price."""
    started = Experiment.objects.within(workspace).filter(origin=Experiment.Origin.LIVE, started_at__lte=as_of)
    found: dict[tuple[str, str], Priced] = {}
    for content in started.order_by("started_at", "key").values_list("plan", flat=True):
        plan = from_content(content)
        if plan.unit_type == population and plan.net:
            for term in plan.net.value:
                window = timedelta(days=term.window_days or plan.horizon_days)
                found[term.outcome, term.aggregate] = Priced(term, window)
    return [found[key] for key in sorted(found)]


def _complete(workspace: Workspace, priced: list[Priced], as_of: datetime) -> dict[str, datetime]:
    """Until when each type of outcome is complete: as far as the slowest of its sources."""
    complete: dict[str, datetime] = {}
    types = {one.term.outcome for one in priced}
    for feed in Feed.objects.within(workspace).filter(type__in=types):
        complete[feed.type] = min(feed.complete_until, complete.get(feed.type, as_of))
    return complete


def _decisions(workspace: Workspace, population: str, since: datetime, as_of: datetime) -> QuerySet[Any]:
    decided = Decision.objects.within(workspace).filter(
        decision_point__model__unit_type=population, decided_at__gte=since, decided_at__lte=as_of
    )
    return decided.order_by("decided_at", "pk").values_list(
        "unit_id",
        "decided_at",
        "decision_point__key",
        "action__fixed_cost",
        "action__acceptance_share",
        "action__contingent_cost",
    )


def _windows(decisions: QuerySet[Any], until: datetime, length: timedelta) -> dict[str, list[Window]]:
    """Every unit's windows that opened before a time, with what was planned to be spent in them."""
    found: dict[str, list[Window]] = {}
    for unit, at, point, fixed, share, contingent in decisions.iterator():
        windows = found.setdefault(unit, [])
        if not windows or at >= windows[-1].at + length:
            windows.append(Window(at, {}))
        windows[-1].planned.setdefault(point, (fixed or 0.0) + (share or 0.0) * (contingent or 0.0))
    opened = ((unit, [one for one in windows if one.at < until]) for unit, windows in found.items())
    return {unit: windows for unit, windows in opened if windows}


def _net_values(
    workspace: Workspace, windows: dict[str, list[Window]], priced: list[Priced], length: timedelta, as_of: datetime
) -> dict[str, float]:
    """The sum over each unit's windows; a unit with a window of unknown value is left out."""
    types = {one.term.outcome for one in priced}
    came = {
        name: by_unit(_events(Outcome.objects.within(workspace).filter(type=name), "value", windows, as_of))
        for name in types
    }
    spent = by_unit(_events(Cost.objects.within(workspace), "amount", windows, as_of))
    return {
        unit: total
        for unit, opened in windows.items()
        if (total := _added(_of_window(unit, window, priced, came, spent, length) for window in opened)) is not None
    }


def _of_window(
    unit: str, window: Window, priced: list[Priced], came: dict[str, Any], spent: dict[str, Any], length: timedelta
) -> float | None:
    numbers = [
        (one.term.times, number_of(one.term, between(came[one.term.outcome][unit], window.at, window.at + one.window)))
        for one in priced
    ]
    # where nobody logged what was spent, what was planned stands in
    costs = between(spent[unit], window.at, window.at + length) or list(window.planned.values())
    value = _added(None if number is None else times * number for times, number in numbers)
    return None if value is None else value - sum(costs)


def _added(numbers: Iterable[float | None]) -> float | None:
    """The sum, unknown where one of them is."""
    total = 0.0
    for number in numbers:
        if number is None:
            return None
        total += number
    return total


def _events(
    happened: QuerySet[Any], name: str, units: dict[str, list[Window]], as_of: datetime
) -> Iterator[tuple[str, datetime, float]]:
    known = happened.filter(received_at__lte=as_of, occurred_at__lte=as_of).order_by("occurred_at", "pk")
    return (one for one in known.values_list("unit_id", "occurred_at", name).iterator() if one[0] in units)


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()
