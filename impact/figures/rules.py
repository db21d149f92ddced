"""Eligibility rules in words: what must hold, as a reader would say it."""

from __future__ import annotations

import ast

LANGUAGES = ("en", "ja")
WORDS: dict[type[ast.AST], tuple[str, str]] = {
    ast.GtE: ("{} is at least {}", "{}が{}以上"),
    ast.Gt: ("{} is above {}", "{}が{}より大きい"),
    ast.LtE: ("{} is at most {}", "{}が{}以下"),
    ast.Lt: ("{} is below {}", "{}が{}より小さい"),
    ast.Eq: ("{} is {}", "{}が{}"),
    ast.NotEq: ("{} is not {}", "{}が{}以外"),
    ast.In: ("{} is one of {}", "{}が{}のいずれか"),
    ast.NotIn: ("{} is none of {}", "{}が{}のいずれでもない"),
    ast.And: (" and ", "、かつ"),
    ast.Or: (" or ", "、または"),
    ast.Not: ("not ({})", "（{}）ではない"),
}
SCORE = ("the score", "スコア")
HOLDS = ("{} holds", "{}が成り立つ")


def rule_in_words(text: str, language: str) -> str:
    """Return a rule that was declared, in words.

    Parameters
    ----------
    text : str
        Such as ``score >= 0.1 and plan != "gone"``; it was read before, so it can be read.
    language : str
        ``en`` or ``ja``.
    """
    return _said(ast.parse(text, mode="eval").body, text, LANGUAGES.index(language))


def _said(node: ast.expr, text: str, place: int) -> str:
    match node:
        case ast.BoolOp(op=op, values=values):
            return WORDS[type(op)][place].join(_part(value, text, place) for value in values)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return WORDS[ast.Not][place].format(_said(operand, text, place))
        case ast.Compare(left=left, ops=ops, comparators=comparators):
            sides = [_value(side, text, place) for side in (left, *comparators)]
            said = [WORDS[type(op)][place].format(*pair) for op, *pair in zip(ops, sides, sides[1:], strict=False)]
            return WORDS[ast.And][place].join(said)
    return HOLDS[place].format(_value(node, text, place))


def _part(node: ast.expr, text: str, place: int) -> str:
    said = _said(node, text, place)
    return f"({said})" if isinstance(node, ast.BoolOp) else said


def _value(node: ast.expr, text: str, place: int) -> str:
    """A name or a number as it was written: 0.10 stays 0.10."""
    match node:
        case ast.Name(id="score"):
            return SCORE[place]
        case ast.Constant(value=str(value)):
            return value
        case ast.Tuple(elts=elements) | ast.List(elts=elements):
            return ", ".join(_value(element, text, place) for element in elements)
    return ast.get_source_segment(text, node) or ast.unparse(node)
