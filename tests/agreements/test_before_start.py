"""What is looked at before a start: each check passes on one plan and fails on another."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from experiments.models import DecisionPoint, Experiment, Status
from experiments.selectors import experiment_named
from impact.agreements import before_start
from impact.agreements.before_start import BEFORE_START, Draft, Foreseen, look_before_start
from impact.agreements.models import Agreement
from impact.agreements.plan import Case, Deployment, Plan, PlannedArm, PlannedClusters, Quantity
from impact.agreements.services import foreseen, sign, start_experiment
from tests.analysis.ground import WORTH, plan
from tests.conftest import START, enter
from workspaces.canonical import digest
from workspaces.errors import Refusal
from workspaces.models import Workspace

CASE = {
    "hypothesis": "It pays.", "decision": "Offer it?", "owner": "Marketing", "if_wins": "Roll out.",
    "if_unclear": "Confirm.", "if_loses": "Drop.", "rows_per_arm": 15_000,
}  # fmt: skip


def draft(case: dict[str, Any] | None = None, experiment: Experiment | None = None, **changes: Any) -> Draft:
    planned = plan(**({"value": [WORTH], "case": Case(**(CASE | (case or {})))} | changes))
    return Draft(planned, experiment or Experiment(key="offers"), START)


def found(check: Callable[[Draft], Foreseen | None], looked_at: Draft) -> Foreseen:
    one = check(looked_at)
    assert one is not None
    return one


def arms(*weights: int, baselines: int = 1) -> list[PlannedArm]:
    return [
        PlannedArm(key=f"a{place}", name="A", is_baseline=place < baselines, weight=weight, planned_cost=0)
        for place, weight in enumerate(weights)
    ]


def test_every_text_must_say_something() -> None:
    assert found(before_start.complete, draft()).passed
    failed = found(before_start.complete, draft({"owner": " ", "if_loses": ""}))
    assert (failed.severity, failed.passed, failed.numbers) == ("block", False, {"missing": ["owner", "if_loses"]})
    assert found(before_start.complete, draft(value=None)).numbers == {"missing": ["primary"]}


@pytest.mark.parametrize(
    ("weights", "passed", "outside"),
    [((1, 1), True, []), ((98, 2), True, []), ((99, 1), False, ["a0", "a1"]), ((1, 0), False, ["a0", "a1"])],
)
def test_every_arm_must_have_a_chance(weights: tuple[int, int], passed: bool, outside: list[str]) -> None:
    one = found(before_start.baseline_and_chances, draft(arms=arms(*weights)))
    assert (one.severity, one.passed, one.numbers) == ("block", passed, {"arms": outside})


def test_one_arm_must_be_the_baseline() -> None:
    assert not found(before_start.baseline_and_chances, draft(arms=arms(1, 1, baselines=0))).passed
    assert not found(before_start.baseline_and_chances, draft(arms=arms(1, 1, baselines=2))).passed


@pytest.mark.parametrize(("rows", "passed"), [(34_000, False), (35_000, True)])
def test_rows_must_be_enough_for_the_net_value(rows: int, passed: bool) -> None:
    """Of story A: the bonus needs about 34,900 customers an arm; the credit, which would lose, isn't asked."""
    case = {
        "rows_per_arm": rows, "rows_needed": {"bonus": 34_886.3, "credit": 70_000.0},
        "expected_net": {"bonus": 2.8, "credit": -13.0},
    }  # fmt: skip
    one = found(before_start.rows_enough, draft(case))
    assert (one.severity, one.passed) == ("warn", passed)
    assert one.numbers == {"arms": [] if passed else ["bonus"], "planned": rows, "needed": 34_886.3}
    assert before_start.rows_enough(draft()) is None


@pytest.mark.parametrize(("detectable", "passed"), [(4.27, False), (1.6, True)])
def test_profit_must_be_told_from_loss(detectable: float, passed: bool) -> None:
    one = found(before_start.profit_from_loss, draft({"detectable_effect": detectable}))
    assert (one.severity, one.passed, one.numbers["arms"]) == ("warn", passed, [] if passed else ["bonus"])
    assert before_start.profit_from_loss(draft()) is None
    assert before_start.profit_from_loss(draft({"detectable_effect": 4.27}, arms=arms(1, 1))) is None


