"""What randomizing gave away, by hand on three arms."""

from __future__ import annotations

from typing import Any

import pytest

from impact.analysis.knowing import exploration


def arms(**rows: int) -> list[dict[str, Any]]:
    return [{"arm": arm, "n": n} for arm, n in rows.items()]


def nets(**effects: float | None) -> list[dict[str, Any]]:
    return [{"arm": arm, "baseline": "none", "net": {"effect": net}} for arm, net in effects.items()]


def test_the_best_arm_for_all_less_what_each_earned() -> None:
    # story A: 15,000 rows an arm, bonus +1.90, credit -8.50
    found = exploration(arms(none=15_000, bonus=15_000, credit=15_000), nets(bonus=1.9, credit=-8.5), "none")
    assert found == {"arm": "bonus", "rows": 45_000, "given_away": pytest.approx(45_000 * 1.9 - 28_500 + 127_500)}


def test_where_the_baseline_is_best_its_rows_gave_nothing_away() -> None:
    found = exploration(arms(none=10, bonus=30), nets(bonus=-2.0), "none")
    assert found == {"arm": "none", "rows": 40, "given_away": 60.0}


def test_without_every_estimate_nobody_knows() -> None:
    assert exploration(arms(none=10, bonus=1), nets(bonus=None), "none") is None
    assert exploration(arms(none=10, bonus=10, credit=0), nets(bonus=1.0), "none") is None
