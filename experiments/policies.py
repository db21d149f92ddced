"""Policies: from a prediction and the eligible actions to a probability for each."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from experiments.eligibility import kind_of

# what a policy of each kind says
PARTS: dict[str, set[str]] = {
    "fixed": {"action"},
    "random": set(),
    "bands": {"bands"},
    "table": {"by", "table", "default"},
    "expected_value": {"inputs"},
    "budgeted": {"inputs", "budget"},
}
OF_BUDGETS = {"amount", "executions", "since", "until"}
SEGMENT = "segment"
# largest amount that double precision still holds to the hundredth
AMOUNT = 1e13
LARGEST = sys.float_info.max
NO_FEATURES: Mapping[str, Any] = MappingProxyType({})


class BadPolicy(ValueError):
    """A policy that couldn't decide, with what to write instead; ``pointer`` leads to the part to blame."""

    def __init__(self, detail: str, pointer: str = "") -> None:
        super().__init__(detail)
        self.pointer = pointer


def check_policy(kind: str, content: Mapping[str, Any], candidates: Sequence[str], baseline: str) -> None:
    """Refuse a policy that couldn't decide.

    Parameters
    ----------
    kind : str
        ``fixed``, ``random``, ``bands``, ``table``, ``expected_value`` or ``budgeted``.
    content : mapping
        fixed
            ``{"action": key}``
        random
            nothing
        bands
            ``{"bands": [{"from": score, "action": key}, ...]}``, ascending
        table
            ``{"by": "segment" or {"feature": name}, "table": [{"is": value, "action": key}, ...], "default": key}``
        expected_value
            ``{"inputs": {"at_stake": amount, "actions": {key: {"effect": share, "cost": amount}, ...}}}``
        budgeted
            inputs as above, and ``{"budget": {"amount": money or "executions": number, "since": time, "until": time}}``
    candidates : sequence of str
        Actions of the decision point.
    baseline : str
        The one among them that the others are compared with.

    Raises
    ------
    BadPolicy
    """
    if kind not in PARTS:
        raise BadPolicy(f"kind == {kind!r}, must be one of {', '.join(PARTS)}", "/kind")
    if set(content) != PARTS[kind]:
        raise BadPolicy(
            f"kind {kind} goes with {_listed(PARTS[kind])}, got {_listed(content)}; write those and no more"
        )
    if kind == "bands":
        _check_bands(content["bands"])
    elif kind == "table":
        _check_table(content["by"], content["table"])
    elif "inputs" in content:
        _check_inputs(content["inputs"], candidates, baseline)
    if kind == "budgeted":
        _check_budget(content["budget"])
    check_named(content, candidates)


def check_named(content: Mapping[str, Any], candidates: Sequence[str]) -> None:
    """Refuse a policy that names an action that is no candidate.

    Parameters
    ----------
    content, candidates
        As of ``check_policy``.

    Raises
    ------
    BadPolicy
    """
    for pointer, action in _named(content):
        if action not in candidates:
            raise BadPolicy(f"action {action!r} is no candidate; candidates are {', '.join(candidates)}", pointer)


def check_reads(kind: str, content: Mapping[str, Any], task: str, features: Mapping[str, str]) -> None:
    """Refuse a checked policy that needs what the model doesn't give.

    Parameters
    ----------
    kind, content
        Of the policy.
    task : str
        Of the model: ``probability`` or ``regression``.
    features : mapping of name to ``number``, ``text`` or ``boolean``
        What the model's snapshot holds.

    Raises
    ------
    BadPolicy
    """
    if "inputs" in content and task != "probability":
        raise BadPolicy(f"the model's task is {task}, an expected value needs a probability; use bands", "/kind")
    if kind != "table":
        return
    by = content["by"]
    name = SEGMENT if by == SEGMENT else by["feature"]
    known = "text" if by == SEGMENT else features.get(name)
    if known is None:
        raise BadPolicy(
            f"feature == {name!r}, the model knows {', '.join(sorted(features)) or 'none'}; name one of them",
            "/by/feature",
        )
    for place, row in enumerate(content["table"]):
        if kind_of(row["is"]) != known:
            raise BadPolicy(
                f"is == {row['is']!r}, a {kind_of(row['is'])}, but {name} is a {known}; write a {known}",
                f"/table/{place}/is",
            )


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
    rows = (row["action"] for row in content["table"] if _same(row["is"], value))
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
        As of ``check_policy``.
    """
    if kind == "random":
        return list(candidates)
    named = {action for _, action in _named(content)}
    if kind not in ("fixed", "table"):
        named.add(baseline)  # below every band, or where nothing is worth more
    return [key for key in candidates if key in named]


def weight(content: Mapping[str, Any], action: str, baseline: str) -> float:
    """Return what an action takes of a policy's budget: its cost, or one execution if it isn't the baseline."""
    if "executions" in content["budget"]:
        return float(action != baseline)
    return float(content["inputs"]["actions"].get(action, {"cost": 0.0})["cost"])


def worth(inputs: Mapping[str, Any], action: str, probability: float) -> float:
    """Return probability x value at stake x effect - cost; 0 for a baseline of which nothing is said."""
    said = inputs["actions"].get(action, {"effect": 0.0, "cost": 0.0})
    return float(probability * inputs["at_stake"] * said["effect"] - said["cost"])


def _same(one: Any, other: Any) -> bool:
    # to Python, true is 1
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


def _named(content: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The actions that a policy speaks of, each with its place."""
    for name in ("action", "default"):
        if name in content:
            yield f"/{name}", content[name]
    for name in ("bands", "table"):
        for place, row in enumerate(content.get(name, [])):
            yield f"/{name}/{place}/action", row["action"]
    for action in content.get("inputs", {"actions": {}})["actions"]:
        yield f"/inputs/actions/{action}", action


