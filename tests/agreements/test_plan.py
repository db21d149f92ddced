"""What an agreement foresees: break-even, rows needed and the effect that can be proven, as story A works them out."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path
from statistics import mean, variance
from typing import Any

import pytest
import yaml
from scipy.stats import norm

from experiments.models import Experiment
from experiments.selectors import experiment_named
from impact.agreements.plan import Plan, from_content, to_content
from impact.config.declarations import apply_files
from impact.figures.agreement import agreement_page
from tests.conftest import DECLARED
from workspaces.errors import Refusal
from workspaces.models import Workspace

STORY = json.loads((DECLARED.parent / "reference" / "stories.json").read_text())["story_a"]


def planned(workspace: Workspace, folder: Path, *, strata: Any = (), metrics: Any = (), **changes: Any) -> Plan:
    """The plan of story A: three arms, 22 % leave, the action is to lower that by so much."""
    declared = yaml.safe_load((DECLARED / "churn.yaml").read_text())
    declared["experiments"][0] |= {"arms": [{"action": "none"}, {"action": "bonus"}, {"action": "credit"}]}
    declared["experiments"][0] |= {"strata": list(strata)}
    declared["metrics"] += metrics
    declared["agreements"][0] |= {"rows_per_arm": 15000} | changes
    file = folder / "story.yaml"
    file.write_text(yaml.safe_dump(declared))
    apply_files(workspace, [file], "test")
    return from_content(experiment_named(workspace, "offers").agreements.get().content)


def explained_by_bands() -> float:
    """Share of the variance of leaving, without the action, that lies between the story's score bands."""
    with gzip.open(DECLARED.parent / "reference" / "story_a.csv.gz", "rt") as file:
        rows = [(row["band"], int(row["churned"])) for row in csv.DictReader(file) if row["arm"] == "none"]
    rates = {band: mean(left for of, left in rows if of == band) for band in STORY["band_share"]}
    return variance(rates[band] for band, _ in rows) / variance(left for _, left in rows)


def within_bands(workspace: Workspace, folder: Path, effect: float) -> Plan:
    """The plan of story A as it is randomized, within score bands."""
    expected = {"baseline": 0.22, "effect": -effect, "explained": explained_by_bands()}
    return planned(workspace, folder, strata=[{"score": {"L": 0.1, "M": 0.2, "H": 0.35}}], expected=expected)


@pytest.mark.parametrize("effect", [0.012, 0.015, 0.02])
def test_rows_needed_within_strata_are_those_of_the_story(workspace: Workspace, tmp_path: Path, effect: float) -> None:
    plan = within_bands(workspace, tmp_path, effect)
    wanted = STORY["planning"]["n_per_arm_for_net_of_true_churn_effect"][str(effect)]
    assert plan.case.rows_needed["bonus"] == pytest.approx(wanted, rel=0.02)


def test_the_provable_effect_is_that_of_the_story(workspace: Workspace, tmp_path: Path) -> None:
    plan = within_bands(workspace, tmp_path, 0.012)
    wanted = STORY["planning"]["detectable_net_per_customer_at_15000"]
    assert plan.case.detectable_effect == pytest.approx(wanted, rel=0.02)


def test_strata_explain_nothing_where_there_are_none(workspace: Workspace, tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="has no strata") as refused:
        planned(workspace, tmp_path, expected={"baseline": 0.22, "effect": -0.012, "explained": 0.05})
    assert refused.value.pointer == "/expected/explained"


def test_the_variance_of_a_mean_is_not_foreseen(workspace: Workspace, tmp_path: Path) -> None:
    usage = {"key": "usage", "name": "Usage", "kind": "mean", "of": {"outcome": "churned"}}
    plan = planned(
        workspace, tmp_path, metrics=[usage], drivers=["usage"], expected={"baseline": 12.0, "effect": -0.015}
    )
    assert plan.case.expected_net["bonus"] == pytest.approx(2.8)
    assert (plan.case.rows_needed, plan.case.detectable_effect) == ({}, None)


