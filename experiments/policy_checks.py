"""Policies that couldn't decide are refused, each at the place to blame."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from experiments.eligibility import kind_of
from experiments.policies import AMOUNT, SEGMENT, BadPolicy, named, same

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
LARGEST = sys.float_info.max


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
    for pointer, action in named(content):
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
        if any(same(row["is"], earlier["is"]) for earlier in rows[:place]):
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
