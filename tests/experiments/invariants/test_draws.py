"""Invariants 1 to 3 of the design, each by its number: probabilities, arms and salts."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from hypothesis import given
from hypothesis import strategies as st

from experiments import randomization
from experiments.models import Assignment, Decision, Experiment, Holdout, Policy
from experiments.selectors import experiment_named
from experiments.services.lifecycle import change_status
from tests.conftest import START, Caller, decided, decision_row, stored_examples
from tests.experiments.design import EXPERIMENT, THREE_ARMS, apply, declared
from tests.experiments.invariants.visits import (
    BANDS,
    FIRST_VISITS,
    RANDOM,
    VISITS,
    check_probabilities,
    decisions_of,
    examples,
    rows_of,
    start,
)
from workspaces import clock
from workspaces.errors import Refusal
from workspaces.models import Workspace


@stored_examples
@given(visits=FIRST_VISITS)
def test_1_probabilities_over_eligible_actions_sum_to_1(design: Experiment, api: Caller, visits: list[Any]) -> None:
    rows = rows_of(visits)
    decided(api, rows)
    for decision in decisions_of(rows):
        check_probabilities(decision)
        if decision.mode == "randomized":
            assert decision.assignment is not None
            by_policy = decision.assignment.arm.policy is not None
            assert by_policy or decision.propensity == decision.assignment.propensity


def test_1_also_when_an_assigned_unit_may_no_longer_have_every_arm(api: Caller, running: Experiment) -> None:
    rows = [decision_row(f"c{number}") for number in range(20)]
    decided(api, rows)
    again = [decision_row(f"c{number}", 0.05, event=f"again-{number}") for number in range(20)]
    decided(api, again)
    decisions = decisions_of(again)
    assert len({decision.mode for decision in decisions}) == 1, "alike for all arms"
    for decision in decisions:
        check_probabilities(decision)


@stored_examples
@given(visits=VISITS, steps=st.lists(st.sampled_from(["pause", "resume", "close", "abort", "weights", "salt"])))
def test_2_a_key_keeps_its_arm_whatever_changes(
    running: Experiment, api: Caller, tmp_path: Path, visits: list[Any], steps: list[str]
) -> None:
    # every example finds the experiment running
    Experiment.objects.update(status="running")
    Workspace.objects.update(audit_length=10_000_000 * next(examples))
    arms: dict[str, str] = {}
    rows = rows_of(visits)
    for place, row in enumerate(rows):
        answer = api.post("/decisions", row).body
        if answer["arm"] is not None:
            assert arms.setdefault(answer["unit_id"], answer["arm"]) == answer["arm"]
        if place < len(steps):
            change(running, steps[place], tmp_path)
    stored = Assignment.objects.filter(unit_id__in=arms).values_list("unit_id", "arm__key")
    assert dict(stored) == arms


def change(experiment: Experiment, step: str, folder: Path) -> None:
    """What might move an arm: steps of the life cycle, a phase of other weights, another salt behind our back."""
    if step == "salt":
        salt = f"changed-{next(examples)}"
        Experiment.objects.filter(pk=experiment.pk).update(salt=salt, traffic_salt=f"{salt}/traffic")
    elif step == "weights":
        arms = [{"action": "none", "weight": 1 + next(examples) % 7}, {"action": "bonus"}]
        with suppress(Refusal):
            apply(Workspace.objects.get(), folder, experiments=[EXPERIMENT | {"arms": arms}])
    else:
        with suppress(Refusal):
            change_status(experiment=experiment, step=step, actor="test")
    # configuration is read anew
    workspace = Workspace.objects.get(pk=experiment.workspace_id)
    workspace.audit_length += 1
    workspace.save()


def test_2_what_an_arm_is_can_not_be_declared_otherwise(
    workspace: Workspace, running: Experiment, tmp_path: Path
) -> None:
    for changed in ({"arms": THREE_ARMS}, {"baseline": "bonus"}, {"method": "blocks"}, {"strata": ["segment"]}):
        with pytest.raises(Refusal) as refusal:
            apply(workspace, tmp_path, experiments=[EXPERIMENT | changed])
        assert refusal.value.code == "in-use"


def test_2_one_key_has_one_row(workspace: Workspace, api: Caller, running: Experiment) -> None:
    decided(api, [decision_row("c1")])
    row = Assignment.objects.get()
    row.pk = None
    row.id = None
    with pytest.raises(IntegrityError), transaction.atomic():
        Assignment.objects.bulk_create(
            [Assignment(**{f.attname: getattr(row, f.attname) for f in row._meta.fields[1:]})]
        )


@stored_examples
@given(visits=VISITS)
def test_2_every_draw_can_be_replayed_from_what_is_stored(design: Experiment, api: Caller, visits: list[Any]) -> None:
    rows = rows_of(visits)
    decided(api, rows)
    for decision in decisions_of(rows):
        if decision.assignment is not None:
            check_draw(decision.assignment)
            check_given(decision)
        elif decision.draw is not None:
            check_policy_draw(decision)


def check_draw(assignment: Assignment) -> None:
    experiment = assignment.experiment
    phase = experiment.phases.get(number=assignment.phase)
    weights = phase.weights
    arms = list(experiment.arms.order_by("place"))
    parts = [weights[arm.key] for arm in arms]
    if experiment.method == "blocks":
        at = assignment.draw or 0
        place = randomization.permuted(experiment.salt, assignment.stratum, at, parts, assignment.phase).arm
        propensity = parts[place] / sum(parts)
    else:
        shares = randomization.parts_per_million(parts)
        place, point = randomization.draw(experiment.salt, assignment.randomization_key, shares)
        assert point == assignment.draw
        propensity = shares[place] / 1_000_000
    assert (assignment.arm, assignment.propensity) == (arms[place], propensity)
    assert randomization.within(experiment.traffic_salt, assignment.randomization_key, phase.traffic_ppm)


def check_given(decision: Decision) -> None:
    """The arm's policy gives the action; its probability is that of any arm giving it."""
    assert decision.assignment is not None and decision.action is not None and decision.decision_point is not None
    policy = decision.assignment.arm.policy
    if decision.mode != "randomized" or policy is None:
        return
    arms = decision.assignment.experiment.arms.select_related("policy")
    whole = sum(arm.weight for arm in arms)
    would = [
        (arm.weight / whole, decision.would_have[f"{arm.policy.key}@{arm.policy.version}"][decision.action.key])
        for arm in arms
        if arm.policy
    ]
    assert decision.propensity == pytest.approx(sum(share * one for share, one in would), abs=2e-6)
    mine = decision.would_have[f"{policy.key}@{policy.version}"]
    keys = [key for key in decision.decision_point.candidates if key in mine]
    if 1.0 in mine.values():
        assert (mine[decision.action.key], decision.draw) == (1, None)
    else:
        shares = randomization.parts_per_million([round(1_000_000 * mine[key]) for key in keys])
        place, point = randomization.draw(policy.salt, f"{decision.source}\x1f{decision.event_id}", shares)
        assert (keys[place], point) == (decision.action.key, decision.draw)


