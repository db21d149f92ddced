"""Actions that are drawn: by a policy that mixes, and what each action's probability was before an arm was drawn."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from experiments import randomization
from experiments.randomization import MILLION


def as_drawn(probabilities: Mapping[str, float]) -> dict[str, float]:
    """Return a policy's probabilities as they are drawn with: whole parts per million, sum 1, in the same order.

    Parameters
    ----------
    probabilities : mapping of action to probability
        Of every eligible action, in the order of the candidates.
    """
    if 1.0 in probabilities.values():
        return dict(probabilities)
    shares = randomization.parts_per_million([round(one * MILLION) for one in probabilities.values()])
    return dict(zip(probabilities, (share / MILLION for share in shares), strict=True))


def draw_action(salt: str, source: str, event_id: str, probabilities: Mapping[str, float]) -> tuple[str, int | None]:
    """Return the action that a policy gives, and the point of its draw; none where it was sure.

    Parameters
    ----------
    salt : str
        Of the policy version.
    source, event_id : str
        Of the decision: every decision is drawn anew.
    probabilities : mapping of action to probability
        As they are drawn with.
    """
    if 1.0 in probabilities.values():
        return next(key for key, one in probabilities.items() if one == 1), None
    shares = [round(one * MILLION) for one in probabilities.values()]
    place, point = randomization.draw(salt, f"{source}\x1f{event_id}", shares)
    return list(probabilities)[place], point


def before_the_draw(eligible: Sequence[str], arms: Iterable[tuple[float, Mapping[str, float]]]) -> dict[str, float]:
    """Return what probability each eligible action had before the arm was drawn; they sum to 1.

    Parameters
    ----------
    eligible : sequence of str
    arms : iterable of (propensity, action -> probability)
        Every arm: the probability of drawing it, and what it does then.
    """
    known = list(arms)
    # the sum of rounded numbers may miss 1 by a rounding
    return {key: min(1.0, math.fsum(chance * does.get(key, 0.0) for chance, does in known)) for key in eligible}
