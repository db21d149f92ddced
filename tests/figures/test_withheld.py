"""A withheld document has its shape, counts and checks, and no figure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from impact.figures.withheld import TELLING, without_figures
from tests.figures.documents import judged, stored


def leaves(value: Any) -> Iterator[float]:
    """Every number somewhere in a document."""
    if isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from leaves(one)
    elif isinstance(value, float):
        yield value


@pytest.mark.parametrize("name", ["churn", "maintenance", "six_arms"])
def test_no_figure_is_left(name: str) -> None:
    document = judged(name, "withheld", None)
    kept = without_figures(document)
    assert set(kept) == set(document)
    told = {part: value for part, value in kept.items() if part not in ("checks", "plan")}
    assert list(leaves(told)) == []
    assert any(leaves(document["metrics"] or document["money"]))
    assert not {check["id"] for check in kept["checks"]} & set(TELLING)
    for before, after in zip(document["metrics"], kept["metrics"], strict=True):
        assert [(arm["arm"], arm["n"]) for arm in after["arms"]] == [(arm["arm"], arm["n"]) for arm in before["arms"]]


def test_what_may_be_shown_stays_whole() -> None:
    document = stored("churn")
    assert without_figures(document) == document
