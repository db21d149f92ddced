"""What a plan can prove before anything is signed: break-even, rows, weeks, and the chance of each verdict; pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

WEEKS = 52
# true effects that chances are told for, as shares of the one hoped for
TRUTHS = (0.0, 0.5, 1.0, 1.5)


class Sketch(NamedTuple):
    """A plan as it is typed in.

    Attributes
    ----------
    before, effect : float
        The driver, a proportion, without the action, and its change; both it and their sum lie in (0, 1).
    times : float
        Money that one unit of the driver is worth; below 0 where less is better.
    costs : mapping of arm to float
        Planned cost of every arm but the baseline, above the baseline's.
    rows_per_arm : int
        At least 2.
    per_week : float or None
        Rows that enrol in a week, all arms together.
    share : float
        Of those the share that the smallest arm gets.
    alpha, power, smallest, explained : float
        As in the agreement: alpha over all comparisons.
    looks_at, any_day
        Shares of the rows at which it is looked at, none for once at the end; or that it may be on any day.
    clusters : (size, icc, cv), optional
        Where clusters are randomized: mean rows of one, at most half of ``rows_per_arm``, their correlation within
        it, and how much sizes vary.
    """

    before: float
    effect: float
    times: float
    costs: Mapping[str, float]
    rows_per_arm: int
    per_week: float | None = None
    share: float = 0.5
    alpha: float = 0.05
    power: float = 0.8
    smallest: float = 0.0
    explained: float = 0.0
    looks_at: Sequence[float] = ()
    any_day: bool = False
    clusters: tuple[float, float, float] | None = None

    @property
    def fewest(self) -> float:
        """Rows an arm without which nothing can be told: two of what is randomized."""
        return max(len(self.costs) + 1, 2 * self.clusters[0] if self.clusters else 0)


def outlook(sketch: Sketch) -> dict[str, Any]:
    """Foresee a plan; everything is closed form, so it may be computed while somebody types.

    Parameters
    ----------
    sketch : Sketch

    Returns
    -------
    dict
        ``effect`` as hoped for; per arm ``break_even`` in the driver's unit, ``net`` per row and ``needed`` rows an
        arm; ``best`` is the arm that would earn most, ``detectable`` the net effect that the planned rows prove,
        ``curve`` pairs of week and that effect, ``weeks_needed`` for the best arm's net, ``chances`` of each
        verdict by true effect.
    """
    test = _planned(sketch)
    variances = _variances(sketch, sketch.effect)
    nets = {arm: sketch.times * sketch.effect - cost for arm, cost in sketch.costs.items()}
    needed = {arm: math.ceil(test.required_n(net, variances).baseline) if net else None for arm, net in nets.items()}
    best = max(nets, key=lambda arm: nets[arm])
    weekly = sketch.per_week * sketch.share if sketch.per_week else None
    curve = [(week, test.detectable_effect(rows, variances)) for week, rows in _weeks(weekly) if rows >= sketch.fewest]
    rows = needed[best]
    return {
        "break_even": {arm: cost / sketch.times for arm, cost in sketch.costs.items()},
        "net": nets,
        "needed": needed,
        "effect": sketch.effect,
        "best": best,
        "detectable": test.detectable_effect(sketch.rows_per_arm, variances),
        "curve": curve,
        "weeks_planned": sketch.rows_per_arm / weekly if weekly else None,
        "weeks_needed": rows / weekly if weekly and rows and nets[best] > 0 else None,
        "chance": chances_of(sketch, best, sketch.effect)["proven"],
        "chances": [
            {"effect": truth * sketch.effect, "net": truth * sketch.effect * sketch.times - sketch.costs[best]}
            | {"of": chances_of(sketch, best, truth * sketch.effect)}
            for truth in TRUTHS
            if 0 < sketch.before + truth * sketch.effect < 1
        ],
    }


def chances_of(sketch: Sketch, arm: str, effect: float) -> dict[str, float]:
    """Chance of each verdict on an arm if the driver truly changes by this much."""
    from impact.stats.verdict_chances import verdict_chances

    test = _planned(sketch)
    se = test.se(sketch.rows_per_arm, _variances(sketch, effect))
    return verdict_chances(sketch.times * effect - sketch.costs[arm], se, test.alpha, sketch.smallest)._asdict()


def _planned(sketch: Sketch) -> Any:
    """One comparison of the sketch as it is planned."""
    # numpy and scipy load slowly, and web processes import this module
    from impact.stats.looks import more_rows
    from impact.stats.planning import Clusters, Plan

    alike = Clusters(*sketch.clusters) if sketch.clusters else None
    alpha = sketch.alpha / len(sketch.costs)
    more = more_rows(sketch.looks_at, alpha, sketch.power, any_day=sketch.any_day)
    return Plan(alpha=alpha, power=sketch.power, clusters=alike, inflation=more)


def _variances(sketch: Sketch, effect: float) -> Any:
    """Of the money per row in each arm, within strata: only a proportion's is known beforehand."""
    from impact.stats.planning import Variances

    after = sketch.before + effect
    within = sketch.times**2 * (1 - sketch.explained)
    return Variances(within * after * (1 - after), within * sketch.before * (1 - sketch.before))


def _weeks(weekly: float | None) -> list[tuple[int, float]]:
    return [(week, week * weekly) for week in range(1, WEEKS + 1)] if weekly else []
