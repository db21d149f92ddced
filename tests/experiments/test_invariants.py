"""Invariants 1 to 6 of the design, each by its number: they hold whatever is sent in whatever order."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from hypothesis import given
from hypothesis import strategies as st

from experiments import randomization
from experiments.models import Assignment, CapacityCounter, Decision, Experiment, Holdout, Policy
from experiments.selectors import experiment_named
from experiments.services import lifecycle
from experiments.services.lifecycle import change_status
from tests.conftest import START, Caller, decided, decision_row, stored_examples
from tests.experiments.design import CHURN, EXPERIMENT, POINT, THREE_ARMS, apply, declared, running_with
from workspaces import clock
from workspaces.canonical import digest
from workspaces.errors import Refusal
from workspaces.models import Workspace

RANDOM = {"key": "now", "decision_point": "offer", "kind": "random", "role": "champion"}
BANDS = {"key": "bands", "decision_point": "offer", "kind": "bands", "bands": [{"from": 0.4, "action": "credit"}]}
SAFETY = {"safety": {"above": 0.9, "action": "none"}}
LIMITED = [
    one | {"capacity": {"count": 2, "per": "week"}} if one["key"] == "bonus" else one for one in CHURN["actions"]
]
# declared again while it runs: another phase
RAMP = {"traffic": 0.8, "arms": [{"action": "none", "weight": 3}, {"action": "bonus"}]}
# point, experiment, more lists: every way of drawing
DESIGNS: dict[str, tuple[Any, Any, Any]] = {
    "hash": ({}, {"arms": THREE_ARMS}, {"policies": [RANDOM, BANDS]}),
    "weights": ({}, {"arms": [{"action": "none", "weight": 7}, {"action": "bonus", "weight": 3}]}, {}),
    "blocks": (SAFETY, {"method": "blocks", "strata": [{"score": {"L": 0, "H": 0.5}}]}, {"policies": [RANDOM]}),
    "traffic": (SAFETY, {"traffic": 0.5}, {"policies": [RANDOM, BANDS]}),
    "cool-down": ({"cool_down": {"days": 2}}, {}, {"policies": [RANDOM]}),
    "episodes": ({"cool_down": {"days": 90}}, {"randomize": "episode"}, {"policies": [BANDS]}),
    "ramp": ({}, {"traffic": 0.6}, {}),
    "capacity": ({}, {"method": "blocks"}, {"actions": LIMITED, "policies": [RANDOM, BANDS]}),
    "ramp of blocks": ({}, {"method": "blocks"}, {}),
    "holdout": (
        {},
        {},
        {
            "holdouts": [{"key": "h", "unit_type": "customer", "share": 0.5, "valid_from": START, "salt": "h1"}],
            "policies": [RANDOM],
        },
    ),
}
examples = count()
SCORES = st.sampled_from([0.0, 0.05, 0.1, 0.3, 0.4, 0.5, 0.9, 0.91, 1.0])
FEATURES = st.fixed_dictionaries({"plan": st.sampled_from(["basic", "gone", None]), "tenure": st.just(12.0)})
# (unit, day, score, features), in any order
VISITS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 200), SCORES, FEATURES), min_size=1, max_size=15)
FIRST_VISITS = VISITS.map(lambda visits: list({visit[0]: visit for visit in visits}.values()))


@pytest.fixture(params=DESIGNS)
def design(request: pytest.FixtureRequest, workspace: Workspace, tmp_path: Path) -> Experiment:
    point, experiment, more = DESIGNS[request.param]
    running = running_with(workspace, tmp_path, point=point, experiment=experiment, **more)
    if request.param.startswith("ramp"):
        apply(Workspace.objects.get(), tmp_path, experiments=[EXPERIMENT | experiment | RAMP])
    return running


def rows_of(visits: list[Any]) -> list[Any]:
    """Visits as rows; every example has units of its own."""
    example, rows = next(examples), []
    for place, (unit, day, score, features) in enumerate(visits):
        at = START + timedelta(days=day)
        row = decision_row(f"{example}-{unit}", score, event=f"{example}/{place}", at=at)
        row["prediction"]["features"] = features
        rows.append(row)
    return rows


def decisions_of(rows: list[Any]) -> list[Decision]:
    events = [row["event_id"] for row in rows]
    found = Decision.objects.filter(event_id__in=events).select_related("action", "assignment__arm__action")
    return sorted(found, key=lambda decision: events.index(decision.event_id))


def check_probabilities(decision: Decision) -> None:
    probabilities = {key: said["probability"] for key, said in decision.candidates.items() if "probability" in said}
    refused = {key for key, said in decision.candidates.items() if "refused" in said}
    assert probabilities.keys() | refused == set(POINT["candidates"]) and not probabilities.keys() & refused
    assert sum(probabilities.values()) == pytest.approx(1, abs=1e-12)
    assert decision.action is not None
    assert decision.propensity == probabilities[decision.action.key] > 0
    for would in decision.would_have.values():
        assert would.keys() == probabilities.keys()
        assert sum(would.values()) == pytest.approx(1, abs=1e-12)


@stored_examples
@given(visits=FIRST_VISITS)
def test_1_probabilities_over_eligible_actions_sum_to_1(design: Experiment, api: Caller, visits: list[Any]) -> None:
    rows = rows_of(visits)
    decided(api, rows)
    for decision in decisions_of(rows):
        check_probabilities(decision)
        if decision.mode == "randomized":
            assert decision.assignment is not None
            assert decision.propensity == decision.assignment.propensity


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


def check_policy_draw(decision: Decision) -> None:
    assert decision.decision_point is not None and decision.action is not None
    said = decision.candidates
    eligible = [key for key in decision.decision_point.candidates if "probability" in said[key]]
    shares = [round(1_000_000 * said[key]["probability"]) for key in eligible]
    champion = Policy.objects.get(role="champion")
    drawn = randomization.draw(champion.salt, f"{decision.source}\x1f{decision.event_id}", shares)
    assert (eligible[drawn.arm], drawn.point) == (decision.action.key, decision.draw)


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


@stored_examples
@given(visits=VISITS)
def test_4_forced_decisions_have_propensity_1_and_no_draw(
    api: Caller, workspace: Workspace, tmp_path_factory: pytest.TempPathFactory, visits: list[Any]
) -> None:
    if not Experiment.objects.exists():
        folder = tmp_path_factory.mktemp("declared")
        running_with(workspace, folder, point={"safety": {"above": 0.4, "action": "bonus"}}, policies=[RANDOM])
    rows = rows_of(visits)
    decided(api, rows)
    for decision in decisions_of(rows):
        forced = decision.score is not None and decision.score > 0.4
        assert (decision.mode == "forced_safety") == forced
        if forced:
            assert decision.action is not None
            assert (decision.action.key, decision.propensity, decision.draw) == ("bonus", 1, None)
            assert decision.assignment is None


@stored_examples
@given(visits=VISITS)
def test_4_what_is_used_up_is_forced_with_propensity_1_and_never_exceeded(
    api: Caller, workspace: Workspace, tmp_path_factory: pytest.TempPathFactory, visits: list[Any]
) -> None:
    if not Experiment.objects.exists():
        point, experiment, more = DESIGNS["capacity"]
        running_with(workspace, tmp_path_factory.mktemp("declared"), point=point, experiment=experiment, **more)
    rows = rows_of(visits)
    decided(api, rows)
    for decision in decisions_of(rows):
        assert decision.action is not None
        if decision.mode == "forced_capacity":
            assert (decision.action.key, decision.propensity, decision.draw) == ("none", 1, None)
            assert decision.candidates["bonus"] == {"refused": "capacity"}
    assert all(counter.taken <= 2 for counter in CapacityCounter.objects.all())
    taken = Decision.objects.filter(action__key="bonus").count()
    assert taken == sum(counter.taken for counter in CapacityCounter.objects.all())


@pytest.mark.parametrize("mode", ["forced_safety", "forced_capacity", "manual", "fallback"])
def test_4_the_database_keeps_no_forced_decision_with_another_propensity(
    api: Caller, running: Experiment, mode: str
) -> None:
    decided(api, [decision_row("c1")])
    with pytest.raises(IntegrityError), transaction.atomic():
        Decision.objects.update(mode=mode, propensity=0.5)
    Decision.objects.update(mode=mode, propensity=1)


@stored_examples
@given(visits=FIRST_VISITS)
def test_5_who_enters_depends_on_no_arm(design: Experiment, api: Caller, visits: list[Any]) -> None:
    """The rules alone decide, not the arm that would have been drawn, so the arms are alike."""
    rows = rows_of(visits)
    decided(api, rows)
    arms = {arm.action.key for arm in design.arms.select_related("action") if arm.action}
    for decision, row in zip(decisions_of(rows), rows, strict=True):
        prediction = row["prediction"]
        may = prediction["score"] >= 0.1 and ("credit" not in arms or prediction["features"]["plan"] == "basic")
        traffic = randomization.within(design.traffic_salt, key_of(design, row), design.phases.last().traffic_ppm)
        ordinary = decision.mode in ("randomized", "policy")
        assert (decision.assignment is not None) == (ordinary and may and traffic)


def key_of(experiment: Experiment, row: Any) -> str:
    return f"{row['unit_id']}#1" if experiment.randomizes == "episode" else str(row["unit_id"])


@pytest.mark.parametrize(("seconds", "status"), [(-1, 200), (0, 200), (60, 200), (61, 422)])
def test_5_features_are_older_than_the_decision(api: Caller, running: Experiment, seconds: int, status: int) -> None:
    row = decision_row("c1")
    row["prediction"]["predicted_at"] = (START + timedelta(seconds=seconds)).isoformat()
    assert api.post("/decisions", row).status_code == status


def test_6_one_experiment_runs_in_a_layer(workspace: Workspace, running: Experiment, tmp_path: Path) -> None:
    workspace.refresh_from_db()
    apply(workspace, tmp_path, experiments=[EXPERIMENT | {"key": "second"}])
    second = experiment_named(workspace, "second")
    for step in (None, "pause"):
        if step:
            change_status(experiment=running, step=step, actor="test")
        with pytest.raises(Refusal) as refusal:
            start(second)
        assert refusal.value.code == "layer-taken"
        second.refresh_from_db()
        assert (second.status, second.phases.count()) == ("draft", 0)
    change_status(experiment=running, step="close", actor="test")
    assert start(second).status == "running"
    with pytest.raises(Refusal) as refusal:
        change_status(experiment=running, step="resume", actor="test")
    assert refusal.value.code == "wrong-status"


@stored_examples
@given(visits=VISITS)
def test_6_holdout_units_get_nothing_but_the_baseline(
    api: Caller, workspace: Workspace, tmp_path_factory: pytest.TempPathFactory, visits: list[Any]
) -> None:
    if not Experiment.objects.exists():
        point, experiment, more = DESIGNS["holdout"]
        folder = tmp_path_factory.mktemp("declared")
        running_with(workspace, folder, point=point | SAFETY, experiment=experiment, **more)
    rows = rows_of(visits)
    decided(api, rows)
    for decision in decisions_of(rows):
        held = randomization.within("h1", decision.unit_id, 500_000)
        assert held or decision.mode != "holdout"
        if held:
            assert decision.action is not None
            assert (decision.action.key, decision.propensity, decision.assignment) == ("none", 1, None)


def test_6_a_holdout_is_refused_where_safety_forces_another_action(workspace: Workspace, tmp_path: Path) -> None:
    declared(workspace, tmp_path, point={"safety": {"above": 0.9, "action": "bonus"}})
    with pytest.raises(Refusal):
        apply(workspace, tmp_path, holdouts=DESIGNS["holdout"][2]["holdouts"])


def test_6_safety_that_would_force_another_action_is_refused_beside_a_holdout(
    workspace: Workspace, tmp_path: Path
) -> None:
    holdouts = DESIGNS["holdout"][2]["holdouts"]
    declared(workspace, tmp_path, holdouts=holdouts)
    with pytest.raises(Refusal) as refusal:
        apply(workspace, tmp_path, decision_points=[POINT | {"safety": {"above": 0.9, "action": "bonus"}}])
    assert (refusal.value.code, refusal.value.pointer) == ("invalid-declaration", "/safety/action")
    apply(workspace, tmp_path, decision_points=[POINT | {"safety": {"above": 0.9, "action": "none"}}])


def test_6_a_holdout_that_is_over_refuses_nothing(workspace: Workspace, tmp_path: Path) -> None:
    (holdout,) = DESIGNS["holdout"][2]["holdouts"]
    over = holdout | {"valid_from": START - timedelta(days=9), "valid_until": START - timedelta(days=1)}
    declared(workspace, tmp_path, holdouts=[over])
    apply(workspace, tmp_path, decision_points=[POINT | {"safety": {"above": 0.9, "action": "bonus"}}])


def start(experiment: Experiment) -> Experiment:
    """Start one whose agreement nobody asks for."""
    plan = {"arms": []}
    with transaction.atomic():
        change_status(experiment=experiment, step="agree", actor="test")
        return lifecycle.start_experiment(experiment=experiment, plan=plan, plan_sha256=digest(plan), actor="test")
