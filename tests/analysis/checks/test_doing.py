"""Doing: each check passes on one small example and fails on another."""

from __future__ import annotations

from typing import Any

import pytest

from impact.analysis import checks
from impact.analysis.looked import Looked, Reported, Scored
from tests.analysis.checks.ground import finding, seen


def reported(*arms: tuple[int, int, int]) -> dict[str, Any]:
    """Rows, done otherwise, overridden of the arms a, b ..."""
    return {"looked": Looked(reported=[Reported("ab"[place], *one) for place, one in enumerate(arms)])}


@pytest.mark.parametrize(
    ("arms", "share", "passed", "named"),
    [
        (((100, 5, 0), (100, 5, 0)), 0.05, True, ["a"]),
        (((100, 6, 0), (100, 6, 0)), 0.06, False, ["a", "b"]),
        (((1000, 0, 0), (1000, 50, 0)), 0.025, False, ["b"]),
        (((1000, 20, 0), (1000, 30, 0)), 0.025, True, ["b"]),
        (((100, 5, 0),), 0.05, True, ["a"]),
        (((100, 0, 0), (50, 0, 0)), 0.0, True, ["a"]),
    ],
)
def test_what_is_done_must_be_what_was_drawn(arms: Any, share: float, passed: bool, named: list[str]) -> None:
    found = finding(checks.executed_as_drawn, seen(**reported(*arms)))
    assert (found.severity, found.passed, found.statistic) == ("warn", passed, pytest.approx(share))
    assert found.numbers == {"arms": named}
    assert checks.executed_as_drawn(seen()) is None


@pytest.mark.parametrize(
    ("arms", "hangs_on"), [(((500, 0, 20), (500, 0, 25)), []), (((500, 0, 5), (500, 0, 40)), ["arm"])]
)
def test_overrides_must_not_hang_on_the_arm(arms: Any, hangs_on: list[str]) -> None:
    found = finding(checks.overrides_at_random, seen(**reported(*arms)))
    assert (found.severity, found.passed, found.numbers["hangs_on"]) == ("warn", not hangs_on, hangs_on)
    assert checks.overrides_at_random(seen(**reported((500, 0, 4)))) is None


@pytest.mark.parametrize(("mean", "hangs_on"), [(0.31, []), (0.50, ["score"])])
def test_overrides_must_not_hang_on_the_score(mean: float, hangs_on: list[str]) -> None:
    looked = Looked(
        reported=[Reported("a", 500, 0, 20)],
        scored=[Scored("a", True, 20, mean, 0.01), Scored("a", False, 480, 0.3, 0.01)],
    )
    found = finding(checks.overrides_at_random, seen(looked=looked))
    assert found.numbers == {"overridden": 20, "hangs_on": hangs_on}
    assert found.passed == (not hangs_on)
