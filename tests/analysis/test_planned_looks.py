"""Planned looks: each judges the rows of its own moment by its own bound, whenever the analysis is made."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import yaml
from msgspec import convert

from impact.agreements.foreseeing import looks_at
from impact.agreements.plan import from_content
from impact.agreements.shapes import AgreementDeclared
from impact.analysis.services import analyze
from impact.analysis.verdict import verdicts
from impact.figures.experiment import experiment_page
from impact.figures.looks import planned_looks
from impact.figures.sentences import completed, shown_range
from impact.reports.comparing import compared
from impact.stats.boundaries import bounds
from impact.stats.effects import TEffect, difference
from impact.stats.moments import MomentTable
from tests.analysis.ground import Ground, on
from tests.conftest import DECLARED as FILES
from workspaces.canonical import digest
from workspaces.errors import Refusal

EACH = 40
DECLARED = yaml.safe_load((FILES / "churn.yaml").read_text())["agreements"][0]


def looked_at(ground: Ground, at: list[float], rows: int = EACH, **changes: Any) -> None:
    """A running experiment whose agreement plans these looks."""
    looks = {"looks": "group_sequential", "looks_at": at} | changes
    plan = ground.experiment.plan
    plan |= looks | {"case": plan["case"] | {"rows_per_arm": rows}, "smallest_effect": 0.0}
    ground.experiment.plan, ground.experiment.plan_sha256 = plan, digest(plan)
    ground.experiment.save()


def grow(ground: Ground, leaving: dict[str, Any], rows: int = EACH) -> dict[str, list[tuple[float, float]]]:
    """A row an arm a day; net value of each with the day it matures on, by hand."""
    nets: dict[str, list[tuple[float, float]]] = {}
    for day in range(rows):
        for arm in ("none", "bonus"):
            ground.row(f"{arm}{day}", arm, day)
            if left := leaving[arm](day):
                ground.outcome(f"{arm}{day}", day + 5)
            nets.setdefault(arm, []).append((day + 90, -300.0 * left - (1.7 if arm == "bonus" else 0.0)))
    ground.feed(800)
    return nets


def by_hand(nets: dict[str, list[tuple[float, float]]], rows: int) -> TEffect:
    values = {arm: [net for _, net in found[:rows]] for arm, found in nets.items()}
    arms = np.repeat(list(values), rows)
    table = MomentTable.from_arrays({"net": np.concatenate(list(values.values()))}, arms)
    effect = difference(table, {"net": 1.0}, "bonus", "none")
    assert isinstance(effect, TEffect)
    return effect


def net_of(ground: Ground, day: float) -> Any:
    [block] = analyze(experiment=ground.experiment, as_of=on(day)).document["money"]["comparisons"]
    return block["net"]


def level(ground: Ground, document: Any) -> str:
    """The word with every check passed: rows put by hand were drawn by nobody."""
    blocks = [block["net"] for block in document["money"]["comparisons"]]
    return str(verdicts(from_content(ground.experiment.plan), blocks, [], document["maturity"]["final"])[1]["level"])


ALIKE = {"none": lambda day: day % 4 == 0, "bonus": lambda day: day % 5 == 1}
APART = {"none": lambda day: day % 10 != 0, "bonus": lambda day: day % 10 == 0}


def test_a_look_is_of_the_rows_that_had_matured_then(ground: Ground) -> None:
    looked_at(ground, [0.5, 1.0])
    nets = grow(ground, ALIKE)
    assert net_of(ground, 100)["looks"] == []
    [then] = net_of(ground, 109)["looks"]
    # ten days and their rows later nothing about it has changed
    assert net_of(ground, 119)["looks"] == [then]
    effect = by_hand(nets, 20)
    assert (then["n"], then["share"], then["at"]) == (20, 0.5, int(on(109).timestamp() * 1e6))
    assert (then["effect"], then["se"]) == (pytest.approx(effect.estimate), pytest.approx(effect.se))
    # gsDesign: sfLDOF, two looks
    assert then["bound"] == pytest.approx(2.9626, abs=1e-4)
    assert not then["crossed"]


def test_the_last_look_has_what_is_left(ground: Ground) -> None:
    looked_at(ground, [0.5, 1.0])
    nets = grow(ground, ALIKE)
    ground.experiment.status = "closed"
    ground.experiment.save()
    document = analyze(experiment=ground.experiment, as_of=on(400)).document
    first, last = document["money"]["comparisons"][0]["net"]["looks"]
    assert (first["n"], last["n"], last["at"]) == (20, 40, None)
    assert last["bound"] == pytest.approx(1.9686, abs=1e-4)
    effect = by_hand(nets, 40)
    half = last["bound"] * effect.se
    # normal quantiles become those of t
    assert last["ci"][1] - last["ci"][0] == pytest.approx(2 * half, rel=0.05)
    assert shown_range(completed(document), document["money"]["comparisons"][0]["net"]) == tuple(last["ci"])
    assert document["maturity"]["final"] and level(ground, document) in ("likely", "unclear")


def test_what_crosses_early_is_proven_before_the_end(ground: Ground) -> None:
    looked_at(ground, [0.5, 0.75, 1.0])
    nets = grow(ground, APART)
    document = analyze(experiment=ground.experiment, as_of=on(112)).document
    net = document["money"]["comparisons"][0]["net"]
    assert [look["crossed"] for look in net["looks"]] == [True]
    assert not document["maturity"]["final"] and level(ground, document) == "proven"
    # the plain estimate is too large where a look ended it
    assert 0 < net["stopped"]["effect"] <= net["looks"][0]["effect"]
    proven = {"arm": "bonus", "level": "proven"}
    shown = document | {"verdict": proven | {"because": []}, "verdicts": [proven]}
    assert f"{by_hand(nets, 20).estimate:.0f}" in completed(shown)["verdict"]["sentence"]
    table: Any = planned_looks(completed(shown), "UTC", "en")
    assert [row[-1][1] for row in table["rows"]] == ["crossed its bound", "decided before", "decided before"]
    assert len(table["stops"]) == 1
    # the picture is of the look, the table of all rows that count now
    page: Any = experiment_page(completed(shown), "en")
    assert "valid on any day" not in page["forest"]["axis"]
    low, high = net["always_valid"]["ci"]
    assert page["money"][0]["range"] == f"{low:.2f} to {high:.2f}".replace("-", "\u2212")


def test_between_looks_nothing_is_proven_however_clear(ground: Ground) -> None:
    looked_at(ground, [0.9, 1.0])
    grow(ground, APART)
    document = analyze(experiment=ground.experiment, as_of=on(120)).document
    assert document["money"]["comparisons"][0]["net"]["always_valid"]["p_value"] < 0.01
    assert level(ground, document) == "too_early"
    looked_at(ground, [], looks="always_valid")
    assert level(ground, analyze(experiment=ground.experiment, as_of=on(120)).document) == "proven"


def test_any_day_stays_the_reading_at_the_end_where_it_was_agreed(ground: Ground) -> None:
    looked_at(ground, [], looks="always_valid")
    grow(ground, ALIKE)
    ground.experiment.status = "closed"
    ground.experiment.save()
    document = analyze(experiment=ground.experiment, as_of=on(400)).document
    net = document["money"]["comparisons"][0]["net"]
    assert document["maturity"]["final"] and "looks" not in net
    assert shown_range(document, net) == tuple(net["always_valid"]["ci"]) != tuple(net["ci"])
    unclear = {"arm": "bonus", "level": "unclear"}
    shown = completed(document | {"verdict": unclear | {"because": []}, "verdicts": [unclear]})
    [row] = [row for row in compared(shown) if (row["metric"], row["arm"]) == ("net", "bonus")]
    assert row["p"] == net["always_valid"]["p_value"]
    page: Any = experiment_page(shown, "en")
    assert "valid on any day" in page["forest"]["axis"]


def test_clusters_are_not_looked_at_in_groups() -> None:
    declared = convert(DECLARED | {"looks": "group_sequential"}, AgreementDeclared)
    assert looks_at(declared, clustered=False) == [0.25, 0.5, 0.75, 1.0]
    with pytest.raises(Refusal, match="clusters are looked at once or on any day"):
        looks_at(declared, clustered=True)


def test_a_look_waits_for_the_slower_arm(ground: Ground) -> None:
    looked_at(ground, [0.5, 1.0])
    for day in range(40):
        ground.row(f"n{day}", "none", day)
        if day % 2:
            ground.row(f"b{day}", "bonus", day)
        if day % 5 == 0:
            ground.outcome(f"n{day}", day + 1)
    ground.feed(800)
    [look] = net_of(ground, 400)["looks"]
    assert (look["n"], look["at"]) == (20, int(on(129).timestamp() * 1e6))
    assert look["bound"] == pytest.approx(bounds([0.5], 0.05)[0])
