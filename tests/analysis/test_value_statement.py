"""Story A's money and policies through the document's own functions, and small cases for their edges."""

from __future__ import annotations

import csv
import gzip
import json
from functools import cache
from typing import Any

import numpy as np
import pytest

from impact.agreements.plan import Case, Deployment, Net, Plan, PlannedArm, PlannedPolicy, Quantity, Term
from impact.analysis.measure import Chosen
from impact.analysis.policies import of_policy, policy_blocks, value_ladder
from impact.analysis.value_statement import Option, flips, programme_of, value_statement
from impact.stats.effects import NotEstimable, difference
from impact.stats.moments import MomentTable
from tests.analysis.ground import Ground, plan
from tests.conftest import DECLARED

REFERENCE = DECLARED.parent / "reference"
A = json.loads((REFERENCE / "stories.json").read_text())["story_a"]
KEPT = {
    "key": "kept", "version": 1, "name": "Value of a kept customer", "low": 170.0, "base": 300.0, "high": 340.0,
    "unit": "EUR", "owner": "Finance", "source": "", "status": "agreed", "valid_from": None,
    "cash": {"months": 24, "kept": 0.975, "rate": 0.10},
}  # fmt: skip
CHOICES = {
    "challenger": {"L": "bonus", "M": "credit", "H": "none"},
    "champion": {"L": "none", "M": "none", "H": "credit"},
}


def story_plan(**changes: Any) -> Plan:
    deployment = Deployment(
        cases_per_year=Quantity(base=270_000),
        build=Quantity(base=220_000),
        running_per_year=Quantity(base=180_000),
        discount_rate=Quantity(base=0.10),
        adoption=Quantity(base=1.0),
        years=3,
        holdout=0.05,
        spread=1.744,
        deploys="challenger",
        todays_rule="champion",
    )
    arms = [
        PlannedArm(key=key, name=key, is_baseline=key == "none", weight=1, planned_cost=0.0)
        for key in ("none", "bonus", "credit")
    ]
    value = [Term(outcome="churned", aggregate="any", times=-300.0, assumption="kept")]
    content = {
        "arms": arms, "net": Net(value=value), "deployment": deployment, "case": Case(assumptions=[KEPT]),
        "policies": [PlannedPolicy(key=key, version=1, role="challenger") for key in CHOICES],
    }  # fmt: skip
    return plan(**(content | changes))


@cache
def story() -> tuple[Chosen, Any]:
    with gzip.open(REFERENCE / "story_a.csv.gz", "rt", newline="") as file:
        rows = list(csv.DictReader(file))
    arm, band = (np.array([row[name] for row in rows]) for name in ("arm", "band"))
    cost = np.array([float(row["cost"]) for row in rows])
    # what is kept rather than what is lost, as the reference counts it: the effects are the same, IPS isn't
    value = np.array([300.0 * (1 - float(row["churned"])) for row in rows])
    table = MomentTable.from_arrays({"value": value, "cost": cost}, arm, band)
    propensity = np.full(arm.size, 1 / 3)
    return Chosen(table, CHOICES, arm, band, value - cost, propensity, np.zeros((arm.size, 0))), table


def of_story(against: str, estimator: str) -> dict[str, Any]:
    [found] = [
        block
        for block in policy_blocks(story_plan(), story()[0], 1)
        if (block["policy"], block["against"], block["estimator"]) == ("challenger", against, estimator)
    ]
    return found


def agrees(block: Any, wanted: Any, rel: float = 1e-9) -> None:
    for name in ("effect", "se", "df", "p_value", "p_gt_0"):
        if name in wanted:
            assert block[name] == pytest.approx(wanted[name], rel=rel), name
    if "ci" in wanted:
        assert block["ci"] == pytest.approx(wanted["ci"], rel=1e-6)


@pytest.mark.parametrize(
    ("against", "name"),
    [
        ("nobody", "challenger vs nobody"),
        ("champion", "challenger vs champion"),
        ("bonus", "challenger vs bonus for all (best score-free action)"),
    ],
)
def test_policies_are_worth_what_the_story_says(against: str, name: str) -> None:
    agrees(of_story(against, "stratified"), A["policy"][name])


def test_two_more_readings_stand_beside() -> None:
    wanted = A["challenger vs nobody, three estimators, value = 300 x retained"]
    for estimator in ("snips", "ips"):
        agrees(of_story("nobody", estimator), wanted[estimator], rel=1e-3)
    assert of_story("nobody", "snips")["ess"] == pytest.approx(15_000, rel=0.01)
    assert not of_story("nobody", "stratified")["selected_on_same_data"]
    assert policy_blocks(story_plan(deployment=None), story()[0], 1)[0]["selected_on_same_data"]