def _check_bands(bands: Sequence[Mapping[str, Any]]) -> None:
    for place, band in enumerate(bands):
        _expect_parts("a band", band, {"from", "action"}, f"/bands/{place}")
        _expect_number("from", band["from"], -LARGEST, LARGEST, f"/bands/{place}/from")
    starts = [band["from"] for band in bands]
    if not starts or starts != sorted(set(starts)):
        raise BadPolicy("bands must be a list with ascending 'from' scores", "/bands")


def _check_table(by: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    if by != SEGMENT and (not isinstance(by, Mapping) or set(by) != {"feature"}):
        raise BadPolicy(f"by == {by!r}, must be {SEGMENT} or {{feature: NAME}}", "/by")
    if not rows:
        raise BadPolicy("the table is empty; write rows like {is: VALUE, action: KEY}, or use kind fixed", "/table")
    for place, row in enumerate(rows):
        _expect_parts("a row of the table", row, {"is", "action"}, f"/table/{place}")
        if not isinstance(row["is"], bool | int | float | str):
            raise BadPolicy(f"is == {row['is']!r}, must be a text, a number, true or false", f"/table/{place}/is")
        if any(_same(row["is"], earlier["is"]) for earlier in rows[:place]):
            raise BadPolicy(f"is == {row['is']!r} stands twice; name it once", f"/table/{place}/is")


def _check_inputs(inputs: Any, candidates: Sequence[str], baseline: str) -> None:
    _expect_parts("inputs", inputs, {"at_stake", "actions"}, "/inputs")
    _expect_number("at_stake", inputs["at_stake"], 0, AMOUNT, "/inputs/at_stake")
    actions = inputs["actions"]
    if not isinstance(actions, Mapping):
        raise BadPolicy(f"actions == {actions!r}, must be like {{KEY: {{effect: 0.2, cost: 5}}}}", "/inputs/actions")
    for action, said in actions.items():
        pointer = f"/inputs/actions/{action}"
        _expect_parts(f"{action!r}", said, {"effect", "cost"}, pointer)
        _expect_number("effect", said["effect"], -1, 1, f"{pointer}/effect")
        _expect_number("cost", said["cost"], 0, AMOUNT, f"{pointer}/cost")
    for action in candidates:
        if action != baseline and action not in actions:
            raise BadPolicy(
                f"{action!r} has no inputs; give every candidate but the baseline an effect and a cost",
                "/inputs/actions",
            )


def _check_budget(budget: Any) -> None:
    if not isinstance(budget, Mapping) or not {"since", "until"} <= set(budget) <= OF_BUDGETS or len(budget) != 3:
        raise BadPolicy(
            f"budget == {budget!r}, must have since, until and one of amount (money) and executions (a number)",
            "/budget",
        )
    for name in ("amount", "executions"):
        if name in budget:
            _expect_number(name, budget[name], 0, AMOUNT, f"/budget/{name}")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "nothing"


def _expect_parts(what: str, said: Any, parts: set[str], pointer: str) -> None:
    if not isinstance(said, Mapping) or set(said) != parts:
        names = " and ".join(f"'{name}'" for name in sorted(parts))
        raise BadPolicy(f"{what} has {names}, got {dict(said) if isinstance(said, Mapping) else said!r}", pointer)


def _expect_number(name: str, value: Any, low: float, high: float, pointer: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        within = "" if high == LARGEST else f" from {low:,.0f} to {high:,.0f}"
        raise BadPolicy(f"{name} == {value!r}, must be a number{within}", pointer)
