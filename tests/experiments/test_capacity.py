"""Actions of which there is only so much in a period: what is left, what happens when nothing is, and many at once."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from experiments.capacity import Capacity, Used
from experiments.models import Action, Assignment, BlockCounter, CapacityCounter, Decision, EpisodeCounter, Experiment
from tests.conftest import START, Caller, caller, decided, decision_row, race
from tests.experiments.design import CHURN, POINT, apply, decide, declared, running_with, told
from tests.experiments.test_races import insist
from workspaces.errors import Refusal
from workspaces.models import Workspace

NONE, BONUS, CREDIT = CHURN["actions"]
CHAMPION = {"key": "now", "decision_point": "offer", "role": "champion"}
BERLIN = ZoneInfo("Europe/Berlin")


def limited(count: int, per: str = "day", action: Any = BONUS) -> list[Any]:
    """The actions, with so much of one of them."""
    return [one | {"capacity": {"count": count, "per": per}} if one == action else one for one in CHURN["actions"]]


# what is left


@pytest.mark.parametrize(
    ("per", "at", "period"),
    [
        ("day", datetime(2026, 1, 5, 22, 59, tzinfo=UTC), "day 2026-01-05"),
        ("day", datetime(2026, 1, 5, 23, 0, tzinfo=UTC), "day 2026-01-06"),
        ("day", datetime(2026, 7, 5, 22, 0, tzinfo=UTC), "day 2026-07-06"),
        ("week", datetime(2026, 1, 5, 12, tzinfo=UTC), "week 2026-01-05"),
        ("week", datetime(2026, 1, 11, 12, tzinfo=UTC), "week 2026-01-05"),
        ("week", datetime(2026, 1, 1, 12, tzinfo=UTC), "week 2025-12-29"),
        ("month", datetime(2026, 1, 31, 22, 59, tzinfo=UTC), "month 2026-01-01"),
        ("month", datetime(2026, 1, 31, 23, 0, tzinfo=UTC), "month 2026-02-01"),
    ],
)
def test_a_period_is_of_the_workspaces_calendar(per: str, at: datetime, period: str) -> None:
    assert Capacity(1, per, BERLIN).period(at) == period


def test_what_was_taken_is_no_longer_left() -> None:
    capacity, used = Capacity(2, "day", BERLIN), Used()
    for left in (True, True, False, False):
        assert (used.short([("bonus", capacity)], START) == set()) is left
        used.take("bonus", capacity, START)
    assert used.short([("bonus", capacity)], START + timedelta(days=1)) == set()


# in an experiment


def test_when_nothing_is_left_nobody_enters_and_the_next_day_they_do(
    api: Caller, workspace: Workspace, tmp_path: Path
) -> None:
    running_with(workspace, tmp_path, experiment={"method": "blocks"}, actions=limited(3))
    answers = [row["decision"] for row in decided(api, [decision_row(f"c{number}") for number in range(20)])]
    taken = [place for place, answer in enumerate(answers) if answer["action"]["key"] == "bonus"]
    assert len(taken) == 3
    for answer in answers[: taken[-1] + 1]:
        assert (answer["mode"], answer["propensity"]) == ("randomized", 0.5)
    for answer in answers[taken[-1] + 1 :]:
        assert told(answer) == ("forced_capacity", "none", 1.0, None)
        assert answer["ineligible"] == {"bonus": "capacity"}
        assert answer["probabilities"] == {"none": 1.0, "credit": 0.0}
    assert Assignment.objects.count() == BlockCounter.objects.get().taken == taken[-1] + 1
    assert CapacityCounter.objects.get().taken == 3
    assert decide(api, answers[-1]["unit_id"], day=1)["mode"] == "randomized"


@pytest.mark.parametrize("arm", ["none", "bonus"])
def test_an_arm_stays_and_is_not_given_whatever_it_is(
    api: Caller, workspace: Workspace, tmp_path: Path, arm: str
) -> None:
    """Were those with another arm still randomized, the arms would no longer be alike."""
    running_with(workspace, tmp_path, actions=limited(5))
    first = [row["decision"] for row in decided(api, [decision_row(f"c{number}") for number in range(40)])]
    unit = next(answer["unit_id"] for answer in first if answer["arm"] == arm)
    assert told(decide(api, unit, day=0.1)) == ("forced_capacity", "none", 1.0, arm)
    assert told(decide(api, unit, day=1)) == ("randomized", arm, 0.5, arm)
    assert Assignment.objects.get(unit_id=unit).arm.key == arm


def test_only_the_arms_actions_force(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    running_with(workspace, tmp_path, actions=limited(1, action=CREDIT))
    credit = {"mode": "manual", "action": "credit"}
    assert told(decide(api, "c0", forced=credit)) == ("manual", "credit", 1.0, None)
    answer = decide(api, "c1")
    assert (answer["mode"], answer["ineligible"]) == ("randomized", {"credit": "capacity"})


def test_a_unit_that_was_put_off_opens_no_episode(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    running_with(
        workspace, tmp_path, point={"cool_down": {"days": 90}}, experiment={"randomize": "episode"}, actions=limited(1)
    )
    used = decide(api, "c0", forced={"mode": "manual", "action": "bonus"})
    assert told(used) == ("manual", "bonus", 1.0, None)
    assert told(decide(api, "c1")) == ("forced_capacity", "none", 1.0, None)
    assert EpisodeCounter.objects.get(scope_id="c1").number == 0
    assert decide(api, "c1", day=1)["mode"] == "randomized"
    assert Assignment.objects.get().randomization_key == "c1#1"


# by policy


def test_a_policy_goes_without_what_is_used_up(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    policies = [CHAMPION | {"kind": "fixed", "action": "bonus"}]
    declared(workspace, tmp_path, policies=policies, actions=limited(2, "week"))
    answers = [decide(api, f"c{number}", day=number) for number in range(4)]
    assert [answer["action"]["key"] for answer in answers] == ["bonus", "bonus", "none", "none"]
    assert answers[2]["ineligible"] == {"bonus": "capacity"}
    assert {answer["mode"] for answer in answers} == {"policy"}
    # the clock stands at a Monday
    assert decide(api, "c9", day=7)["action"]["key"] == "bonus"
    assert dict(CapacityCounter.objects.values_list("period", "taken")) == {"week 2026-01-05": 2, "week 2026-01-12": 1}


def test_a_random_policy_draws_among_what_is_left(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    declared(workspace, tmp_path, policies=[CHAMPION | {"kind": "random"}], actions=limited(4))
    rows = [row["decision"] for row in decided(api, [decision_row(f"c{number}") for number in range(60)])]
    assert Counter(row["action"]["key"] for row in rows)["bonus"] == 4
    for row in rows:
        assert sum(row["probabilities"].values()) == pytest.approx(1, abs=1e-12)
        assert ("bonus" in row["probabilities"]) != ("bonus" in row["ineligible"])


def test_safety_is_above_the_capacity_and_uses_it(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    point = {"safety": {"above": 0.9, "action": "bonus"}}
    policies = [CHAMPION | {"kind": "fixed", "action": "bonus"}]
    declared(workspace, tmp_path, point=point, policies=policies, actions=limited(1))
    assert [told(decide(api, f"c{number}", 0.95))[:2] for number in range(3)] == [("forced_safety", "bonus")] * 3
    assert told(decide(api, "d")) == ("policy", "none", 1.0, None)


def test_a_replay_takes_nothing(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    declared(workspace, tmp_path, policies=[CHAMPION | {"kind": "fixed", "action": "bonus"}], actions=limited(2))
    for replayed in (False, True, True):
        assert decide(api, "c1")["replayed"] is replayed
    assert CapacityCounter.objects.get().taken == 1


def test_another_capacity_counts_on(api: Caller, workspace: Workspace, tmp_path: Path) -> None:
    """A new version of the action doesn't begin the day anew."""
    declared(workspace, tmp_path, policies=[CHAMPION | {"kind": "fixed", "action": "bonus"}], actions=limited(1))
    assert [decide(api, f"c{n}")["action"]["key"] for n in range(2)] == ["bonus", "none"]
    apply(Workspace.objects.get(), tmp_path, actions=limited(2))
    assert Action.objects.filter(key="bonus").count() == 2
    assert [decide(api, f"d{n}")["action"]["key"] for n in range(2)] == ["bonus", "none"]


