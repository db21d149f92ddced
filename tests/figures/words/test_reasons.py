"""Every reason that the statistics give has its Japanese sentence."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from impact.figures.words.reasons import JA, reason
from impact.stats import adjustment, choice, effects, off_policy

ROOT = Path(__file__).resolve().parents[3]
NAMED = (effects.NO_VARIANCE, effects.TOO_FEW_ROWS, adjustment.TOO_FEW_ROWS)


def given() -> Iterator[str]:
    """The reasons as they stand in the code, with a number or a name where a value is put in."""
    for path in [*(ROOT / "impact/stats").glob("*.py"), *(ROOT / "impact/analysis").glob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "NotEstimable" and node.args:
                yield from texts(node.args[0])


def texts(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield "".join(part.value if isinstance(part, ast.Constant) else "7" for part in node.values)


def overlaps() -> list[str]:
    weights = [(30.0, 1.0, 1.0), (2.0, 0.01, 1.0), (2.0, 0.5, 2.0)]
    found = [off_policy.Overlap(share, share, largest, mean, 0.01).reason for largest, share, mean in weights]
    return [text for text in found if text]


def test_every_reason_is_translated() -> None:
    reasons = [*given(), *NAMED, *overlaps()]
    reasons += [choice.choose(choice.Facts("ratio", (1, 1), clustered=clustered)).reason for clustered in (False, True)]
    assert len(reasons) > 25
    assert [text for text in reasons if reason(text, "ja") == text] == []


@pytest.mark.parametrize("english", JA)
def test_english_stays_as_it_is(english: str) -> None:
    assert reason(english, "en") == english


def test_values_are_put_in() -> None:
    assert reason("3 clusters in an arm, fewer than 4", "ja") == "クラスターが3個しかない群があります（4個が必要です）"