def test_the_ladder_goes_from_nothing_to_the_model() -> None:
    ladder = value_ladder(story_plan(), story()[0])
    assert ladder is not None
    rungs = {one["rung"]: one for one in ladder["rungs"]}
    assert list(rungs) == ["nothing", "random", "best_single", "todays_rule", "model"]
    assert rungs["best_single"]["arm"] == "bonus"
    agrees(rungs["best_single"], A["policy"]["bonus for all vs nobody"])
    agrees(rungs["todays_rule"], A["policy"]["champion vs nobody"])
    agrees(rungs["model"], A["policy"]["challenger vs nobody"])
    assert rungs["random"]["effect"] == pytest.approx((1.9 - 8.5) / 3, rel=1e-9)
    agrees(ladder["model"], A["policy"]["challenger vs bonus for all (best score-free action)"])
    for name, number in A["finance"]["model over best score-free action"].items():
        assert ladder["model"]["year"]["base"][name] == pytest.approx(number, rel=1e-9), name


def test_the_statement_is_the_storys_money() -> None:
    planned, (chosen, table) = story_plan(), story()
    option = Option(None, "challenger", lambda contrast: of_policy(planned, chosen, "challenger", contrast))
    # kept customers are counted above, lost ones in the plan: the slope is the same
    found = value_statement(planned, option, table.n, None, "none")
    assert found is not None
    for kind, name in (("projected", "measured"), ("booked", "booked")):
        for case, wanted in A["finance"][name].items():
            for field, number in wanted.items():
                close = number if number is None else pytest.approx(number, rel=1e-5)
                assert found[kind][case][field] == close, (kind, case, field)
    assert found["booked"]["shrinkage"] == pytest.approx(A["shrinkage"]["lambda"], rel=1e-9)
    assert found["price_of_holdout"] == pytest.approx(
        A["finance"]["price_of_5_percent_holdout_per_year"]["booked"], rel=1e-9
    )
    cash = found["cash"]["projected"]
    assert (cash["months_to_positive"], cash["peak_month"]) == (35, 14)
    assert cash["peak_funding"] == pytest.approx(A["cash"]["peak_funding"], rel=1e-9)
    assert found["cash"]["booked"]["peak_funding"] > cash["peak_funding"]
    [bar] = found["tornado"]
    assert bar["flips_at"] == pytest.approx(A["break_even_value_per_retained_customer"], rel=1e-9)
    assert bar["inside"] and 190.6 < bar["npv_flips_at"] < 300
    assert bar["effect_at_low"] == pytest.approx(A["policy_at"]["170.0"]["effect"], rel=1e-9)
    assert bar["npv_at_low"] < 0 < bar["npv_at_high"]


def test_the_worst_case_is_the_lower_limit_at_the_worse_assumptions() -> None:
    planned, (chosen, table) = story_plan(), story()
    option = Option(None, "challenger", lambda contrast: of_policy(planned, chosen, "challenger", contrast))
    found = value_statement(planned, option, table.n, None, "none")
    assert found is not None
    for case, value, end in (("low", "170.0", 0), ("high", "340.0", 1)):
        assert found["cases"][case]["per_case"] == pytest.approx(A["policy_at"][value]["ci"][end], rel=1e-6)
    assert found["cases"]["base"] == found["projected"]["base"]


def test_an_assumption_of_the_programme_moves_the_npv_and_not_the_effect() -> None:
    volume = KEPT | {"key": "volume", "low": 20_000.0, "base": 270_000.0, "high": 300_000.0, "cash": None}
    deployment = story_plan().deployment
    assert deployment is not None
    changed = {name: getattr(deployment, name) for name in Deployment.__struct_fields__}
    changed |= {"cases_per_year": Quantity(base=270_000, assumption="volume")}
    planned = story_plan(deployment=Deployment(**changed), case=Case(assumptions=[volume, KEPT]))
    assert programme_of(planned.deployment, {"volume": 1.0}).cases == 0.95
    chosen, table = story()
    option = Option(None, "challenger", lambda contrast: of_policy(planned, chosen, "challenger", contrast))
    found = value_statement(planned, option, table.n, None, "none")
    assert found is not None
    bars = {bar["assumption"]: bar for bar in found["tornado"]}
    assert (bars["volume"]["flips_at"], bars["volume"]["inside"]) == (None, False)
    assert 20_000 < bars["volume"]["npv_flips_at"] < 270_000
    assert [abs(bar["npv_at_high"] - bar["npv_at_low"]) for bar in found["tornado"]] == sorted(
        (abs(bar["npv_at_high"] - bar["npv_at_low"]) for bar in bars.values()), reverse=True
    )