def test_rows_needed_are_those_of_the_net_value(workspace: Workspace, tmp_path: Path) -> None:
    plan = planned(workspace, tmp_path, expected={"baseline": 0.22, "effect": -0.015})
    # two comparisons share alpha; what varies is leaving, at 300 a customer
    distance = norm.ppf(1 - 0.025 / 2) + norm.ppf(0.8)
    variance = 300**2 * (0.22 * 0.78 + 0.205 * 0.795)
    assert plan.case.expected_net == {
        "bonus": pytest.approx(4.5 - 1.7, rel=1e-12),
        "credit": pytest.approx(4.5 - 17.5, rel=1e-12),
    }
    assert plan.case.rows_needed == {
        "bonus": pytest.approx(distance**2 * variance / 2.8**2, rel=1e-9),
        "credit": pytest.approx(distance**2 * variance / 13**2, rel=1e-9),
    }
    assert plan.case.detectable_effect == pytest.approx(distance * (variance / 15000) ** 0.5, rel=1e-9)


def test_the_page_says_break_even_rows_and_provable_effect(workspace: Workspace, tmp_path: Path) -> None:
    plan = planned(workspace, tmp_path, expected={"baseline": 0.22, "effect": -0.015})
    page = agreement_page(to_content(plan), "en")
    none, bonus, credit = page["arms"]
    assert (none["break_even"], none["expected"], none["rows_needed"]) == (None, "", "")
    assert (bonus["break_even"], bonus["cost"]) == ("0.57 points", "1.70\u00a0EUR")
    assert (bonus["expected"], bonus["rows_needed"]) == ("2.80\u00a0EUR", "36,507")
    assert (credit["break_even"], credit["expected"]) == ("5.83 points", "\u221213.00\u00a0EUR")
    assert page["detectable"] == "4.37\u00a0EUR"
    assert page["rows_per_arm"] == "15,000"
    assert page["assumptions"][0]["range"] == "170 to 340"


def test_without_an_expected_effect_nothing_is_foreseen(workspace: Workspace, tmp_path: Path) -> None:
    plan = planned(workspace, tmp_path, expected=None)
    assert (plan.case.expected_net, plan.case.rows_needed, plan.case.detectable_effect) == ({}, {}, None)
    assert agreement_page(to_content(plan), "en")["detectable"] == ""


def test_everything_is_resolved_to_numbers(churn: Experiment) -> None:
    plan = from_content(churn.agreements.get().content)
    assert [(arm.key, arm.is_baseline, arm.weight, arm.planned_cost) for arm in plan.arms] == [
        ("none", True, 1, 0.0),
        ("bonus", False, 1, pytest.approx(1.7)),
    ]
    assert plan.net is not None
    [term] = plan.net.value
    assert (term.outcome, term.aggregate, term.default, term.times, term.assumption) == (
        "churned", "any", 0.0, -300.0, "kept",
    )  # fmt: skip
    assert plan.break_even is not None and (plan.break_even.metric, plan.break_even.times) == ("churn", -300.0)
    assert [(metric.key, metric.role, metric.direction) for metric in plan.metrics] == [("churn", "driver", "decrease")]
    assert (plan.origin, plan.horizon_days, plan.currency, plan.unit_type) == ("live", 90, "EUR", "customer")


def test_comparisons_are_with_the_baseline_or_all(churn: Experiment) -> None:
    content = churn.agreements.get().content
    arms = [{"key": key, "name": key, "is_baseline": key == "b", "weight": 1, "planned_cost": 0} for key in "abc"]
    assert from_content(content | {"arms": arms}).pairs == [("a", "b"), ("c", "b")]
    assert from_content(content | {"arms": arms, "comparisons": "all"}).pairs == [("a", "b"), ("c", "b"), ("a", "c")]


def test_a_plan_survives_storing(churn: Experiment) -> None:
    content = churn.agreements.get().content
    assert to_content(from_content(content)) == content
