"""The global holdout measures what everybody else brought more than units that were kept out, whatever was done."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from scipy import stats

from experiments.models import Decision, Experiment, Holdout
from experiments.randomization import within
from impact.analysis.held_out import HELD_OUT, _estimated, measure_holdout
from impact.analysis.models import HoldoutEffect
from impact.analysis.queue import enqueue_holdout
from impact.config.declarations import apply_files
from impact.ledger.models import Outcome
from tests.conftest import DECLARED, START, Caller, cost_row, decided, decision_row, outcome_row, started
from workspaces.models import Workspace

UNITS = 160
AS_OF = START + timedelta(days=130)


@pytest.fixture
def held(workspace: Workspace, churn: Experiment) -> Workspace:
    """The running churn experiment, its draws always the same, beside a holdout of one half."""
    Experiment.objects.filter(pk=churn.pk).update(salt="held", traffic_salt="held/traffic")
    started(workspace, churn)
    apply_files(workspace, [DECLARED / "holdout.yaml"], "test")
    return workspace


def row_at(unit: str, day: float, **more: Any) -> Any:
    return decision_row(unit, at=START + timedelta(days=day), event=f"{unit}-{day}", **more)


def beat(api: Caller, until: float) -> None:
    at = (START + timedelta(days=until)).isoformat()
    assert api.post("/feeds/crm/heartbeat", {"type": "churned", "complete_until": at, "at": at}).status_code == 200


def live(api: Caller) -> dict[str, float]:
    """Decide about everybody twice a window, once more after it; return each unit's net value, added up by hand."""
    units = [f"c{number:03}" for number in range(UNITS)]
    modes: dict[str, str] = {}
    for day in (0, 5, 95):
        rows = decided(api, [row_at(unit, day) for unit in units])
        modes |= {row["decision"]["unit_id"]: row["decision"].get("arm") or row["decision"]["mode"] for row in rows}
    left = {unit: day for place, unit in enumerate(units) for day in [10 if place % 3 == 0 else 96] if place % 5 < 3}
    left = {unit: day for unit, day in left.items() if modes[unit] != "bonus" or day == 96}
    api.post("/outcomes", {"outcomes": [outcome_row(unit, day=day) for unit, day in left.items()]})
    paid = {unit: 2.0 + place / 128 for place, unit in enumerate(units) if modes[unit] == "bonus" and place % 2}
    answer = api.post("/costs", {"costs": [cost_row(unit, amount) for unit, amount in paid.items()]})
    assert answer.body["accepted"] == len(paid) > 10
    beat(api, 125)
    planned = {unit: 1.70 if modes[unit] == "bonus" else 0.0 for unit in units}
    return {unit: -300.0 * (left.get(unit) == 10) - paid.get(unit, planned[unit]) for unit in units}


def test_agrees_with_welch_on_what_was_added_up_by_hand(held: Workspace, api: Caller) -> None:
    net = live(api)
    found = measure_holdout(held, "customer", START, AS_OF)
    out = {unit for unit in net if within("holdout-1", unit, 500_000)}
    kept, others = ([amount for unit, amount in net.items() if (unit in out) is side] for side in (True, False))
    expected = stats.ttest_ind(others, kept, equal_var=False)
    assert (found["status"], found["units"]) == ("measured", {"others": len(others), "held out": len(kept)})
    assert found["effect"] == pytest.approx(np.mean(others) - np.mean(kept), rel=1e-12)
    assert found["ci"] == pytest.approx(list(expected.confidence_interval(0.95)), rel=1e-9)
    # windows that opened up to 35 days on are over: the last day of the feed less a window
    assert found["days"] == 35
    assert found["total"] == pytest.approx(len(others) * found["effect"])
    assert found["year_ci"][1] == pytest.approx(found["ci"][1] * len(others) * 365.2425 / 35)


def test_each_window_after_the_first_counts_too(held: Workspace, api: Caller) -> None:
    net = live(api)
    beat(api, 200)
    found = measure_holdout(held, "customer", START, START + timedelta(days=200))
    later = Outcome.objects.within(held).filter(occurred_at__gte=START + timedelta(days=95))
    left = set(later.values_list("unit_id", flat=True))
    given = set(Decision.objects.within(held).filter(action__key="bonus").values_list("unit_id", flat=True))
    # the second window's cost is the planned one: nobody logged any
    sums = {unit: amount - 300 * (unit in left) - 1.70 * (unit in given) for unit, amount in net.items()}
    kept, others = (
        [amount for unit, amount in sums.items() if within("holdout-1", unit, 500_000) is side]
        for side in (True, False)
    )
    assert found["effect"] == pytest.approx(np.mean(others) - np.mean(kept), rel=1e-12)


def test_says_why_it_measures_nothing(workspace: Workspace, running: Experiment, api: Caller) -> None:
    def reason(as_of: datetime = AS_OF) -> Any:
        return measure_holdout(workspace, "customer", START, as_of)["reason"]

    assert reason() == "no-holdout"
    apply_files(workspace, [DECLARED / "holdout.yaml"], "test")
    assert measure_holdout(workspace, "machine", START, AS_OF)["reason"] == "no-holdout"
    assert reason() == "no-feed"
    beat(api, 80)
    assert reason() == "too-early"
    beat(api, 125)
    decided(api, [row_at(f"c{number}", 0) for number in range(30)])
    assert reason() == "too-few"
    assert reason(START - timedelta(days=10)) == "no-holdout"
    Experiment.objects.update(started_at=AS_OF + timedelta(days=1))
    assert reason() == "no-value"


def test_a_unit_that_was_forced_stays_in_its_half(held: Workspace, api: Caller) -> None:
    rows = [row_at(f"c{number:03}", 0, forced={"action": "bonus", "mode": "manual"}) for number in range(UNITS)]
    decided(api, rows)
    api.post("/outcomes", {"outcomes": [outcome_row("c000")]})
    beat(api, 125)
    found = measure_holdout(held, "customer", START, AS_OF)
    assert found["units"]["held out"] == sum(within("holdout-1", f"c{number:03}", 500_000) for number in range(UNITS))


def test_covers_a_known_truth() -> None:
    """Of 400 holdouts of 15 %, each by its own salt, .95 cover what everybody else really brought more."""
    random, truth, covered = np.random.default_rng(5), 4.0, 0
    units = [f"u{number}" for number in range(400)]
    for number in range(400):
        holdout = Holdout(key="h", salt=f"salt {number}", share_ppm=150_000)
        out = np.array([within(holdout.salt, unit, holdout.share_ppm) for unit in units])
        worth = random.choice([-300.0, 0.0, 20.0], size=len(units), p=[0.1, 0.6, 0.3]) + np.where(out, 0.0, truth)
        found = _estimated([holdout], dict(zip(units, worth, strict=True)), 365.2425)
        assert found["units"][HELD_OUT] == out.sum()
        covered += found["ci"][0] <= truth <= found["ci"][1]
    # the tails of 400 draws at .95 that 69 to 133 of 2,000 have
    assert 366 <= covered <= 393


def test_is_done_as_a_job_and_stored_once(held: Workspace, api: Caller, drain: Any) -> None:
    live(api)
    for _ in range(2):
        enqueue_holdout(workspace=held, population="customer", since=START, as_of=AS_OF)
        drain()
    [stored] = HoldoutEffect.objects.within(held)
    assert stored.content == measure_holdout(held, "customer", START, AS_OF)


def test_anothers_units_are_nobodys_here(held: Workspace, api: Caller, other_workspace: Workspace) -> None:
    live(api)
    assert measure_holdout(other_workspace, "customer", START, AS_OF)["reason"] == "no-holdout"