@pytest.mark.parametrize(
    ("days", "passed"), [(63, True), (62.5, True), (63.9, True), (60, False), (66.5, False), (0.5, False), (-7, False)]
)
def test_enrolment_must_cover_whole_weeks(days: float, passed: bool) -> None:
    one = found(before_start.whole_weeks, draft(experiment=Experiment(enrolment_until=START + timedelta(days=days))))
    assert (one.severity, one.passed, one.numbers["days"]) == ("warn", passed, days)
    assert before_start.whole_weeks(draft()) is None


def test_weeks_are_counted_from_where_enrolment_opens() -> None:
    later = Experiment(enrolment_from=START + timedelta(days=3), enrolment_until=START + timedelta(days=10))
    assert found(before_start.whole_weeks, draft(experiment=later)).passed


@pytest.mark.parametrize(
    ("randomizes", "cools", "passed"),
    [("unit", "unit", False), ("episode", "unit", False), ("episode", "cluster", True), ("cluster", "unit", True)],
)
def test_units_of_a_cluster_must_be_apart(randomizes: str, cools: str, passed: bool) -> None:
    point = DecisionPoint(cluster="line", cool_down_of=cools)
    one = found(before_start.clusters_apart, draft(experiment=Experiment(decision_point=point, randomizes=randomizes)))
    assert (one.severity, one.passed, one.numbers) == ("warn", passed, {"cluster": "line"})
    assert before_start.clusters_apart(draft(experiment=Experiment(decision_point=DecisionPoint()))) is None


def test_clusters_must_be_agreed_to_be_counted() -> None:
    agreed = PlannedClusters(size=20, icc=0.05, cv=0, design_effect=1.95)
    checked = found(before_start.clusters_alike, draft({"clusters": agreed}, clustered=True))
    assert (checked.severity, checked.passed, checked.numbers) == ("warn", True, {"factor": 1.95})
    assert not found(before_start.clusters_alike, draft(clustered=True)).passed
    assert before_start.clusters_alike(draft()) is None


@pytest.mark.parametrize(("running", "passed"), [(0.0, False), (1.0, True)])
def test_a_year_must_bear_its_own_cost(running: float, passed: bool) -> None:
    zero, one = Quantity(base=0.0), Quantity(base=1.0)
    deployment = Deployment(
        cases_per_year=one,
        build=zero,
        running_per_year=Quantity(base=running),
        discount_rate=zero,
        adoption=one,
        years=1,
    )
    checked = found(before_start.owned_in_full, draft(deployment=deployment))
    assert (checked.severity, checked.passed) == ("warn", passed)
    assert before_start.owned_in_full(draft()) is None


def test_all_are_looked_at(churn: Experiment) -> None:
    seen = look_before_start(draft())
    assert [one.id for one in seen] == ["complete", "baseline_and_chances"]
    ids = {one.id for one in foreseen(churn.agreements.get(), churn)}
    assert ids == {"complete", "baseline_and_chances", "rows_enough", "profit_from_loss"}
    assert len(BEFORE_START) == 8


def test_a_blocking_check_keeps_it_from_starting(workspace: Workspace, churn: Experiment) -> None:
    """What was signed before there was such a check is looked at again when it starts."""
    agreement = churn.agreements.get()
    content: Plan | Any = agreement.content
    content["case"]["owner"] = ""
    Agreement.objects.filter(pk=agreement.pk).update(content=content, sha256=digest(content))
    agreement.refresh_from_db()
    for name, signs_for in (("bea", "business"), ("fin", "finance"), ("dan", "data science")):
        member = enter(workspace, f"{name}@example.com", "viewer", signs_for)
        sign(agreement=agreement, membership=member, sha256=agreement.sha256)
    with pytest.raises(Refusal, match=r"offers can't start: complete {'missing': \['owner'\]}") as refusal:
        start_experiment(experiment=experiment_named(workspace, "offers"), actor="test")
    assert refusal.value.code == "check-failed"
    assert experiment_named(workspace, "offers").status == Status.AGREED
