"""Which parts of the rows a rule could treat differently."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest

from impact.agreements.plan import Plan, StopOrWait
from impact.analysis.parts import MOST_CUTS, Parts, parted
from tests.analysis.ground import WORTH, plan


def parts(scores: list[float | None], segment: str = "'all'", policy: str = "'none'", **changes: Any) -> Parts:
    """Rows with these scores, half of them with the bonus."""
    connection = duckdb.connect()
    connection.execute("CREATE TABLE seen (n INTEGER, score DOUBLE)")
    connection.executemany("INSERT INTO seen VALUES (?, ?)", list(enumerate(scores)))
    connection.execute(
        "CREATE TABLE measured AS SELECT CASE n % 2 WHEN 0 THEN 'none' ELSE 'bonus' END AS arm, '' AS stratum, "
        f"'1' AS phase, n * 1.0 AS value, 0.0 AS cost, score, {segment} AS \"segment where\", "
        f'{policy} AS "policy rule" FROM seen'
    )
    content: Plan = plan(value=[WORTH], segments=["where"], **changes)
    return parted(connection, content, "measured", ["policy rule"])


def test_few_scores_are_each_a_cut_and_every_row_lies_in_a_bin() -> None:
    found = parts([0.1, 0.1, 0.4, 0.4, 0.4, 0.4])
    assert found.cuts == [0.1, 0.4]
    assert {place: table.n for place, table in found.bins.items()} == {0: 2, 1: 4}
    assert found.bins[0].columns == ("value", "cost")


def test_many_scores_are_cut_at_quantiles_and_where_a_policy_begins() -> None:
    scores = [n / 1000 for n in range(1000)]
    found = parts([*scores], policy="CASE WHEN score >= 0.777 THEN 'bonus' ELSE 'none' END")
    assert 0.777 in found.cuts and found.cuts[0] == 0.0
    assert len(found.cuts) == MOST_CUTS + 1 and found.cuts == sorted(found.cuts)
    assert sum(table.n for table in found.bins.values()) == 1000
    assert max(table.n for table in found.bins.values()) <= 1000 / MOST_CUTS + 2


def test_the_planned_threshold_is_a_cut_between_scores() -> None:
    planned = StopOrWait(stop="none", wait="bonus", failures="m", now=40.0, window=10.0, loss=110.0)
    found = parts([0.1, 0.1, 0.4, 0.4], stop_or_wait=planned)
    assert found.cuts == pytest.approx([0.1, 0.3, 0.4])
    assert set(found.bins) == {0, 2}


def test_without_a_score_in_every_row_there_are_no_cuts() -> None:
    assert parts([0.1, None, 0.4, 0.4]).cuts == []
    assert parts([0.1, float("nan"), 0.4, 0.4]).bins == {}
    assert parts([0.2, 0.2]).cuts == []


def test_segments_of_one_or_of_very_many_values_are_left_out() -> None:
    assert parts([0.1, 0.4]).segments == {}
    assert parts([0.1] * 20, segment="n::VARCHAR").segments == {}
    found = parts([0.1] * 20, segment="CASE WHEN n < 8 THEN 'a' ELSE 'b' END").segments
    assert {value: table.n for value, table in found["where"].items()} == {"a": 8, "b": 12}
