"""The results document: every field of the interface, and the same bytes wherever it is computed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from impact.agreements.plan import Term
from impact.analysis.document import analysis_id, results_document, seed_of
from impact.analysis.looked import Looked
from impact.analysis.models import Analysis
from impact.analysis.services import analyze
from impact.figures.sentences import completed
from tests.analysis.ground import Ground, on, plan
from tests.conftest import csv_of, loaded
from workspaces.canonical import digest, dumps
from workspaces.models import Workspace

FIELDS = {
    "": "experiment as_of analysis_id snapshot plan estimand maturity excluded checks metrics money segments policies "
    "value_ladder value_statement origin verdicts verdict",
    "snapshot": "sha256 decisions outcomes costs",
    "plan": "alpha comparisons correction looks target_roi",
    "maturity": "mature open censored",
    "excluded": "forced_safety forced_capacity manual fallback",
    "checks.0": "id severity passed statistic p_value message",
    "metrics.0": "key kind role direction unit arms comparisons",
    "metrics.0.arms.0": "arm n mean variance total",
    "metrics.0.comparisons.0": "arm baseline status reason effect se df ci p_value p_adjusted ci_adjusted lift lift_ci "
    "method always_valid adjusted",
    "metrics.0.comparisons.0.always_valid": "ci p_value",
    "metrics.0.comparisons.0.adjusted": "method effect se ci variance_reduction",
    "money": "currency arms comparisons",
    "money.arms.0": "arm n value cost net",
    "money.comparisons.0": "arm baseline value cost net total break_even roi",
    "money.comparisons.0.net": "effect se ci p_value p_gt_0",
    "money.comparisons.0.value": "effect se ci p_value",
    "money.comparisons.0.total": "value cost net net_ci",
    "money.comparisons.0.break_even": "effect metric",
    "money.comparisons.0.roi": "status point set p_above_target quadrants",
    "money.comparisons.0.roi.set": "kind bounds",
    "money.comparisons.0.roi.quadrants": "more_value_more_cost more_value_less_cost less_value_more_cost "
    "less_value_less_cost",
    "segments.0": "by value exploratory comparisons",
    "verdicts.0": "arm level",
    "verdict": "level arm sentence next_step because",
}


def full(ground: Ground) -> Analysis:
    """A live experiment with covariate, segment, driver, money and booked costs."""
    plan_of = ground.experiment.plan | {"covariates": ["age"], "segments": ["band"]}
    ground.experiment.plan, ground.experiment.plan_sha256 = plan_of, digest(plan_of)
    ground.experiment.save()
    for number in range(120):
        arm = ("none", "bonus")[number % 2]
        ground.row(
            f"u{number}", arm, covariates={"age": 20 + number % 37}, segments={"band": "LH"[number // 60]},
            stratum="LH"[number // 60],
        )  # fmt: skip
        if number % (4 if arm == "none" else 7) == 0:
            ground.outcome(f"u{number}", 5)
        if arm == "bonus":
            ground.cost(f"u{number}", 1, 1.0 + number % 3)
    ground.feed(400)
    return analyze(experiment=ground.experiment, as_of=on(400))


def at(document: Any, path: str) -> Any:
    for part in path.split(".") if path else []:
        document = document[int(part)] if part.isdigit() else document[part]
    return document


def test_has_every_field_of_the_interface(ground: Ground) -> None:
    stored = full(ground).document
    assert stored["verdict"]["level"] == "withheld", "its rows weren't drawn"
    document = completed(stored | {"verdict": {"level": "unclear", "arm": "bonus", "because": []}})
    missing = {path: set(names.split()) - set(at(document, path)) for path, names in FIELDS.items()}
    assert {path: names for path, names in missing.items() if names} == {}


def test_says_what_was_estimated_from_what(ground: Ground) -> None:
    analysis = full(ground)
    document = analysis.document
    assert (document["experiment"], document["name"], document["origin"]) == ("offers", "Offers", "live")
    assert document["as_of"] == on(400).isoformat()
    assert document["estimand"] == "per customer over 90 days, by assignment"
    assert document["snapshot"] == {
        "sha256": analysis.snapshot.sha256, "decisions": 0, "outcomes": 39, "costs": 60,
    }  # fmt: skip
    assert document["plan"] | {"sha256": ""} == {
        "sha256": "", "alpha": 0.05, "comparisons": 1, "correction": "holm", "looks": "fixed", "target_roi": 0.0,
        "smallest_effect": 0.0, "rows_per_arm": 1000, "window_days": 90.0, "episodes": False, "looks_at": [],
    }  # fmt: skip
    assert document["maturity"] == {"mature": 120, "open": 0, "censored": 0, "final": False}
    assert [arm["arm"] for arm in document["arms"] if arm["is_baseline"]] == ["none"]


def test_an_episode_is_called_one(ground: Ground) -> None:
    ground.experiment.plan |= {"episodes": True}
    ground.experiment.save()
    assert analyze(experiment=ground.experiment).document["estimand"] == (
        "per episode of a customer over 90 days, by assignment"
    )


def test_a_finding_without_rows_is_withheld(ground: Ground) -> None:
    document = analyze(experiment=ground.experiment).document
    assert document["verdict"] == {"level": "withheld", "arm": None, "because": ["mature_rows"]}
    assert document["money"]["comparisons"][0]["net"]["status"] == "not_estimable"
    assert document["money"]["arms"][0] | {"total": None} == {
        "arm": "none", "n": 0, "value": None, "cost": None, "net": None, "total": None,
    }  # fmt: skip


def test_is_strict_json_without_nan(ground: Ground, workspace: Workspace, tmp_path: Path) -> None:
    rows = csv_of({"unit": list(range(6)), "arm": ["a", "b", "c"] * 2, "y": [1, 1, 2, 1, 1, 7]})
    for analysis in (
        full(ground),
        analyze(experiment=loaded(workspace, tmp_path, rows, value={"column": "y"}, cost={"c": 1.0})),
    ):
        text = dumps(completed(analysis.document))

        def refuse(constant: str) -> None:
            raise AssertionError(constant)

        assert json.loads(text, parse_constant=refuse) == completed(analysis.document)


def test_its_id_follows_from_snapshot_plan_and_code(ground: Ground) -> None:
    analysis = full(ground)
    sha256 = ground.experiment.plan_sha256
    assert analysis.document["analysis_id"] == str(analysis.pk) == str(analysis_id(analysis.snapshot, sha256))
    assert analysis_id(analysis.snapshot, digest("other")) != analysis.pk
    assert analysis.seed == seed_of(sha256) == int(sha256[:8], 16)


RECOMPUTE = """
import json, sys
import django
django.setup()
from datetime import datetime
from dataclasses import replace
from pathlib import Path
from experiments.models import Experiment
from impact.agreements.plan import from_content
from impact.analysis.document import results_document
from impact.analysis.measure import measure
from impact.analysis.models import Snapshot
from workspaces.canonical import dumps

