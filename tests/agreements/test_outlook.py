"""What a plan can prove, against the agreement's own figures and against the planning functions."""

from __future__ import annotations

import math

import pytest

from experiments.models import Experiment
from impact.agreements.outlook import Sketch, chances_of, outlook
from impact.stats.planning import Plan, Variances
from impact.stats.verdict_chances import verdict_chances

STORY = Sketch(
    before=0.22, effect=-0.015, times=-300.0, costs={"bonus": 1.70, "credit": 17.50}, rows_per_arm=15_000,
    per_week=5_000, share=1 / 3,
)  # fmt: skip


def test_the_storys_plan_is_foreseen_as_it_was_agreed() -> None:
    found = outlook(STORY)
    assert found["net"]["bonus"] == pytest.approx(2.80)
    assert found["break_even"]["bonus"] == pytest.approx(-1.70 / 300)
    assert found["break_even"]["credit"] == pytest.approx(-17.50 / 300)
    assert found["best"] == "bonus"
    # the story's own figures take the variance within its strata, which is a little smaller
    assert found["detectable"] == pytest.approx(4.27, rel=0.03)
    assert found["needed"]["bonus"] == pytest.approx(34_887, rel=0.05)
    assert found["weeks_planned"] == pytest.approx(9)
    assert found["chance"] == pytest.approx(0.41, abs=0.02)


def test_it_is_what_the_agreement_freezes(churn: Experiment) -> None:
    case = churn.agreements.get().content["case"]
    found = outlook(Sketch(before=0.2, effect=-0.02, times=-300.0, costs={"bonus": 1.7}, rows_per_arm=1000))
    assert found["net"] == pytest.approx(case["expected_net"])
    assert found["detectable"] == pytest.approx(case["detectable_effect"])
    assert found["needed"]["bonus"] == math.ceil(case["rows_needed"]["bonus"])


def test_the_curve_falls_and_meets_the_planned_week() -> None:
    curve = outlook(STORY)["curve"]
    amounts = [amount for _, amount in curve]
    assert amounts == sorted(amounts, reverse=True) and len(curve) == 52
    assert dict(curve)[9] == pytest.approx(outlook(STORY)["detectable"])


def test_without_rows_a_week_there_is_no_curve() -> None:
    found = outlook(STORY._replace(per_week=None))
    assert found["curve"] == [] and found["weeks_needed"] is None and found["weeks_planned"] is None


def test_what_is_explained_needs_no_rows() -> None:
    plain, explained = outlook(STORY), outlook(STORY._replace(explained=0.5))
    assert explained["detectable"] == pytest.approx(plain["detectable"] / math.sqrt(2))


def test_clusters_cost_their_design_effect() -> None:
    """20 rows a cluster that correlate by .05: 1 + 19 x .05 = 1.95 times the rows."""
    plain, clustered = outlook(STORY), outlook(STORY._replace(clusters=(20.0, 0.05, 0.0)))
    assert clustered["needed"]["bonus"] == pytest.approx(1.95 * plain["needed"]["bonus"], rel=1e-4)
    assert clustered["detectable"] == pytest.approx(math.sqrt(1.95) * plain["detectable"])
    assert clustered["chance"] < plain["chance"]
    assert outlook(STORY._replace(clusters=(20.0, 0.0, 0.9)))["detectable"] == pytest.approx(plain["detectable"])


def test_a_week_without_two_clusters_an_arm_is_left_out() -> None:
    curve = outlook(STORY._replace(rows_per_arm=8_000, clusters=(2_000.0, 0.01, 0.0)))["curve"]
    assert curve[0][0] == 3 and all(math.isfinite(amount) for _, amount in curve)


def test_chances_are_those_of_the_planned_error() -> None:
    se = Plan(alpha=0.025).se(15_000, Variances(300**2 * 0.22 * 0.78, 300**2 * 0.22 * 0.78))
    assert chances_of(STORY, "bonus", 0.0) == pytest.approx(verdict_chances(-1.70, se, 0.025)._asdict())
    for one in outlook(STORY)["chances"]:
        assert sum(one["of"].values()) == pytest.approx(1)


def test_a_losing_plan_needs_no_weeks() -> None:
    found = outlook(STORY._replace(effect=-0.001))
    assert found["net"]["bonus"] < 0 and found["weeks_needed"] is None


def test_truths_that_no_share_can_have_are_left_out() -> None:
    found = outlook(STORY._replace(before=0.02, effect=-0.015))
    assert [one["effect"] for one in found["chances"]] == pytest.approx([0, -0.0075, -0.015])
