"""The price of a unit of budget at which choosing by worth keeps to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from experiments.policies import BadPolicy, weight, worth

# what nobody was taken for lies this little below the price
ABOVE = 1 + 1e-9


class Step(NamedTuple):
    """A unit's next better action: what it is worth more for each unit of budget, and what it takes more."""

    gain: float
    extra: float


def price_within(
    content: Mapping[str, Any], most: float, units: Iterable[tuple[float, Sequence[str]]], baseline: str
) -> float:
    """Return the price of a unit of budget at which these units' actions keep to the budget.

    Each unit takes the action with the largest worth - price x what it takes of the budget. Steps from a unit's
    cheapest action to better ones, along the concave hull of what they take and are worth, are taken in the order of
    their gain while the budget lasts; the price lies between the last that was taken and the first that wasn't. That
    is the optimum of the linear program up to one unit's step; steps of the same gain are all taken or none.

    Parameters
    ----------
    content : mapping
        Of a budgeted policy: ``inputs`` and ``budget``.
    most : float
        Budget: an amount of money, or a number of executions.
    units : iterable of (score, eligible actions)
    baseline : str

    Returns
    -------
    float
        0 or more, in units of money for each unit of the budget; 0 where the budget is enough for all that pays.

    Raises
    ------
    BadPolicy
        Not even every unit's cheapest action is within the budget.

    Notes
    -----
    Sinha and Zoltners 1979, The multiple-choice knapsack problem; Kellerer, Pferschy and Pisinger 2004, chapter 11.
    """
    steps: list[Step] = []
    spent = 0.0
    for score, eligible in units:
        least, better = _steps(content, score, eligible, baseline)
        spent += least
        steps += better
    if spent > most:
        raise BadPolicy(
            f"budget == {most:,.2f}, but every unit's cheapest action together takes {spent:,.2f}; give at least that",
            "/budget",
        )
    steps.sort(reverse=True)
    taken = 0.0
    for gain, extra in _together(steps):
        spent += extra
        if spent > most:
            return (taken + gain) / 2 if taken else gain * ABOVE
        taken = gain
    return 0.0


def _steps(
    content: Mapping[str, Any], score: float, eligible: Sequence[str], baseline: str
) -> tuple[float, list[Step]]:
    """What a unit's cheapest action takes, and the steps up its hull that are worth something."""
    inputs = content["inputs"]
    known = [action for action in eligible if action == baseline or action in inputs["actions"]]
    places = sorted((weight(content, action, baseline), -worth(inputs, action, score)) for action in known)
    hull = [(places[0][0], -places[0][1])]
    for takes, negative in places:
        value = -negative
        if value <= hull[-1][1]:
            continue
        while len(hull) > 1 and _gain(hull[-1], (takes, value)) >= _gain(hull[-2], hull[-1]):
            hull.pop()
        hull.append((takes, value))
    return hull[0][0], [Step(_gain(one, other), other[0] - one[0]) for one, other in pairwise(hull)]


def _gain(one: tuple[float, float], other: tuple[float, float]) -> float:
    return (other[1] - one[1]) / (other[0] - one[0])


def _together(steps: Sequence[Step]) -> Iterable[Step]:
    """Steps of the same gain as one: a price can't tell them apart."""
    start = 0
    while start < len(steps):
        end = start
        while end < len(steps) and steps[end].gain == steps[start].gain:
            end += 1
        yield Step(steps[start].gain, sum(step.extra for step in steps[start:end]))
        start = end