def test_what_was_measured_flips_nothing() -> None:
    table = story()[1]
    for status, inside in (("agreed", True), ("guess", True), ("measured", False)):
        assumption = KEPT | {"status": status, "low": 100.0}
        planned = story_plan(case=Case(assumptions=[assumption]))
        [flip] = flips(planned, lambda contrast: difference(table, contrast, "bonus", "none"))
        assert flip["flips_at"] == pytest.approx(1.7 / 0.012, rel=1e-6)
        assert flip["inside"] is inside


def test_only_the_part_of_the_value_that_an_assumption_is_in_moves_with_it() -> None:
    terms = [
        Term(outcome="churned", times=-300.0, assumption="kept"),
        Term(outcome="orders", times=0.3),
    ]
    planned = story_plan(net=Net(value=terms))
    assert planned.assumed == {"kept": "assumed kept"}
    y = np.arange(40.0)
    arms = np.array(["none", "bonus"] * 20)
    table = MomentTable.from_arrays({"value": 3 * y, "cost": y % 3, "assumed kept": y}, arms)
    [flip] = flips(planned, lambda contrast: difference(table, contrast, "bonus", "none"))
    net = difference(table, {"value": 1, "cost": -1, "assumed kept": 170 / 300 - 1}, "bonus", "none")
    assert not isinstance(net, NotEstimable)
    assert flip["effect_at_low"] == pytest.approx(net.estimate, rel=1e-9)


def test_nothing_is_stated_without_a_case_or_an_effect() -> None:
    option = Option("bonus", None, lambda contrast: NotEstimable("no rows"))
    assert value_statement(story_plan(), option, 0, 0, "none") is None
    assert value_statement(story_plan(deployment=None), option, 0, 0, "none") is None
    assert flips(story_plan(), option.estimate) == []
    assert value_ladder(story_plan(), None) is None


def test_policies_are_read_from_what_was_logged(ground: Ground) -> None:
    """Of each row's first decision; one that isn't sure in every row isn't valued."""
    from experiments.models import Decision

    ground.experiment.arms.filter(key="bonus")
    for number in range(40):
        arm, band = ("none", "bonus")[number % 2], "LH"[number // 20]
        row = ground.row(f"u{number}", arm, stratum=band)
        action = ground.experiment.arms.get(key=arm).action
        sure = {"none": float(band == "H"), "bonus": float(band == "L")}
        unsure = sure if number else {"none": 0.5, "bonus": 0.5}
        Decision.objects.create(
            workspace=ground.workspace, source="t", event_id=str(number), digest="", unit_id=f"u{number}",
            candidates={}, action=action, propensity=0.5, mode="randomized", assignment=row,
            would_have={"bands@2": sure, "wild@1": unsure, "bands@1": {"none": 1.0}},
            decided_at=row.first_decision_at, matures_at=row.matures_at, received_at=row.first_decision_at,
        )  # fmt: skip
        if number % 4 == 0:
            ground.outcome(f"u{number}", 5)
    ground.feed(400)
    policies = [
        PlannedPolicy(key=key, version=version, role="challenger") for key, version in (("bands", 2), ("wild", 1))
    ]
    planned = plan(value=[Term(outcome="churned", aggregate="any", times=-300.0)], policies=policies)
    chosen = ground.measured(planned).chosen
    assert chosen is not None
    assert chosen.policies == {"bands": {"H\x1fnone": "none", "L\x1fbonus": "bonus"}}
    assert chosen.arm.size == 40 and set(chosen.propensity) == {0.5}
    blocks = policy_blocks(planned, chosen, 1)
    assert {(one["policy"], one["against"], one["status"]) for one in blocks} >= {
        ("bands", "nobody", "estimated"), ("wild", "nobody", "not_estimable"),
    }  # fmt: skip
    [against] = [
        one for one in blocks if (one["policy"], one["against"], one["estimator"]) == ("bands", "nobody", "stratified")
    ]
    # half the rows are low, where half of those with nothing leave at 300; the bonus was planned to cost 1.70
    assert against["effect"] == pytest.approx((0.5 * 300 - 1.7) / 2)
