"""Rules over score and features that say which actions a unit may get, and why not the others."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SCORE = "score"
COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.In: lambda left, right: left in right,
    ast.NotIn: lambda left, right: left not in right,
}
ORDERED = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)


class BadRule(ValueError):
    """A rule that can't be read, with what to write instead."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A condition such as ``score >= 0.1 and plan in ("basic", "plus")``.

    Attributes
    ----------
    text : str
        As declared: comparisons of ``score`` and feature names with numbers, texts, true and false, joined
        by and, or, not and brackets.
    names : frozenset of str
        What it speaks of.
    """

    text: str
    names: frozenset[str]
    tree: ast.expr

    def holds(self, values: Mapping[str, Any]) -> bool:
        """Whether the condition is true of these values; every name must have one."""
        return bool(_value(self.tree, values))


@dataclass(frozen=True, slots=True)
class Condition:
    """What must hold for some actions, and the reason code of those it refuses.

    ``actions`` empty means every action but the baseline.
    """

    rule: Rule
    reason: str
    actions: frozenset[str] = frozenset()


def parse_rule(text: str, features: Mapping[str, str]) -> Rule:
    """Read a rule.

    Parameters
    ----------
    text : str
    features : mapping of name to ``number``, ``text`` or ``boolean``
        What the model's snapshot holds.

    Raises
    ------
    BadRule
        It can't be read, speaks of an unknown feature, or compares what can't be compared.
    """
    kinds = {SCORE: "number", **features}
    names: set[str] = set()
    try:
        tree = ast.parse(text, mode="eval").body
        _expect(_check(tree, text, kinds, names), "boolean", text)
    except BadRule:
        raise
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise BadRule(f"rule {text!r} can't be read; write it like: score >= 0.1 and tenure < 24") from error
    return Rule(text, frozenset(names), tree)


def refusals(
    candidates: Sequence[str], baseline: str, conditions: Sequence[Condition], values: Mapping[str, Any]
) -> dict[str, str]:
    """Return the reason for each candidate action that a unit may not get.

    Parameters
    ----------
    candidates : sequence of str
        Actions in question.
    baseline : str
        The action that is always possible.
    conditions : sequence of Condition
    values : mapping
        ``score`` and the features; a missing one refuses the actions whose rule needs it.
    """
    refused: dict[str, str] = {}
    for condition in conditions:
        missing = sorted(name for name in condition.rule.names if values.get(name) is None)
        if not missing and condition.rule.holds(values):
            continue
        for action in candidates:
            if action != baseline and (not condition.actions or action in condition.actions):
                refused.setdefault(action, f"{missing[0]} missing" if missing else condition.reason)
    return refused


def _check(node: ast.expr, text: str, kinds: Mapping[str, str], names: set[str]) -> str:
    """Return the kind of an expression (number, text, boolean), or refuse it."""
    if isinstance(node, ast.BoolOp):
        for part in node.values:
            _expect(_check(part, text, kinds, names), "boolean", text)
        return "boolean"
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        _expect(_check(node.operand, text, kinds, names), "boolean", text)
        return "boolean"
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        _expect(_check(node.operand, text, kinds, names), "number", text)
        return "number"
    if isinstance(node, ast.Compare):
        return _check_comparison(node, text, kinds, names)
    if isinstance(node, ast.Name):
        if node.id in ("true", "false"):
            return "boolean"
        if node.id not in kinds:
            raise BadRule(f"rule {text!r} speaks of {node.id!r}; the model knows {', '.join(sorted(kinds))}")
        names.add(node.id)
        return kinds[node.id]
    if isinstance(node, ast.Constant) and isinstance(node.value, bool | int | float | str):
        return kind_of(node.value)
    raise BadRule(f"rule {text!r} holds {ast.unparse(node)!r}; it may compare score and features, and no more")


def _check_comparison(node: ast.Compare, text: str, kinds: Mapping[str, str], names: set[str]) -> str:
    left = _check(node.left, text, kinds, names)
    for sign, right_node in zip(node.ops, node.comparators, strict=True):
        if isinstance(sign, ast.In | ast.NotIn):
            if not isinstance(right_node, ast.Tuple | ast.List) or not right_node.elts:
                raise BadRule(f"rule {text!r}: after 'in' write a list like (1, 2, 3)")
            for element in right_node.elts:
                _expect(_check(element, text, kinds, names), left, text)
            continue
        if type(sign) not in COMPARE:
            raise BadRule(f"rule {text!r} compares by other than <, <=, >, >=, ==, !=, in, not in")
        right = _check(right_node, text, kinds, names)
        _expect(right, left, text)
        if isinstance(sign, ORDERED):
            _expect(left, "number", text)
        left = right
    return "boolean"


def _expect(kind: str, wanted: str, text: str) -> None:
    if kind != wanted:
        raise BadRule(f"rule {text!r} has a {kind} where a {wanted} belongs")


def kind_of(value: object) -> str:
    """Return what a value is: boolean, text or number."""
    return "boolean" if isinstance(value, bool) else "text" if isinstance(value, str) else "number"


def _value(node: ast.expr, values: Mapping[str, Any]) -> Any:
    match node:
        case ast.BoolOp(op=ast.And()):
            return all(_value(part, values) for part in node.values)
        case ast.BoolOp():
            return any(_value(part, values) for part in node.values)
        case ast.UnaryOp(op=ast.Not()):
            return not _value(node.operand, values)
        case ast.UnaryOp():
            return -_value(node.operand, values)
        case ast.Compare():
            left = _value(node.left, values)
            for sign, right_node in zip(node.ops, node.comparators, strict=True):
                right = _value(right_node, values)
                if not COMPARE[type(sign)](left, right):
                    return False
                left = right
            return True
        case ast.Name(id="true" | "false"):
            return node.id == "true"
        case ast.Name():
            return values[node.id]
        case ast.Tuple() | ast.List():
            return [_value(element, values) for element in node.elts]
        case ast.Constant():
            return node.value
    raise AssertionError(ast.dump(node))
