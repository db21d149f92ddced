"""Rules over score and features that say which actions a unit may get, and why not the others."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

Value = Callable[[Mapping[str, Any]], Any]
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
    names : tuple of str
        What it speaks of, sorted.
    holds : callable
        Whether it is true of given values; every name must have one.
    """

    text: str
    names: tuple[str, ...]
    holds: Callable[[Mapping[str, Any]], bool]


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
    return Rule(text, tuple(sorted(names)), _compiled(tree))


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
        missing = [name for name in condition.rule.names if values.get(name) is None]
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


def _compiled(node: ast.expr) -> Value:
    """Turn a checked expression into a function of the values."""
    match node:
        case ast.BoolOp(op=ast.And()):
            parts = [_compiled(part) for part in node.values]
            return lambda values: all(part(values) for part in parts)
        case ast.BoolOp():
            parts = [_compiled(part) for part in node.values]
            return lambda values: any(part(values) for part in parts)
        case ast.UnaryOp(op=ast.Not()):
            inner = _compiled(node.operand)
            return lambda values: not inner(values)
        case ast.UnaryOp():
            inner = _compiled(node.operand)
            return lambda values: -inner(values)
        case ast.Compare():
            sides = [_compiled(side) for side in (node.left, *node.comparators)]
            pairs = [
                _compared(COMPARE[type(sign)], *both) for sign, both in zip(node.ops, pairwise(sides), strict=True)
            ]
            return pairs[0] if len(pairs) == 1 else lambda values: all(pair(values) for pair in pairs)
        case ast.Name(id="true" | "false"):
            truth = node.id == "true"
            return lambda values: truth
        case ast.Name():
            return operator.itemgetter(node.id)
        case ast.Tuple() | ast.List():
            elements = [_compiled(element) for element in node.elts]
            return lambda values: [element(values) for element in elements]
        case ast.Constant():
            constant = node.value
            return lambda values: constant
    raise AssertionError(ast.dump(node))


def _compared(compare: Callable[[Any, Any], bool], left: Value, right: Value) -> Value:
    return lambda values: compare(left(values), right(values))
