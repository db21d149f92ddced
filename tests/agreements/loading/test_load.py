"""Writing a finished experiment: every key of the specification, the same file twice, and nothing by half."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from experiments.models import Arm, Assignment, Decision, Experiment, Status
from impact.agreements.loading.load import load_experiment
from impact.agreements.loading.specification import read_specification
from impact.agreements.plan import Plan, from_content
from impact.analysis.models import Analysis
from impact.analysis.services import analyze
from impact.ledger.models import Cost, Feed, Outcome
from tests.conftest import csv_of, loaded, specification
from workspaces.errors import Refusal
from workspaces.models import AuditEntry, Workspace

STORED = (Experiment, Arm, Assignment, Decision, Outcome, Cost, Feed, Analysis, AuditEntry)
ROWS = csv_of(
    {
        "unit": [f"u{n}" for n in range(24)],
        "arm": ["a", "b", "b", "c"] * 6,
        "y": [3, 5, 0, 4, 1, 8, 7, 2] * 3,
        "yes": [0, 1, 1, 0, 0, 1, 0, 1] * 3,
        "spent": [0, 1, 2, 0.5] * 6,
        "age": [30, 41, 35, 50, 28, 33] * 4,
        "band": ["low"] * 12 + ["high"] * 12,
        "week": ["1", "2"] * 12,
        "store": [f"s{n // 2}" for n in range(24)],
        "p": [0.25, 0.5, 0.5, 0.25] * 6,
    }
)


def stored() -> list[int]:
    return [model.objects.count() for model in STORED]


def analysis_of(workspace: Workspace, folder: Path, rows: str = ROWS, **spec: Any) -> dict[str, Any]:
    return analyze(experiment=loaded(workspace, folder, rows, **spec)).document


def plan_of(experiment: Experiment) -> Plan:
    return from_content(experiment.plan)


def test_keeps_decisions_outcomes_and_costs(workspace: Workspace, tmp_path: Path) -> None:
    experiment = loaded(workspace, tmp_path, ROWS, cost={"b": 0.1, "c": 2.0}, name="A trial")
    assert (experiment.origin, experiment.status, experiment.name) == ("loaded", Status.CLOSED, "A trial")
    assert list(experiment.arms.values_list("key", "is_baseline")) == [("a", True), ("b", False), ("c", False)]
    assert Assignment.objects.within(workspace).count() == Decision.objects.within(workspace).count() == 24
    # a 0 says no more than the feed, which is complete
    assert Outcome.objects.within(workspace).count() == 21
    assert Outcome.objects.get(unit_id="trial/u1").value == 5
    assert Cost.objects.within(workspace).count() == 18
    assert Cost.objects.get(unit_id="trial/u3").amount == 2.0
    entry = AuditEntry.objects.get(action="load experiment")
    assert (entry.actor, entry.subject) == ("test", "trial")


def test_units_of_the_file_are_nobody_elses(workspace: Workspace, tmp_path: Path) -> None:
    loaded(workspace, tmp_path, ROWS)
    loaded(workspace, tmp_path, ROWS, experiment="second")
    assert Decision.objects.filter(unit_id="trial/u1").count() == 1
    assert Decision.objects.filter(unit_id="second/u1").count() == 1
    assert Outcome.objects.count() == 2 * 21


def test_metrics_keep_kind_role_direction_and_unit(workspace: Workspace, tmp_path: Path) -> None:
    metrics = [
        {"key": "share", "column": "yes", "kind": "proportion", "role": "driver", "direction": "decrease"},
        {"key": "mean", "column": "y", "kind": "mean", "role": "guardrail", "unit": "weeks"},
        {"key": "other", "column": "age", "kind": "mean", "role": "primary"},
        {"key": "last", "column": "spent", "kind": "mean"},
    ]
    found = analysis_of(workspace, tmp_path, metrics=metrics)["metrics"]
    assert [(one["key"], one["kind"], one["role"], one["direction"], one["unit"]) for one in found] == [
        ("share", "proportion", "driver", "decrease", ""),
        ("mean", "mean", "guardrail", "increase", "weeks"),
        ("other", "mean", "primary", "increase", ""),
        ("last", "mean", "secondary", "increase", ""),
    ]


def test_the_first_metric_is_primary_unless_another_is_or_money(workspace: Workspace, tmp_path: Path) -> None:
    metrics = [{"key": key, "column": key, "kind": "mean"} for key in ("y", "age")]
    plan = plan_of(loaded(workspace, tmp_path, ROWS, metrics=metrics))
    assert [metric.role for metric in plan.metrics] == ["primary", "secondary"]
    metrics[1]["role"] = "primary"
    plan = plan_of(loaded(workspace, tmp_path, ROWS, metrics=metrics, experiment="second"))
    assert [metric.role for metric in plan.metrics] == ["secondary", "primary"]
    plan = plan_of(loaded(workspace, tmp_path, ROWS, metrics=metrics, value={"column": "y"}, experiment="third"))
    assert [metric.role for metric in plan.metrics] == ["secondary", "driver"]


def test_value_times_a_margin_minus_cost_is_net(workspace: Workspace, tmp_path: Path) -> None:
    money = analysis_of(
        workspace, tmp_path, value={"column": "y", "multiply": 0.5}, cost={"column": "spent"}, metrics=None
    )["money"]
    arm_a, arm_b, _ = money["arms"]
    assert money["currency"] == "EUR"
    assert (arm_a["n"], arm_a["value"], arm_a["cost"], arm_a["net"]) == (6, 1.0, 0.0, 1.0)
    assert (arm_b["n"], arm_b["value"], arm_b["cost"], arm_b["net"]) == (12, 2.5, 1.5, 1.0)
    net = money["comparisons"][0]["net"]
    assert (net["arm"], net["baseline"], net["effect"]) == ("b", "a", 0.0)


def test_arms_without_a_cost_cost_nothing(workspace: Workspace, tmp_path: Path) -> None:
    money = analysis_of(workspace, tmp_path, value={"column": "y"}, cost={"b": 0.25})["money"]
    assert [arm["cost"] for arm in money["arms"]] == [0.0, 0.25, 0.0]


def test_covariates_add_the_adjusted_figure(workspace: Workspace, tmp_path: Path) -> None:
    rows = csv_of(
        {
            "unit": list(range(60)),
            "arm": ["a", "b"] * 30,
            "x": [n // 2 for n in range(60)],
            "y": [n // 2 + (n % 7) / 7 for n in range(60)],
        }
    )
    document = analysis_of(workspace, tmp_path, rows, covariates=["x"])
    [comparison] = document["metrics"][0]["comparisons"]
    assert comparison["adjusted"]["method"] == "lin"
    assert comparison["adjusted"]["se"] < comparison["se"] / 10
    assert comparison["adjusted"]["variance_reduction"] > 0.99


def test_strata_and_phases_make_cells(workspace: Workspace, tmp_path: Path) -> None:
    rows = csv_of(
        {
            "unit": list(range(16)),
            "arm": ["a", "b"] * 8,
            "band": ["l"] * 8 + ["h"] * 8,
            "week": ["1"] * 4 + ["2"] * 12,
            "y": [1, 2, 3, 5, 4, 4, 6, 9, 2, 8, 3, 7, 1, 6, 4, 5],
        }
    )
    document = analysis_of(workspace, tmp_path, rows, strata=["band"], phase="week")
    [comparison] = document["metrics"][0]["comparisons"]
    # differences of 1.5, 1.5 and 4 in cells of 4, 4 and 8 rows
    assert comparison["method"] == "randomization"
    assert comparison["effect"] == pytest.approx(1.5 / 4 + 1.5 / 4 + 4 / 2)


def test_segments_are_looked_at(workspace: Workspace, tmp_path: Path) -> None:
    segments = analysis_of(workspace, tmp_path, segments=["band", "week"])["segments"]
    assert [(one["by"], one["value"], one["n"], one["exploratory"]) for one in segments] == [
        ("band", "high", 12, True),
        ("band", "low", 12, True),
        ("week", "1", 12, True),
        ("week", "2", 12, True),
    ]


def sample_ratio_of(document: dict[str, Any]) -> dict[str, Any]:
    return next(check for check in document["checks"] if check["id"] == "sample_ratio")


def test_weights_are_what_the_sample_ratio_expects(workspace: Workspace, tmp_path: Path) -> None:
    experiment = loaded(workspace, tmp_path, ROWS, weights={"a": 1, "b": 2, "c": 1})
    check = sample_ratio_of(analyze(experiment=experiment).document)
    assert (check["passed"], check["p_value"]) == (True, 1.0)
    assert check["numbers"]["expected"] == {"a": 6.0, "b": 12.0, "c": 6.0}
    assert set(Assignment.objects.values_list("arm__key", "propensity")) == {("a", 0.25), ("b", 0.5), ("c", 0.25)}


TWO_ARMS = csv_of(
    {
        "unit": list(range(200)),
        "arm": ["b", "a", "a", "a", "a"] * 40,
        "p": [0.2, 0.8, 0.8, 0.8, 0.8] * 40,
        "y": [n % 9 for n in range(200)],
    }
)


def test_propensities_are_what_the_sample_ratio_of_two_arms_expects(workspace: Workspace, tmp_path: Path) -> None:
    check = sample_ratio_of(analysis_of(workspace, tmp_path, TWO_ARMS, propensity={"column": "p"}))
    assert check["passed"] and check["p_value"] == pytest.approx(1.0)
    assert check["numbers"]["expected"] == {"a": pytest.approx(160), "b": pytest.approx(40)}


def test_without_weights_the_sample_ratio_is_unknown(workspace: Workspace, tmp_path: Path) -> None:
    document = analysis_of(workspace, tmp_path, TWO_ARMS)
    assert sample_ratio_of(document)["severity"] == "info"
    assert document["verdict"]["level"] != "withheld"


def test_clusters_are_what_was_randomized(workspace: Workspace, tmp_path: Path) -> None:
    rows = csv_of(
        {
            "unit": list(range(120)),
            "arm": ["a"] * 60 + ["b"] * 60,
            "store": [f"s{n // 5}" for n in range(120)],
            "y": [n % 13 + (n // 5) % 4 for n in range(120)],
        }
    )
    document = analysis_of(
        workspace, tmp_path, rows, cluster={"column": "store"}, weights={"a": 1, "b": 1}, segments=["store"]
    )
    [comparison] = document["metrics"][0]["comparisons"]
    assert comparison["method"] == "cluster_cr2"
    assert sample_ratio_of(document)["numbers"]["counts"] == {"a": 12, "b": 12}
    assert document["segments"] == []


def test_all_pairs_may_be_compared(workspace: Workspace, tmp_path: Path) -> None:
    document = analysis_of(workspace, tmp_path, comparisons="all")
    assert document["plan"]["comparisons"] == 3
    assert [(one["arm"], one["baseline"]) for one in document["metrics"][0]["comparisons"]] == [
        ("b", "a"),
        ("c", "a"),
        ("b", "c"),
    ]


@pytest.mark.parametrize(("missing", "n", "mean"), [("zero", 3, 2.0), ("censored", 2, 3.0)])
def test_an_empty_cell_counts_as_zero_or_not_at_all(
    workspace: Workspace, tmp_path: Path, missing: str, n: int, mean: float
) -> None:
    rows = "unit,arm,y\n1,a,2\n2,a,4\n3,a,\n4,b,0\n5,b,1\n6,b,2\n"
    document = analysis_of(workspace, tmp_path, rows, missing=missing)
    arm = document["metrics"][0]["arms"][0]
    assert (arm["n"], arm["mean"]) == (n, mean)
    assert document["maturity"]["censored"] == 3 - n


def test_alpha_and_target_roi_are_kept(workspace: Workspace, tmp_path: Path) -> None:
    wide = analysis_of(workspace, tmp_path, alpha=0.2, target_roi=0.5, value={"column": "y"}, cost={"column": "spent"})
    narrow = analysis_of(
        workspace, tmp_path, alpha=0.01, value={"column": "y"}, cost={"column": "spent"}, experiment="second"
    )
    assert (wide["plan"]["alpha"], wide["plan"]["target_roi"]) == (0.2, 0.5)
    ends = [document["money"]["comparisons"][0]["net"]["ci"] for document in (wide, narrow)]
    assert ends[0][1] - ends[0][0] < ends[1][1] - ends[1][0]
    roi = wide["money"]["comparisons"][0]["roi"]
    assert roi["target"] == 0.5 and roi["p_above_target"] < roi["quadrants"]["more_value_more_cost"]


def test_currency_must_be_the_workspaces(workspace: Workspace, tmp_path: Path) -> None:
    before = stored()
    with pytest.raises(Refusal, match="currency == 'USD', the workspace mobile counts in EUR") as refused:
        loaded(workspace, tmp_path, ROWS, currency="USD")
    assert refused.value.code == "other-currency" and stored() == before
    assert loaded(workspace, tmp_path, ROWS, currency="EUR").plan["currency"] == "EUR"


def test_the_same_file_twice_is_the_same_experiment_and_analysis(workspace: Workspace, tmp_path: Path) -> None:
    first = analyze(experiment=loaded(workspace, tmp_path, ROWS))
    counts = stored()
    again = analyze(experiment=loaded(workspace, tmp_path, ROWS))
    assert again.pk == first.pk and stored() == counts


@pytest.mark.parametrize(
    ("rows", "spec"),
    [
        (ROWS.replace("u7", "v7"), {}),
        (ROWS, {"alpha": 0.1}),
        (ROWS, {"cost": {"b": 0.2}}),
        (ROWS, {"cost": {"column": "age"}}),
        (ROWS, {"strata": ["band"]}),
        (ROWS, {"phase": "week"}),
        (ROWS, {"unit": {"generate": True}}),
        (ROWS, {"missing": "zero"}),
    ],
)
def test_the_same_key_with_other_content_is_refused(
    workspace: Workspace, tmp_path: Path, rows: str, spec: dict[str, Any]
) -> None:
    loaded(workspace, tmp_path, ROWS, cost={"b": 0.1}, value={"column": "y"})
    counts = stored()
    with pytest.raises(Refusal, match="There is an experiment 'trial' with another specification or file") as refused:
        loaded(workspace, tmp_path, rows, **({"cost": {"b": 0.1}, "value": {"column": "y"}} | spec))
    assert refused.value.code == "experiment-exists" and stored() == counts


def test_a_live_experiments_key_is_taken(workspace: Workspace, churn: Experiment, tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="There is an experiment 'offers'"):
        loaded(workspace, tmp_path, ROWS, experiment="offers")


def test_each_workspace_has_its_own(workspace: Workspace, other_workspace: Workspace, tmp_path: Path) -> None:
    first, second = loaded(workspace, tmp_path, ROWS), loaded(other_workspace, tmp_path, ROWS)
    assert first.pk != second.pk and first.plan == second.plan
    assert Decision.objects.within(other_workspace).count() == 24


def test_a_bad_last_row_loads_nothing(workspace: Workspace, tmp_path: Path) -> None:
    before = stored()
    with pytest.raises(Refusal, match="line 26"):
        loaded(workspace, tmp_path, ROWS + "u99,a,much,0,0,30,low,1,s1,0.5\n")
    assert stored() == before


def test_two_rows_that_would_be_one_event_load_nothing(workspace: Workspace, tmp_path: Path) -> None:
    rows = "unit,arm,x,x/x\nu,a,1,2\nu/x,b,3,4\n"
    metrics = [{"key": key, "column": column, "kind": "mean"} for key, column in (("one", "x"), ("two", "x/x"))]
    before = stored()
    with pytest.raises(Refusal, match="would be one outcome"):
        loaded(workspace, tmp_path, rows, metrics=metrics)
    assert stored() == before


def test_an_interruption_while_storing_loads_nothing(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(ROWS)
    before = stored()

    def interrupted(share: float, message: str) -> None:
        if message == "storing outcomes and costs":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load_experiment(
            workspace=workspace,
            path=tmp_path / "rows.csv",
            spec=read_specification(specification(tmp_path)),
            actor="test",
            progress=interrupted,
        )
    assert stored() == before
