"""Declaring metrics, assumptions and agreements: created, unchanged, changed, refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from experiments.models import Experiment
from impact.agreements.models import Agreement, Assumption, Metric
from impact.agreements.plan import StopOrWait, from_content
from impact.agreements.services import foreseen
from impact.config.declarations import apply_files
from tests.conftest import DECLARED, declared_churn, loaded, started
from tests.experiments.design import declared
from workspaces.canonical import digest
from workspaces.errors import Refusal
from workspaces.models import AuditEntry, Workspace

KEPT = {
    "key": "kept", "name": "Value of a kept customer", "low": 170, "base": 300, "high": 340, "unit": "EUR",
    "owner": "Finance", "status": "agreed",
}  # fmt: skip
CHURN = {
    "key": "churn", "name": "Churn", "kind": "proportion", "direction": "decrease",
    "of": {"outcome": "churned", "aggregate": "any"},
}  # fmt: skip
AGREEMENT = yaml.safe_load((DECLARED / "churn.yaml").read_text())["agreements"][0]


def apply(workspace: Workspace, folder: Path, **lists: list[Any]) -> list[tuple[str, str, str]]:
    """Apply one file and return what became of each of its items."""
    file = folder / "declared.yaml"
    file.write_text(yaml.safe_dump(lists), encoding="utf-8")
    return [(change.kind, change.key, change.did) for change in apply_files(workspace, [file], "test")]


def test_the_same_file_twice_changes_nothing(workspace: Workspace) -> None:
    first = apply_files(workspace, [DECLARED / "churn.yaml"], "test")
    entries = AuditEntry.objects.count()
    again = apply_files(workspace, [DECLARED / "churn.yaml"], "test")
    assert {change.did for change in first} == {"created"}
    assert {change.did for change in again} == {"unchanged"}
    assert AuditEntry.objects.count() == entries
    assert Agreement.objects.count() == 1


def test_a_changed_assumption_is_a_new_version(workspace: Workspace, tmp_path: Path) -> None:
    apply(workspace, tmp_path, assumptions=[KEPT])
    assert apply(workspace, tmp_path, assumptions=[KEPT | {"base": 310}]) == [("assumption", "kept", "changed")]
    versions = Assumption.objects.within(workspace).order_by("version").values_list("version", "base", "is_current")
    assert list(versions) == [(1, 300, False), (2, 310, True)]


def test_a_changed_metric_is_a_new_version(workspace: Workspace, tmp_path: Path) -> None:
    apply(workspace, tmp_path, metrics=[CHURN])
    assert apply(workspace, tmp_path, metrics=[CHURN]) == [("metric", "churn", "unchanged")]
    assert apply(workspace, tmp_path, metrics=[CHURN | {"name": "Leavers"}]) == [("metric", "churn", "changed")]
    assert Metric.objects.within(workspace).current().get().version == 2


@pytest.mark.parametrize(
    ("name", "item", "said"),
    [
        (
            "assumptions",
            KEPT | {"low": 301},
            r"line 2, assumptions\[0\] \(base\): low, base, high == 301.0, 300.0, 340.0, must ascend",
        ),
        ("assumptions", KEPT | {"status": "hoped"}, r"assumptions\[0\] \(status\): Invalid enum value 'hoped'"),
        ("assumptions", KEPT | {"extra": 1}, "extra"),
        ("metrics", CHURN | {"of": {"outcome": "churned", "aggregate": "sum"}}, "aggregate: any"),
        ("metrics", CHURN | {"kind": "net value"}, "a net value metric has value"),
        ("metrics", CHURN | {"kind": "ratio"}, "a ratio metric has of and per, nothing else"),
        ("metrics", CHURN | {"per": {"outcome": "visit"}}, "a proportion metric has of, nothing else"),
        (
            "metrics",
            CHURN | {"kind": "ratio", "per": {"outcome": "visit", "window_days": 30}},
            "window_days == None above and 30.0 below",
        ),
        ("metrics", CHURN | {"of": {"outcome": "churned", "aggregate": "any", "cap": 0.9}}, "no tail to cap"),
        ("metrics", CHURN | {"kind": "mean", "of": {"outcome": "spent", "cap": 1.0}}, "cap"),
        ("metrics", CHURN | {"covariates": [{"outcome": "spent", "days": 0}]}, "days"),
        ("metrics", CHURN | {"direction": "down"}, "down"),
        ("agreements", AGREEMENT, "There is no experiment 'offers' in this workspace"),
    ],
)
def test_refuses(workspace: Workspace, tmp_path: Path, name: str, item: Any, said: str) -> None:
    with pytest.raises(Refusal, match=said):
        apply(workspace, tmp_path, **{name: [item]})
    assert not Assumption.objects.exists() and not Metric.objects.exists()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"primary": "profit"}, "no metric 'profit'"),
        ({"drivers": ["leavers"]}, "no metric 'leavers'"),
        ({"guardrails": [{"metric": "calls", "margin": 1.0}]}, "no metric 'calls'"),
        ({"experiment": "elsewhere"}, "no experiment 'elsewhere'"),
    ],
)
def test_an_agreement_names_only_what_there_is(
    workspace: Workspace, churn: Experiment, tmp_path: Path, changes: Any, said: str
) -> None:
    with pytest.raises(Refusal, match=said):
        apply(workspace, tmp_path, agreements=[AGREEMENT | changes])
    assert churn.agreements.count() == 1


def test_a_metric_names_only_assumptions_that_there_are(
    workspace: Workspace, churn: Experiment, tmp_path: Path
) -> None:
    net = {"key": "net", "name": "Net", "kind": "net value", "value": [{"outcome": "churned", "times": "lost"}]}
    with pytest.raises(Refusal, match="no assumption 'lost'"):
        apply(workspace, tmp_path, metrics=[net], agreements=[AGREEMENT])


def test_another_workspaces_metric_is_a_missing_one(
    other_workspace: Workspace, workspace: Workspace, tmp_path: Path
) -> None:
    declared_churn(workspace)
    apply(other_workspace, tmp_path, metrics=[CHURN | {"key": "calls"}])
    with pytest.raises(Refusal, match="no metric 'calls'"):
        apply(workspace, tmp_path, agreements=[AGREEMENT | {"secondary": ["calls"]}])


def test_what_was_agreed_stays_when_an_assumption_changes(
    workspace: Workspace, churn: Experiment, tmp_path: Path
) -> None:
    before = churn.agreements.get()
    apply(workspace, tmp_path, assumptions=[KEPT | {"base": 200}])
    after = churn.agreements.get()
    assert after.content == before.content
    assert after.sha256 == digest(after.content)
    assert after.content["net"]["value"][0]["times"] == -300
    since = {"version": 1, "source": "", "valid_from": None, "cash": None}
    assert after.content["case"]["assumptions"] == [KEPT | {"low": 170.0, "base": 300.0, "high": 340.0} | since]


def test_a_draft_is_agreed_anew_with_the_new_numbers(workspace: Workspace, churn: Experiment, tmp_path: Path) -> None:
    did = apply(workspace, tmp_path, assumptions=[KEPT | {"base": 200}], agreements=[AGREEMENT])
    assert did == [("assumption", "kept", "changed"), ("agreement", "offers", "changed")]
    newest = churn.agreements.order_by("version").last()
    assert newest.version == 2
    assert newest.content["net"]["value"][0]["times"] == -200


def test_a_running_experiments_agreement_cant_change(workspace: Workspace, running: Experiment, tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="its agreement is signed and can't change any more") as refused:
        apply(workspace, tmp_path, agreements=[AGREEMENT | {"alpha": 0.1}])
    assert refused.value.code == "in-use"
    assert running.agreements.count() == 1


def test_a_dry_run_writes_nothing(workspace: Workspace) -> None:
    changes = apply_files(workspace, [DECLARED / "churn.yaml"], "test", dry_run=True)
    assert changes and not Metric.objects.exists() and not Experiment.objects.exists()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"alpha": 0}, "alpha"),
        ({"alpha": 1.5, "expected": None}, "alpha"),
        ({"power": 1}, "power"),
        ({"rows_per_arm": 0}, "rows_per_arm"),
        ({"smallest_effect": -1}, "smallest_effect"),
        ({"expected": {"baseline": 0.01, "effect": -0.02}}, "expected"),
        ({"guardrails": [{"metric": "churn", "margin": 0.01}]}, "churn"),
        ({"drivers": ["churn", "churn"]}, "churn"),
        ({"looks": "weekly"}, "looks"),
        ({"looks_at": [0.5, 1]}, "looks_at"),
        ({"looks": "group_sequential", "looks_at": [1]}, "two or more that rise and end with 1"),
        ({"looks": "group_sequential", "looks_at": [0.5, 0.5, 1]}, "looks_at"),
        ({"looks": "group_sequential", "looks_at": [0.5, 0.9]}, "looks_at"),
        ({"looks": "group_sequential", "looks_at": [0, 1]}, "looks_at"),
    ],
)
def test_an_agreement_that_cant_be_analysed_is_refused(
    workspace: Workspace, churn: Experiment, tmp_path: Path, changes: Any, said: str
) -> None:
    with pytest.raises(Refusal, match=said):
        apply(workspace, tmp_path, agreements=[AGREEMENT | changes])


@pytest.mark.parametrize(
    ("looks", "most"),
    [({"looks": "group_sequential", "looks_at": [0.25, 0.5, 0.75, 1]}, 1.03), ({"looks": "always_valid"}, 2.0)],
)
def test_looking_early_takes_more_rows(
    workspace: Workspace, churn: Experiment, tmp_path: Path, looks: Any, most: float
) -> None:
    before = churn.agreements.get().content
    apply(workspace, tmp_path, agreements=[AGREEMENT | looks])
    after = churn.agreements.order_by("version").last().content
    assert after["looks_at"] == looks.get("looks_at", [])
    for arm, rows in before["case"]["rows_needed"].items():
        assert 1 < after["case"]["rows_needed"][arm] / rows < most
    assert after["case"]["detectable_effect"] > before["case"]["detectable_effect"]


def test_a_loaded_experiment_cant_be_agreed_afterwards(workspace: Workspace, tmp_path: Path) -> None:
    loaded(workspace, tmp_path, "unit,arm,y\nu1,a,1\nu2,a,2\nu3,b,3\nu4,b,5\n")
    apply(workspace, tmp_path, assumptions=[KEPT], metrics=[CHURN])
    with pytest.raises(Refusal, match="loaded after it had ended"):
        apply(workspace, tmp_path, agreements=[AGREEMENT | {"experiment": "trial", "primary": "churn", "drivers": []}])


def test_a_started_experiments_file_may_be_applied_again(workspace: Workspace, churn: Experiment) -> None:
    started(workspace, churn)
    assert {change.did for change in apply_files(workspace, [DECLARED / "churn.yaml"], "test")} == {"unchanged"}


CASES = KEPT | {"key": "cases", "name": "Cases a year", "low": 200, "base": 270, "high": 300, "unit": "cases"}
DEPLOYMENT = {"cases_per_year": "cases", "build": 100.0, "years": 3, "spread": 2.0, "deploys": "table"}
POLICY = {"key": "table", "decision_point": "offer", "kind": "fixed", "role": "challenger", "action": "bonus"}


def test_a_year_is_signed_with_its_numbers_and_their_assumptions(
    workspace: Workspace, churn: Experiment, tmp_path: Path
) -> None:
    cash = {"months": 24, "kept": 0.975, "rate": 0.1}
    apply(
        workspace,
        tmp_path,
        policies=[POLICY],
        assumptions=[CASES, KEPT | {"cash": cash, "valid_from": "2026-01-01T00:00:00Z"}],
        agreements=[AGREEMENT | {"deployment": DEPLOYMENT}],
    )
    content = churn.agreements.order_by("version").last().content
    assert content["deployment"]["cases_per_year"] == {"base": 270.0, "assumption": "cases"}
    assert content["deployment"]["build"] == {"base": 100.0, "assumption": None}
    assert (content["deployment"]["deploys"], content["deployment"]["expires_months"]) == ("table", 12)
    assert content["policies"] == [{"key": "table", "version": 1, "role": "challenger"}]
    assert [one["key"] for one in content["case"]["assumptions"]] == ["cases", "kept"]
    assert content["case"]["assumptions"][1] | {"version": 0} == KEPT | {
        "cash": cash, "valid_from": "2026-01-01T00:00:00+00:00", "source": "", "version": 0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"cases_per_year": "volume"}, "no assumption 'volume'"),
        ({"cases_per_year": -1.0}, "cases_per_year == -1.0, must be at least 0"),
        ({"adoption": "cases"}, "adoption == 'cases', must be at least 0 and at most 1"),
        ({"discount_rate": 1.5}, "discount_rate == 1.5"),
        ({"deploys": "nothing"}, "no policy 'nothing'"),
        ({"todays_rule": "nothing"}, "no policy 'nothing'"),
        ({"years": 0}, "years"),
        ({"holdout": 1.0}, "holdout"),
    ],
)
def test_an_impossible_year_is_refused(
    workspace: Workspace, churn: Experiment, tmp_path: Path, changes: Any, said: str
) -> None:
    agreement = AGREEMENT | {"deployment": DEPLOYMENT | changes}
    with pytest.raises(Refusal, match=said):
        apply(workspace, tmp_path, policies=[POLICY], assumptions=[CASES], agreements=[agreement])


TIMING = {"stop": "bonus", "wait": "none", "failures": "churn"}


def test_stopping_or_waiting_is_signed_with_its_costs(workspace: Workspace, churn: Experiment, tmp_path: Path) -> None:
    apply(workspace, tmp_path, agreements=[AGREEMENT | {"stop_or_wait": TIMING}])
    case = from_content(churn.agreements.latest("version").content).stop_or_wait
    assert case == StopOrWait(stop="bonus", wait="none", failures="churn", now=1.7, window=0.0, loss=300.0)


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"stop": "credit"}, "/stop_or_wait/stop"),
        ({"wait": "nothing"}, "/stop_or_wait/wait"),
        ({"failures": "net"}, "/stop_or_wait/failures"),
        ({"failures": "unknown"}, "/stop_or_wait/failures"),
    ],
)
def test_stopping_or_waiting_needs_arms_and_a_metric_of_failures(
    workspace: Workspace, churn: Experiment, tmp_path: Path, changes: Any, pointer: str
) -> None:
    with pytest.raises(Refusal) as refused:
        apply(workspace, tmp_path, agreements=[AGREEMENT | {"stop_or_wait": TIMING | changes}])
    assert refused.value.pointer.endswith(pointer)


def test_a_kept_customer_breaks_even_as_a_lost_one_does(
    workspace: Workspace, churn: Experiment, tmp_path: Path
) -> None:
    """Paid for where nobody left, instead of charged where somebody did."""
    before = from_content(churn.agreements.latest("version").content)
    kept = {"outcome": "churned", "aggregate": "none", "times": "kept"}
    apply(workspace, tmp_path, metrics=[{"key": "net", "name": "Net", "kind": "net value", "value": [kept]}])
    apply(workspace, tmp_path, agreements=[AGREEMENT])
    after = from_content(churn.agreements.latest("version").content)
    assert after.break_even == before.break_even and after.case.expected_net == before.case.expected_net
    assert after.net != before.net


def test_a_year_needs_money(workspace: Workspace, churn: Experiment, tmp_path: Path) -> None:
    agreement = AGREEMENT | {"primary": "churn", "drivers": [], "deployment": {"cases_per_year": 1.0}}
    agreement.pop("expected")
    with pytest.raises(Refusal, match="churn is no money: leave the deployment out"):
        apply(workspace, tmp_path, agreements=[agreement])


CLUSTERED = {"experiment": {"randomize": "cluster"}, "point": {"cluster": "household"}}


@pytest.mark.parametrize(
    ("said", "factor"), [({"size": 20, "icc": 0.05}, 1.95), ({"size": 20, "icc": 0.05, "cv": 1}, 2.95)]
)
def test_agreed_clusters_cost_rows(workspace: Workspace, tmp_path: Path, said: dict[str, float], factor: float) -> None:
    """1 + (20 (1 + cv^2) - 1) .05 times the rows, and the square root of it times the effect."""
    single = declared(workspace, tmp_path).agreements.get().content["case"]
    experiment = declared(workspace, tmp_path, **CLUSTERED, agreements=[AGREEMENT | {"clusters": said}])
    case = experiment.agreements.latest("version").content["case"]
    assert case["clusters"] == {"cv": 0.0, **said, "design_effect": pytest.approx(factor)}
    assert case["rows_needed"]["bonus"] == pytest.approx(factor * single["rows_needed"]["bonus"])
    assert case["detectable_effect"] == pytest.approx(factor**0.5 * single["detectable_effect"], rel=0.02)
    assert case["expected_net"] == single["expected_net"]


def test_of_clusters_that_nobody_agreed_nothing_is_foreseen(workspace: Workspace, tmp_path: Path) -> None:
    experiment = declared(workspace, tmp_path, **CLUSTERED)
    agreement = experiment.agreements.latest("version")
    assert (agreement.content["case"]["rows_needed"], agreement.content["case"]["detectable_effect"]) == ({}, None)
    assert agreement.content["case"]["expected_net"]["bonus"] == pytest.approx(4.3)
    assert [one.id for one in foreseen(agreement, experiment) if not one.passed] == ["clusters_alike"]


@pytest.mark.parametrize(
    ("design", "clusters", "said"),
    [
        ({}, {"size": 20, "icc": 0.05}, "offers randomizes by unit, not by cluster; leave clusters out"),
        (CLUSTERED, {"size": 501, "icc": 0.05}, "rows_per_arm == 1000, must be at least two clusters of 501 rows"),
        (CLUSTERED, {"size": 20, "icc": 1.1}, "icc"),
        (CLUSTERED, {"size": 20}, "icc"),
        (CLUSTERED, {"size": 0.5, "icc": 0.1}, "size"),
    ],
)
def test_refuses_clusters(workspace: Workspace, tmp_path: Path, design: Any, clusters: Any, said: str) -> None:
    with pytest.raises(Refusal, match=said):
        declared(workspace, tmp_path, **design, agreements=[AGREEMENT | {"clusters": clusters}])
