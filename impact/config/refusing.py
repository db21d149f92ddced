"""Every refusal that the code can say, found in its source: what pages in other languages must have words for."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from impact.config.environment import ROOT

FOLDERS = ("workspaces", "predictions", "experiments", "impact")
# who meets these calls the API or types at a terminal, in English
ENGLISH = (
    "impact/stats", "impact/figures", "impact/demo", "impact/config", "impact/analysis/moments.py",
    "workspaces/rest.py", "workspaces/paging.py", "experiments/randomization.py", "impact/agreements/cashflow.py",
    "impact/agreements/periods.py",
)  # fmt: skip
# what refuses -> which of its arguments is said
SAYING = {
    "Refusal": 1, "Invalid": 1, "Missing": 0, "BadPolicy": 0, "BadRule": 0, "ValueError": 0, "invalid": 0, "refuse": -1,
    "_refusal": 0, "label": -1, "text": -1, "_expect_parts": 0,
}  # fmt: skip
# functions and tables that give a refusal a part of its sentence
PARTS = {"unstorable", "_too_long", "_out_of_calendar", "_plainly", "READERS", "SIGNS", "OF_OVERRIDES"}
# what msgspec says of a document of another shape, what stands for every missing thing, and words that are filled in
OTHERS = (
    "There is no {what} {key!r} in this workspace.",
    "Expected `{wanted}`, got `{found}`",
    "Expected `{wanted}`",
    "Object missing required field `{field}`",
    "Object contains unknown field `{field}`",
    "Invalid enum value {value!r}",
    "Expected `{kind}` >= {least}",
    "Expected `{kind}` > {least}",
    "Expected `{kind}` <= {most}",
    "Expected `{kind}` < {most}",
    "Expected `{kind}` of length >= {least}",
    "Expected `{kind}` of length <= {most}",
    "{name} {detail}.",
    "The file", "The specification", "row", "line", "text", "number", "boolean", "business", "finance", "data science",
    "draft", "agreed", "running", "paused", "closed", "decided", "aborted", "archived",
    "agree", "start", "pause", "resume", "close", "conclude", "abort", "archive",
)  # fmt: skip
LETTER = re.compile(r"[A-Za-z]")
Assigned = dict[str, list[ast.expr]]


def refusals() -> Iterator[tuple[str, str]]:
    """(file, text) of every refusal; what is filled in stands in braces, ``{capacity}``, quoted ``{key!r}``."""
    yield from (("msgspec", text) for text in OTHERS)
    for path in _sources():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        assigned = _assigned(tree)
        for said in _said(tree):
            yield from ((str(path.relative_to(ROOT)), text) for text in _texts(said, assigned) if LETTER.search(text))


def _sources() -> Iterator[Path]:
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if not str(path.relative_to(ROOT)).startswith(ENGLISH) and path.name != "api.py":
                yield path


def _said(tree: ast.Module) -> Iterator[ast.expr]:
    """What refusing calls and the parts of refusals say."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            place = SAYING.get(ast.unparse(node.func).rpartition(".")[2])
            if place is not None and len(node.args) > place:
                yield node.args[place]
        elif isinstance(node, ast.FunctionDef) and node.name in PARTS:
            yield from (one.value for one in ast.walk(node) if isinstance(one, ast.Return) and one.value)
        elif isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Dict):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            if ast.unparse(target) in PARTS:
                yield from (one.elts[-1] if isinstance(one, ast.Tuple) else one for one in node.value.values)


def _assigned(tree: ast.Module) -> Assigned:
    """What each name of a file is given."""
    found: Assigned = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found.setdefault(node.targets[0].id, []).append(node.value)
        elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            found.setdefault(node.target.id, []).append(node.value)
    return found


def _texts(node: ast.expr, assigned: Assigned) -> Iterator[str]:
    """The texts that an expression may say: one, or one of each branch, and those that are filled in."""
    if isinstance(node, ast.IfExp):
        yield from (*_texts(node.body, assigned), *_texts(node.orelse, assigned))
    elif isinstance(node, ast.Name):
        for value in assigned.get(node.id, ()):
            yield from _texts(value, {})
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield _shape(node)
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                yield from _texts(part.value, assigned)


def _shape(text: ast.JoinedStr) -> str:
    """The text with a name in braces for each value: the last word of its expression, numbered when it comes again."""
    said, names = "", []
    for part in text.values:
        if isinstance(part, ast.FormattedValue):
            words = re.findall(r"[A-Za-z_]+", re.sub(r"'[^']*'", "", ast.unparse(part.value)))
            names.append(next(word.lower() for word in reversed(words) if word not in ("or", "if", "else", "items")))
            number = names.count(names[-1])
            said += f"{{{names[-1]}{number if number > 1 else ''}{'!r' if part.conversion == ord('r') else ''}}}"
        elif isinstance(part, ast.Constant):
            said += str(part.value)
    return said if LETTER.search(re.sub(r"\{\w+(!r)?\}", "", said)) or ": " in said else ""