given = json.load(sys.stdin)
plan = from_content(given["plan"])
snapshot = Snapshot(as_of=datetime.fromisoformat(given["as_of"]), sha256=given["sha256"], manifest=given["manifest"])
experiment = Experiment(key=given["key"], plan_sha256=given["plan_sha256"])
sys.stdout.write(dumps(results_document(experiment, snapshot, plan, measure(snapshot, plan, Path(given["home"])))))
"""


@pytest.mark.parametrize(
    "environment",
    [
        {"TZ": "Asia/Tokyo", "PYTHONHASHSEED": "1"},
        pytest.param({"TZ": "America/St_Johns", "PYTHONHASHSEED": "4242", "LC_ALL": "C"}, marks=pytest.mark.slow),
    ],
)
def test_another_process_gives_the_same_bytes(ground: Ground, environment: dict[str, str]) -> None:
    analysis = full(ground)
    snapshot, experiment = analysis.snapshot, analysis.experiment
    given = {
        "plan": experiment.plan,
        "plan_sha256": experiment.plan_sha256,
        "key": experiment.key,
        "as_of": snapshot.as_of.isoformat(),
        "sha256": snapshot.sha256,
        "manifest": snapshot.manifest,
        "home": str(settings.DATA_DIR / "snapshots" / "mobile"),
    }
    done = subprocess.run(
        [sys.executable, "-c", RECOMPUTE],
        input=json.dumps(given),
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "impact.config.settings"} | environment,
        cwd=settings.ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == dumps(analysis.document)


def test_a_mean_without_money_is_primary(ground: Ground) -> None:
    for number in range(40):
        ground.row(f"u{number}", ("none", "bonus")[number % 2])
        ground.outcome(f"u{number}", 1, number % 5 + 3 * (number % 2), type="spent")
    ground.feed(400, type="spent")
    metrics = [{"role": "primary", "direction": "increase"}]
    planned = plan(term=Term(outcome="spent"))
    metric = planned.metrics[0]
    planned = plan(
        metrics=[type(metric)(**{name: getattr(metric, name) for name in metric.__struct_fields__} | metrics[0])]
    )
    snapshot = ground.frozen(planned)
    # the rows were put down by hand, so no draw gives their arms
    measured = replace(ground.measured(planned), looked=Looked())
    document = results_document(ground.experiment, snapshot, planned, measured)
    assert (document["money"], document["verdict"]["level"]) == (None, "too_early")
    assert document["metrics"][0]["comparisons"][0]["effect"] == pytest.approx(3.0)