def check_policy_draw(decision: Decision) -> None:
    assert decision.decision_point is not None and decision.action is not None
    said = decision.candidates
    eligible = [key for key in decision.decision_point.candidates if "probability" in said[key]]
    shares = [round(1_000_000 * said[key]["probability"]) for key in eligible]
    champion = Policy.objects.get(role="champion")
    place, point = randomization.draw(champion.salt, f"{decision.source}\x1f{decision.event_id}", shares)
    assert (eligible[place], point) == (decision.action.key, decision.draw)


def test_2_an_experiment_in_another_layer_moves_no_arm(
    api: Caller, workspace: Workspace, running: Experiment, tmp_path: Path
) -> None:
    first = {
        row["decision"]["unit_id"]: row["decision"] for row in decided(api, [decision_row(f"c{n}") for n in range(9)])
    }
    workspace.refresh_from_db()
    clock.advance(workspace, START + timedelta(days=1))
    apply(workspace, tmp_path, experiments=[EXPERIMENT | {"key": "second", "layer": "other"}])
    with suppress(Refusal):
        start(experiment_named(workspace, "second"))
    for row in decided(api, [decision_row(f"c{n}", event=f"again-{n}") for n in range(9)]):
        decision = row["decision"]
        assert (decision["experiment"], decision["arm"]) == ("offers", first[decision["unit_id"]]["arm"])


@pytest.mark.parametrize("weight", [1.5, "1", 0, -1, True, None])
def test_3_weights_are_integers_above_0(workspace: Workspace, tmp_path: Path, weight: Any) -> None:
    declared(workspace, tmp_path)
    arms = [{"action": "none", "weight": weight}, {"action": "bonus"}]
    with pytest.raises(Refusal) as refusal:
        apply(workspace, tmp_path, experiments=[EXPERIMENT | {"arms": arms}])
    assert refusal.value.pointer == "/arms/0/weight"


def test_3_every_purpose_gets_a_salt_of_its_own(workspace: Workspace, tmp_path: Path) -> None:
    holdout = {"key": "h", "unit_type": "customer", "share": 0.1, "valid_from": START}
    second = EXPERIMENT | {"key": "second", "layer": "other"}
    declared(workspace, tmp_path, policies=[RANDOM, BANDS], holdouts=[holdout])
    apply(workspace, tmp_path, experiments=[second])
    salts = [salt for one in Experiment.objects.all() for salt in (one.salt, one.traffic_salt)]
    salts += [*Policy.objects.values_list("salt", flat=True), *Holdout.objects.values_list("salt", flat=True)]
    assert len(salts) == len(set(salts)) == 7


@pytest.mark.parametrize("field", ["salt", "traffic_salt"])
def test_3_two_experiments_can_not_have_one_salt(workspace: Workspace, tmp_path: Path, field: str) -> None:
    experiment = declared(workspace, tmp_path)
    apply(workspace, tmp_path, experiments=[EXPERIMENT | {"key": "second"}])
    with pytest.raises(IntegrityError), transaction.atomic():
        Experiment.objects.filter(key="second").update(**{field: getattr(experiment, field)})
    with pytest.raises(IntegrityError), transaction.atomic():
        Experiment.objects.filter(key="second").update(salt="s", traffic_salt="s")


@pytest.mark.parametrize("salt", ["h1", "s1/traffic"])
def test_3_a_declared_salt_serves_no_other_purpose(workspace: Workspace, tmp_path: Path, salt: str) -> None:
    holdout = {"key": "h", "unit_type": "customer", "share": 0.1, "valid_from": START, "salt": "h1"}
    declared(workspace, tmp_path, experiment={"salt": "s1"}, holdouts=[holdout])
    with pytest.raises(Refusal):
        apply(workspace, tmp_path, experiments=[EXPERIMENT | {"key": "second", "salt": salt}])
