"""An experiment whose arms are policies: each is valued by its own rows, and costs what it really gave."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from experiments.models import Assignment, Decision, Experiment
from impact.agreements.plan import Plan, from_content
from impact.analysis.policies import policy_blocks, value_ladder
from impact.analysis.services import analyze
from impact.analysis.untouched import _idle_arms
from impact.dashboard.compliance import compliance
from impact.figures.agreement import agreement_page
from tests.analysis.ground import Ground, on, rows_of
from tests.conftest import Caller, decided, decision_row
from tests.experiments.design import AGREEMENT, LADDER, LADDER_ARMS, running_with
from workspaces.models import Workspace

CASE = {"cases_per_year": 1000, "build": 10, "running_per_year": 10, "discount_rate": 0.1, "years": 3}
PLANNED = {"none": 0.0, "bonus": 1.7, "credit": 17.5}


@pytest.fixture
def ladder(workspace: Workspace, tmp_path: Path) -> Experiment:
    agreement = AGREEMENT | {"deployment": CASE | {"deploys": "what-pays", "todays_rule": "todays-rule"}}
    design = {"arms": LADDER_ARMS, "baseline": "nobody"}
    return running_with(workspace, tmp_path, experiment=design, policies=LADDER, agreements=[agreement])


@pytest.fixture
def ground(workspace: Workspace, ladder: Experiment, api: Caller) -> Ground:
    """Half of those with nothing leave, a quarter of those with something."""
    ground = Ground(workspace, ladder)
    decided(api, [decision_row(f"c{n}", [0.3, 0.6][n % 2]) for n in range(400)])
    for number, decision in enumerate(Decision.objects.select_related("action").order_by("pk")):
        assert decision.action is not None
        if number % (2 if decision.action.key == "none" else 4) == 0:
            ground.outcome(decision.unit_id, 5)
    ground.feed(400)
    return ground


def plan_of(experiment: Experiment) -> Plan:
    return from_content(experiment.plan)


def test_the_plan_says_version_and_the_most_an_arm_costs(ladder: Experiment) -> None:
    arms = {arm.key: (arm.policy, arm.kind, arm.planned_cost) for arm in plan_of(ladder).arms}
    assert arms == {
        "nobody": ("nobody@1", "fixed", 0.0),
        "anything": ("anything@1", "random", 17.5),
        "everybody": ("everybody@1", "fixed", 1.7),
        "todays-rule": ("todays-rule@1", "bands", 1.7),
        "what-pays": ("what-pays@1", "expected_value", 17.5),
    }


def test_the_agreement_says_what_an_arm_costs_at_most(ladder: Experiment) -> None:
    page = agreement_page(ladder.plan, "en")
    assert [(arm["policy"], arm["version"], arm["cost"], arm["at_most"]) for arm in page["arms"]] == [
        ("nobody", "1", "0.00\u00a0EUR", False),
        ("anything", "1", "17.50\u00a0EUR", True),
        ("everybody", "1", "1.70\u00a0EUR", False),
        ("todays-rule", "1", "1.70\u00a0EUR", True),
        ("what-pays", "1", "17.50\u00a0EUR", True),
    ]
    assert page["arms"][2]["break_even"]
    arms = [arm | {"is_baseline": arm["key"] == "what-pays"} for arm in ladder.plan["arms"]]
    assert {arm["break_even"] for arm in agreement_page(ladder.plan | {"arms": arms}, "en")["arms"]} == {None}


def test_where_no_cost_was_logged_the_action_given_says_what_was_planned(ground: Ground) -> None:
    snapshot = ground.frozen(plan_of(ground.experiment))
    costs: dict[str, set[float]] = {}
    for row in rows_of(snapshot, "rows"):
        costs.setdefault(row["arm"], set()).add(row["planned_cost"])
    assert costs == {
        "nobody": {0.0}, "anything": {0.0, 1.7, 17.5}, "everybody": {1.7}, "todays-rule": {0.0, 1.7},
        "what-pays": {17.5},
    }  # fmt: skip


def test_every_rung_is_an_arm(ground: Ground) -> None:
    planned = plan_of(ground.experiment)
    measured = ground.measured(planned)
    chosen = measured.chosen
    assert chosen is not None
    assert {key: set(by.values()) for key, by in chosen.policies.items()} == {key: {key} for key in chosen.policies}
    found = value_ladder(planned, chosen)
    assert found is not None
    effects = {one["rung"]: one["effect"] for one in found["rungs"]}
    nets = {}
    for decision in Decision.objects.select_related("action", "assignment__arm").order_by("pk"):
        assert decision.action is not None and decision.assignment is not None
        left = ground_left(decision)
        nets.setdefault(decision.assignment.arm.key, []).append(-300 * left - PLANNED[decision.action.key])
    mean = {arm: sum(net) / len(net) for arm, net in nets.items()}
    due = {"nothing": "nobody", "random": "anything", "best_single": "everybody", "todays_rule": "todays-rule",
           "model": "what-pays"}  # fmt: skip
    assert effects == pytest.approx({rung: mean[arm] - mean["nobody"] for rung, arm in due.items()})
    assert found["model"]["effect"] == pytest.approx(mean["what-pays"] - mean["everybody"])
    assert {one["status"] for one in policy_blocks(planned, chosen, 1)} == {"estimated"}


def ground_left(decision: Decision) -> bool:
    from impact.ledger.models import Outcome

    return Outcome.objects.filter(unit_id=decision.unit_id).exists()


def test_its_results_are_a_document(ground: Ground) -> None:
    analysis = analyze(experiment=ground.experiment, as_of=on(400))
    document: Any = analysis.document
    assert [arm["arm"] for arm in document["arms"]] == [policy["key"] for policy in LADDER]
    assert {one["arm"] for one in (block["net"] for block in document["money"]["comparisons"])} == {
        "anything", "everybody", "todays-rule", "what-pays",
    }  # fmt: skip
    ratio = next(check for check in document["checks"] if check["id"] == "sample_ratio")
    assert ratio["passed"]
    assert document["value_ladder"]["model"]["arm"] == "everybody"


def test_only_who_never_gets_anything_was_left_alone(ladder: Experiment) -> None:
    assert _idle_arms(ladder) == [ladder.arms.get(key="nobody").pk]


def test_nothing_need_be_reported_of_a_policy_that_gave_nothing(ground: Ground) -> None:
    done = compliance(ground.experiment, "en")
    assert done is not None
    silent = {row.arm.key: row.silent and row.silent.number for row in done["arms"]}
    given = Assignment.objects.filter(arm__key="todays-rule", decisions__action__key="bonus").count()
    assert silent["nobody"] is None
    assert silent["todays-rule"] == str(given)
    assert silent["everybody"] == str(Assignment.objects.filter(arm__key="everybody").count())
