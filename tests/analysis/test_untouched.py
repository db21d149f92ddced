"""Calibration is measured on units that were left alone by chance, and on nobody else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from experiments.models import Action, Arm, Assignment, Decision, Experiment
from impact.agreements.plan import Term, from_content
from impact.analysis.freeze import freeze
from impact.analysis.models import Calibration
from impact.analysis.services import analyze
from impact.analysis.untouched import calibrations
from impact.config.declarations import apply_files
from predictions.models import ModelVersion, PredictionModel
from tests.analysis.ground import plan
from tests.conftest import DECLARED, START, Caller, decided, decision_row, loaded, outcome_row, started
from workspaces.models import Workspace

UNITS = 400


def scores() -> dict[str, float]:
    """The model is right: of those with a score of 0.2 every fifth leaves, of those with 0.6 six of ten."""
    return {f"c{number:03}": (0.2, 0.6)[number % 2] for number in range(UNITS)}


def leaves(unit: str) -> bool:
    number = int(unit[1:])
    return (number // 2) % 10 < (2, 6)[number % 2]


def live(api: Caller, until: float = 91, day: float = 10) -> dict[str, str]:
    """Decide about everybody, let those leave who leave if left alone, and return the arms."""
    answers = [row["decision"] for row in decided(api, [decision_row(*one) for one in scores().items()])]
    arms = {row["unit_id"]: row.get("arm") or row["mode"] for row in answers}
    left = [unit for unit in scores() if leaves(unit) and arms[unit] != "bonus"]
    api.post("/outcomes", {"outcomes": [outcome_row(unit, day=day) for unit in left]})
    at = (START + timedelta(days=until)).isoformat()
    api.post("/feeds/crm/heartbeat", {"type": "churned", "complete_until": at, "at": at})
    return arms


def measured(experiment: Experiment, **changes: Any) -> dict[str, Any]:
    """What is found as of a hundred days on."""
    experiment.refresh_from_db()
    agreed = from_content(experiment.plan)
    if changes:
        agreed = plan(**changes)
    snapshot = freeze(experiment=experiment, plan=agreed, as_of=START + timedelta(days=100))
    [found] = calibrations(experiment, agreed, snapshot).values()
    return found


def test_units_of_the_baseline_are_measured_and_no_treated_one(running: Experiment, api: Caller) -> None:
    arms = live(api)
    alone = [unit for unit, arm in arms.items() if arm == "none"]
    found = measured(running)
    assert (found["status"], found["rows"]) == ("measured", len(alone))
    assert found["happened"] == sum(map(leaves, alone))
    assert found["predicted"] == pytest.approx(sum(scores()[unit] for unit in alone) / len(alone))
    assert (found["held_out"], found["acted_on"], found["unknown"]) == (0, 0, 0)
    assert (found["metric"], found["horizon_days"]) == ("churn", 90)
    assert found["auc_ci"][0] < found["auc"] < found["auc_ci"][1]


def test_is_stored_with_the_analysis_once(running: Experiment, api: Caller) -> None:
    live(api)
    analysis = analyze(experiment=running, as_of=START + timedelta(days=100))
    analyze(experiment=running, as_of=START + timedelta(days=100))
    stored = Calibration.objects.get()
    assert (stored.analysis, stored.as_of, stored.version) == (analysis, analysis.as_of, ModelVersion.objects.get())
    assert stored.rows == stored.content["rows"] > 100 and stored.content["status"] == "measured"


def test_whoever_was_acted_on_after_all_is_left_out(running: Experiment, api: Caller) -> None:
    arms = live(api)
    alone = [unit for unit, arm in arms.items() if arm == "none"]
    within, after = START + timedelta(days=20), START + timedelta(days=95)
    forced = {"forced": {"mode": "manual", "action": "bonus", "reason": "asked for it"}}
    decided(api, [decision_row(alone[0], event="x1", at=within, **forced)])
    decided(api, [decision_row(alone[1], event="x2", at=after, **forced)])
    found = measured(running)
    assert (found["rows"], found["acted_on"]) == (len(alone) - 1, 1)


def test_held_out_units_count_if_they_were_eligible(workspace: Workspace, churn: Experiment, api: Caller) -> None:
    apply_files(workspace, [DECLARED / "holdout.yaml"], "test")
    experiment = started(workspace, churn)
    arms = live(api)
    decided(api, [decision_row(f"low{n}", 0.05) for n in range(20)])
    held = [unit for unit, arm in arms.items() if arm == "holdout"]
    alone = [unit for unit, arm in arms.items() if arm == "none"]
    assert Decision.objects.filter(mode="holdout", score=0.05).exists()
    found = measured(experiment)
    assert (found["held_out"], found["rows"]) == (len(held), len(held) + len(alone))
    assert found["lowest"] == 0.2


def test_what_isnt_known_yet_is_not_counted(running: Experiment, api: Caller) -> None:
    arms = live(api, until=89)
    found = measured(running)
    assert (found["status"], found["reason"], found["rows"]) == ("refused", "too-few", 0)
    assert found["unknown"] == list(arms.values()).count("none")


def test_only_outcomes_within_the_models_horizon_count(running: Experiment, api: Caller) -> None:
    live(api, day=40)
    assert measured(running)["happened"] > 10
    PredictionModel.objects.update(horizon_days=30)
    assert measured(Experiment.objects.get())["happened"] == 0


def test_units_that_are_not_old_enough_are_left_out(running: Experiment, api: Caller) -> None:
    live(api)
    before = measured(running)["rows"]
    decided(api, [decision_row(f"new{n}", at=START + timedelta(days=30)) for n in range(20)])
    assert measured(running)["rows"] == before


def test_where_the_baseline_acts_nobody_was_left_alone(running: Experiment, api: Caller) -> None:
    live(api)
    Action.objects.update(no_action=False)
    assert measured(running) == {"status": "refused", "reason": "baseline-acts", "rows": 0}


def test_a_probability_needs_an_outcome_that_is_yes_or_no(running: Experiment, api: Caller) -> None:
    live(api)
    counted = Term(outcome="churned", aggregate="count")
    assert measured(running, term=counted) == {"status": "refused", "reason": "not-binary", "rows": 0}
    assert measured(running, metrics=[]) == {"status": "refused", "reason": "no-driver", "rows": 0}


def test_numbers_are_compared_as_numbers(running: Experiment, api: Caller) -> None:
    arms = live(api)
    PredictionModel.objects.update(task="regression")
    found = measured(Experiment.objects.get(), term=Term(outcome="churned", aggregate="sum"))
    alone = [unit for unit, arm in arms.items() if arm == "none"]
    assert found["mae"] == pytest.approx(sum(abs(scores()[unit] - leaves(unit)) for unit in alone) / len(alone))
    assert found["r2"] < 1 and "auc" not in found


def test_a_unit_counts_from_its_first_decision(running: Experiment, api: Caller) -> None:
    live(api)
    before = measured(running)
    decided(api, [decision_row(unit, 0.9, event=f"2-{unit}", at=START + timedelta(days=1)) for unit in scores()])
    assert measured(running) == before


def test_two_versions_are_told_apart(running: Experiment, api: Caller) -> None:
    live(api)
    model = PredictionModel.objects.get()
    other = ModelVersion.objects.create(workspace=model.workspace, model=model, version="2")
    some = Decision.objects.filter(assignment__arm__key="none").order_by("unit_id")[:5]
    for decision in some:
        type(decision.prediction).objects.filter(pk=decision.prediction.pk).update(version=other)
    running.refresh_from_db()
    agreed = from_content(running.plan)
    snapshot = freeze(experiment=running, plan=agreed, as_of=START + timedelta(days=100))
    found = calibrations(running, agreed, snapshot)
    assert (found[other.pk]["rows"], found[other.pk]["reason"]) == (5, "too-few")
    assert len(found) == 2


def test_a_loaded_experiment_has_no_scores(workspace: Workspace, tmp_path: Any) -> None:
    analyze(
        experiment=loaded(workspace, tmp_path, "unit,arm,y\n" + "".join(f"u{n},{'ab'[n % 2]},{n}\n" for n in range(40)))
    )
    assert not Calibration.objects.exists()


def test_arms_without_an_action_are_no_trouble(running: Experiment, api: Caller) -> None:
    live(api)
    Arm.objects.filter(key="bonus").update(action=None)
    assert measured(running)["rows"] == Assignment.objects.filter(arm__key="none").count()
