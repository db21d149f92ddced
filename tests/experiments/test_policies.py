"""From a prediction and the eligible actions to a probability for each."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.policies import check_policy, probabilities

ACTIONS = ["none", "bonus", "credit"]
BANDS = {"bands": [{"from": 0.1, "action": "bonus"}, {"from": 0.6, "action": "credit"}]}


@pytest.mark.parametrize(
    ("score", "action"),
    [(0.0, "none"), (0.0999, "none"), (0.1, "bonus"), (0.59, "bonus"), (0.6, "credit"), (1, "credit")],
)
def test_bands_choose_by_the_score(score: float, action: str) -> None:
    assert probabilities("bands", BANDS, score, ACTIONS, "none") == {one: float(one == action) for one in ACTIONS}


def test_a_fixed_policy_always_chooses_its_action() -> None:
    assert probabilities("fixed", {"action": "bonus"}, 0.3, ACTIONS, "none") == {"none": 0, "bonus": 1, "credit": 0}


def test_a_random_policy_spreads_over_what_is_eligible() -> None:
    assert probabilities("random", {}, 0.3, ["none", "credit"], "none") == {"none": 0.5, "credit": 0.5}
    assert probabilities("random", {}, 0.3, ["none"], "none") == {"none": 1.0}


@pytest.mark.parametrize(("kind", "content"), [("fixed", {"action": "credit"}), ("bands", BANDS)])
def test_the_baseline_stands_in_for_what_is_not_eligible(kind: str, content: dict[str, Any]) -> None:
    assert probabilities(kind, content, 0.9, ["none", "bonus"], "none") == {"none": 1.0, "bonus": 0.0}


POLICIES = st.one_of(
    st.just(("random", {})),
    st.sampled_from(ACTIONS).map(lambda action: ("fixed", {"action": action})),
    st.dictionaries(st.floats(-1, 2), st.sampled_from(ACTIONS), min_size=1, max_size=5).map(
        lambda bands: ("bands", {"bands": [{"from": score, "action": bands[score]} for score in sorted(bands)]})
    ),
)


@given(POLICIES, st.floats(-2, 3), st.sets(st.sampled_from(ACTIONS)), st.sampled_from(ACTIONS))
def test_probabilities_are_of_eligible_actions_and_sum_to_one(
    policy: tuple[str, Any], score: float, eligible: set[str], baseline: str
) -> None:
    check_policy(*policy, ACTIONS)
    found = probabilities(*policy, score, sorted(eligible | {baseline}), baseline)
    assert set(found) == eligible | {baseline}
    assert sum(found.values()) == pytest.approx(1, abs=1e-15)
    assert min(found.values()) >= 0


@pytest.mark.parametrize(
    ("kind", "content", "said"),
    [
        ("best", {}, "kind == 'best'"),
        ("fixed", {}, "a fixed policy has"),
        ("fixed", {"action": "call"}, "'call' is no candidate"),
        ("fixed", {"action": "bonus", "bands": []}, "a fixed policy has"),
        ("random", {"action": "bonus"}, "a random policy has"),
        ("bands", {}, "a bands policy has"),
        ("bands", {"bands": []}, "ascending"),
        ("bands", {"bands": list(reversed(BANDS["bands"]))}, "ascending"),
        ("bands", {"bands": [BANDS["bands"][0]] * 2}, "ascending"),
        ("bands", {"bands": [{"from": 0.1, "action": "call"}]}, "'call' is no candidate"),
    ],
)
def test_refuses(kind: str, content: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        check_policy(kind, content, ACTIONS)


@pytest.mark.parametrize("start", ["0.1", None, float("nan"), [0.1], True])
def test_refuses_bands_that_start_from_no_number(start: Any) -> None:
    with pytest.raises(ValueError, match="from"):
        check_policy("bands", {"bands": [{"from": start, "action": "bonus"}]}, ACTIONS)


@pytest.mark.parametrize("band", [{"from": 0.1}, {"action": "bonus"}])
def test_refuses_bands_that_lack_something(band: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="band"):
        check_policy("bands", {"bands": [band]}, ACTIONS)
