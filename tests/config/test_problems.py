"""Every code that Impact refuses with has a status and a title, and none is left over."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from impact.config.problems import PROBLEMS
from tests.trees import ROOT, sources

REFUSALS = {"Refusal", "Invalid"}


def test_every_code_has_a_problem_and_every_problem_a_code() -> None:
    used = {code: place for code, place in codes() if code}
    assert {code: place for code, place in used.items() if code not in PROBLEMS} == {}
    assert set(PROBLEMS) - set(used) == set()


def test_codes_that_are_no_constants_are_those_of_another_refusal() -> None:
    passed_on = [place for code, place in codes() if code is None]
    assert len(passed_on) == len([place for place in passed_on if place.endswith(".code")]), passed_on


def test_problems_are_errors_with_a_title() -> None:
    for code, (status, title) in PROBLEMS.items():
        assert code == code.lower() and " " not in code
        assert 400 <= status < 500 or status in (500, 503)
        assert title[0].isupper() and title[-1] != "."


def codes() -> Iterator[tuple[str | None, str]]:
    """Every code in the source with its place; None and what stands there, where it is no constant."""
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            place = f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', '')}"
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Missing":
                yield "not-found", place
            elif isinstance(node, ast.Call) and getattr(node.func, "id", "") in REFUSALS:
                first = node.args[0]
                constant = isinstance(first, ast.Constant) and isinstance(first.value, str)
                yield (str(first.value), place) if constant else (None, f"{place} {ast.unparse(first)}")  # type: ignore[attr-defined]
            elif isinstance(node, ast.ClassDef) and REFUSALS & {getattr(base, "id", "") for base in node.bases}:
                for inner in ast.walk(node):
                    if isinstance(inner, ast.Call) and getattr(inner.func, "attr", "") == "__init__":
                        yield (str(inner.args[0].value) if isinstance(inner.args[0], ast.Constant) else None), place