def test_other_decisions_count_nothing(
    api: Caller, workspace: Workspace, tmp_path: Path, django_assert_num_queries: Any
) -> None:
    running_with(workspace, tmp_path)
    decide(api, "c0")
    assert not CapacityCounter.objects.exists()


# what may be declared


@pytest.mark.parametrize(
    ("capacity", "pointer"),
    [
        ({"count": 0, "per": "day"}, "/capacity/count"),
        ({"count": 10**12, "per": "day"}, "/capacity/count"),
        ({"count": 5, "per": "hour"}, "/capacity/per"),
        ({"count": 5}, "/capacity/per"),
    ],
)
def test_refuses_a_capacity_that_makes_no_sense(
    workspace: Workspace, tmp_path: Path, capacity: Any, pointer: str
) -> None:
    with pytest.raises(Refusal) as refusal:
        apply(workspace, tmp_path, actions=[BONUS | {"capacity": capacity}])
    assert refusal.value.pointer == pointer


def test_the_baseline_has_no_capacity(workspace: Workspace, tmp_path: Path) -> None:
    declared(workspace, tmp_path)
    with pytest.raises(Refusal) as refusal:
        apply(workspace, tmp_path, actions=limited(5, action=NONE))
    assert (refusal.value.code, refusal.value.pointer) == ("invalid-declaration", "/capacity")
    apply(workspace, tmp_path, actions=limited(5))
    with pytest.raises(Refusal) as refusal:
        apply(workspace, tmp_path, decision_points=[POINT | {"key": "other", "baseline": "bonus"}])
    assert refusal.value.pointer == "/baseline"


