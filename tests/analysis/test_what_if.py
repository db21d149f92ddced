"""Story A's rows under every table of actions and every threshold: the figures of the reference, and edges."""

from __future__ import annotations

from typing import Any

import pytest

from impact.agreements.plan import StopOrWait
from impact.analysis.measure import Chosen
from impact.analysis.parts import Parts
from impact.analysis.what_if import what_if
from impact.stats.moments import Cell, MomentTable
from tests.analysis.test_value_statement import A, story, story_plan

BANDS = ["L", "M", "H"]
SCORES = [0.10, 0.20, 0.35]


def parted() -> Chosen:
    """The story with its bands as a segment, and as bins of the score."""
    chosen, table = story()
    of_band = {
        band: MomentTable(
            table.columns, table.origin, {cell: one for cell, one in table.cells.items() if cell.stratum == band}
        )
        for band in BANDS
    }
    bins = dict(enumerate(of_band.values()))
    return chosen._replace(parts=Parts({"band": of_band}, SCORES, bins))


def tried(**changes: Any) -> dict[str, Any]:
    plan = story_plan(segments=["band"], agreed_segments=["band"], bands=BANDS, **changes)
    found = what_if(plan, parted())
    assert found is not None
    return found


def rule(*choices: str) -> dict[str, Any]:
    [found] = [one["against"] for one in tried()["tables"][0]["rules"] if one["choices"] == list(choices)]
    return dict(found)


def agrees(value: dict[str, Any], wanted: dict[str, Any]) -> None:
    assert value["effect"] == pytest.approx(wanted["effect"], rel=1e-9)
    assert value["se"] == pytest.approx(wanted["se"], rel=1e-9)
    assert value["ci"] == pytest.approx(wanted["ci"], rel=1e-7)


def test_the_challenger_is_one_of_the_tables() -> None:
    found, wanted = rule("bonus", "credit", "none"), A["policy"]
    agrees(found["nobody"], wanted["challenger vs nobody"])
    agrees(found["todays_rule"], wanted["challenger vs champion"])
    agrees(found["best_single"], wanted["challenger vs bonus for all (best score-free action)"])
    booked = found["nobody"]["booked"]
    assert booked["shrinkage"] == pytest.approx(A["shrinkage"]["lambda"], rel=1e-9)
    assert booked["effect"] == pytest.approx(A["shrinkage"]["booked"], rel=1e-9)
    assert booked["ci"] == pytest.approx(A["shrinkage"]["booked_ci"], rel=1e-9)


def test_one_action_for_everybody_is_one_of_them_too() -> None:
    agrees(rule("bonus", "bonus", "bonus")["nobody"], A["policy"]["bonus for all vs nobody"])
    assert rule("none", "none", "none")["nobody"] == {
        "effect": 0.0, "se": 0.0, "ci": [0.0, 0.0], "booked": {"shrinkage": 1.0, "effect": 0.0, "ci": [0.0, 0.0]},
    }  # fmt: skip


def test_every_part_says_what_each_arm_earned_there() -> None:
    [table] = tried()["tables"]
    assert [(one["value"], round(one["share"], 9)) for one in table["values"]] == [("L", 0.5), ("M", 0.3), ("H", 0.2)]
    assert len(table["rules"]) == 27 and not table["exploratory"]
    for value in table["values"]:
        for arm in value["arms"][1:]:
            wanted = A["net_by_band"][f"{value['value']} {arm['arm']}"]
            assert arm["effect"] == pytest.approx(wanted["effect"], rel=1e-9)
            assert arm["se"] == pytest.approx(wanted["se"], rel=1e-9)
    assert value["arms"][0]["effect"] is None and value["arms"][0]["n"] == 3000
    assert table["policies"]["challenger"] == {"L": "bonus", "M": "credit", "H": "none"}


def test_thresholds_are_tables_of_two_parts() -> None:
    curves = {(one["arm"], one["side"]): one["points"] for one in tried()["thresholds"]}
    assert len(curves) == 4
    credit = curves["credit", "from"]
    assert [(one["at"], round(one["share"], 9)) for one in credit] == [
        (0.10, 1.0), (0.20, 0.5), (0.35, 0.2), (pytest.approx(0.3625), 0.0),
    ]  # fmt: skip
    # today's rule gives the credit from 0.35 on
    agrees(credit[2]["against"]["nobody"], A["policy"]["champion vs nobody"])
    assert credit[2]["against"]["todays_rule"]["se"] == 0.0
    agrees(curves["bonus", "from"][0]["against"]["nobody"], A["policy"]["bonus for all vs nobody"])
    below = curves["bonus", "below"][1]["against"]["nobody"]
    assert below["effect"] == pytest.approx(0.5 * A["net_by_band"]["L bonus"]["effect"], rel=1e-9)


def test_thresholds_that_were_there_before_are_marked() -> None:
    assert tried()["marks"] == [{"at": 0.35, "policy": "champion", "low": "none", "high": "credit"}]
    planned = StopOrWait(stop="credit", wait="none", failures="m", now=40.0, window=10.0, loss=110.0)
    assert tried(stop_or_wait=planned)["marks"][0] == {"at": 0.3, "policy": None, "low": "none", "high": "credit"}


def test_an_arm_that_a_part_lacks_leaves_its_rules_unknown() -> None:
    chosen = parted()
    tables = dict(chosen.parts.segments["band"])
    high = tables["H"]
    tables["H"] = MomentTable(
        high.columns, high.origin, {cell: one for cell, one in high.cells.items() if cell != Cell("credit", "H")}
    )
    plan = story_plan(segments=["band"], agreed_segments=["band"], bands=BANDS)
    found = what_if(plan, chosen._replace(parts=Parts({"band": tables}, [], {})))
    assert found is not None
    known = {tuple(one["choices"]): one["against"]["nobody"] is not None for one in found["tables"][0]["rules"]}
    assert known["bonus", "credit", "none"] and not known["bonus", "none", "credit"]
    assert found["thresholds"] == [] and found["marks"] == []


def test_exploratory_segments_come_last_and_too_many_tables_not_at_all() -> None:
    chosen, bands = parted(), parted().parts.segments["band"]
    many = {f"{band}{place}": bands[band] for band in BANDS for place in range(2)}
    plan = story_plan(segments=["a", "band", "z"], agreed_segments=["band"], bands=BANDS)
    found = what_if(plan, chosen._replace(parts=Parts({"a": bands, "band": bands, "z": many}, [], {})))
    assert found is not None
    assert [(one["by"], one["exploratory"]) for one in found["tables"]] == [("band", False), ("a", True)]


def test_nothing_can_be_tried_without_parts_or_rows() -> None:
    assert what_if(story_plan(), story()[0]) is None
    assert what_if(story_plan(), None) is None
