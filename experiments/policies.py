"""Policies: from a prediction and the eligible actions to a probability for each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

SEGMENT = "segment"
# largest amount that double precision still holds to the hundredth
AMOUNT = 1e13
NO_FEATURES: Mapping[str, Any] = MappingProxyType({})


class BadPolicy(ValueError):
    """A policy that couldn't decide, with what to write instead; ``pointer`` leads to the part to blame."""

    def __init__(self, detail: str, pointer: str = "") -> None:
        super().__init__(detail)
        self.pointer = pointer


def probabilities(
    kind: str,
    content: Mapping[str, Any],
    score: float,
    eligible: Sequence[str],
    baseline: str,
    features: Mapping[str, Any] = NO_FEATURES,
    segment: str | None = None,
) -> dict[str, float]:
    """Return the probability of each eligible action; they sum to 1.

    Parameters
    ----------
    kind, content
        Of the policy version.
    score : float
    eligible : sequence of str
        Actions that the unit may get, the baseline among them.
    baseline : str
        What is done where the policy's own choice isn't eligible, no band is reached, or nothing is worth more
        (than its price, if the policy has a budget).
    features : mapping, optional
        The unit's features.
    segment : str, optional
        The segment that was sent with the unit.
    """
    if kind == "random":
        return dict.fromkeys(eligible, 1 / len(eligible))
    if kind == "fixed":
        action = content["action"]
    elif kind == "bands":
        action = _by_band(content["bands"], score, baseline)
    elif kind == "table":
        by = content["by"]
        action = _by_table(content, segment if by == SEGMENT else features.get(by["feature"]))
    else:
        action = _worth_most(content, score, eligible, baseline)
    chosen = action if action in eligible else baseline
    return {candidate: float(candidate == chosen) for candidate in eligible}


def _by_band(bands: Sequence[Mapping[str, Any]], score: float, baseline: str) -> str:
    reached = [str(band["action"]) for band in bands if score >= band["from"]]
    return reached[-1] if reached else baseline


def _by_table(content: Mapping[str, Any], value: Any) -> str:
    rows = (row["action"] for row in content["table"] if same(row["is"], value))
    return str(next(rows, content["default"]))


def _worth_most(content: Mapping[str, Any], probability: float, eligible: Sequence[str], baseline: str) -> str:
    """Return the action worth most after the price of what it takes of a budget; of several the baseline, or first."""
    inputs, price = content["inputs"], content.get("price", 0.0)

    def net(action: str) -> float:
        return worth(inputs, action, probability) - (price * weight(content, action, baseline) if price else 0.0)

    best, most = baseline, net(baseline)
    for action in eligible:
        if action in inputs["actions"] and (value := net(action)) > most:
            best, most = action, value
    return best


def reach(kind: str, content: Mapping[str, Any], candidates: Sequence[str], baseline: str) -> list[str]:
    """Return every action that a policy gives to some unit that may have them all, in the order of the candidates.

    Parameters
    ----------
    kind, content, candidates, baseline
        As of ``policy_checks.check_policy``.
    """
    if kind == "random":
        return list(candidates)
    given = {action for _, action in named(content)}
    if kind not in ("fixed", "table"):
        given.add(baseline)  # below every band, or where nothing is worth more
    return [key for key in candidates if key in given]


def weight(content: Mapping[str, Any], action: str, baseline: str) -> float:
    """Return what an action takes of a policy's budget: its cost, or one execution if it isn't the baseline."""
    if "executions" in content["budget"]:
        return float(action != baseline)
    return float(content["inputs"]["actions"].get(action, {"cost": 0.0})["cost"])


def worth(inputs: Mapping[str, Any], action: str, probability: float) -> float:
    """Return probability x value at stake x effect - cost; 0 for a baseline of which nothing is said."""
    said = inputs["actions"].get(action, {"effect": 0.0, "cost": 0.0})
    return float(probability * inputs["at_stake"] * said["effect"] - said["cost"])


def same(one: Any, other: Any) -> bool:
    """Whether two values are alike; to Python, true is 1."""
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


def named(content: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The actions that a policy speaks of, each with its place."""
    for name in ("action", "default"):
        if name in content:
            yield f"/{name}", content[name]
    for name in ("bands", "table"):
        for place, row in enumerate(content.get(name, [])):
            yield f"/{name}/{place}/action", row["action"]
    for action in content.get("inputs", {"actions": {}})["actions"]:
        yield f"/inputs/actions/{action}", action