# many at once


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("method", ["hash", "blocks"])
def test_16_threads_take_no_more_than_there_is(workspace: Workspace, tmp_path: Path, method: str) -> None:
    running_with(workspace, tmp_path, experiment={"method": method}, actions=limited(11))
    secret = caller(workspace).secret

    def send(place: int) -> None:
        insist(secret, {"decisions": [decision_row(f"c{place}-{step}") for step in range(3)]})
        insist(secret, decision_row(f"d{place}"))

    race(16, send)
    assert Decision.objects.filter(action__key="bonus").count() == CapacityCounter.objects.get().taken == 11
    modes = Counter(Decision.objects.values_list("mode", flat=True))
    assert modes["forced_capacity"] + modes["randomized"] == 64
    assert Assignment.objects.filter(arm__key="bonus").count() == 11


@pytest.mark.django_db(transaction=True)
def test_decisions_about_one_unit_and_one_capacity_do_not_lock_each_other_out(
    workspace: Workspace, tmp_path: Path
) -> None:
    running: Experiment = running_with(workspace, tmp_path, actions=limited(6))
    secret = caller(workspace).secret

    def send(place: int) -> Any:
        rows = [decision_row(f"c{(place + step) % 5}", event=f"{place}/{step}") for step in range(4)]
        return insist(secret, {"decisions": rows if place % 2 else rows[::-1]})

    answers = race(12, send)
    assert all(answer["accepted"] == 4 for answer in answers)
    assert Decision.objects.filter(action__key="bonus").count() == CapacityCounter.objects.get().taken <= 6
    assert running.assignments.count() <= 5
