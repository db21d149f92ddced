"""What is drawn of an action, and its probability before the arm was drawn."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.mixtures import as_drawn, before_the_draw, draw_action
from experiments.randomization import propensities

ACTIONS = ["a", "b", "c", "d"]
WEIGHTS = st.lists(st.integers(1, 50), min_size=4, max_size=4)


@given(weights=WEIGHTS)
def test_is_drawn_in_whole_parts_per_million(weights: list[int]) -> None:
    said = {key: weight / sum(weights) for key, weight in zip(ACTIONS, weights, strict=True)}
    drawn = as_drawn(said)
    assert list(drawn) == ACTIONS
    assert sum(round(one * 1_000_000) for one in drawn.values()) == 1_000_000
    assert drawn == pytest.approx(said, abs=2e-6)
    assert as_drawn(drawn) == drawn


def test_where_a_policy_is_sure_nothing_is_drawn() -> None:
    sure = {"a": 0.0, "b": 1.0}
    assert as_drawn(sure) == sure
    assert draw_action("s", "crm", "e", sure) == ("b", None)


def test_the_point_chooses_in_the_order_of_the_candidates() -> None:
    halves = {"a": 0.5, "b": 0.5}
    for event in range(50):
        action, point = draw_action("s", "crm", str(event), halves)
        assert point is not None
        assert action == ("a" if point < 500_000 else "b")
        assert draw_action("s", "crm", str(event), {"b": 0.5, "a": 0.5}) == ("ba"["ab".index(action)], point)


@given(weights=WEIGHTS, in_blocks=st.booleans(), does=st.lists(st.sampled_from(ACTIONS), min_size=4, max_size=4))
def test_before_the_draw_probabilities_sum_to_1(weights: list[int], in_blocks: bool, does: list[str]) -> None:
    mixed = as_drawn(dict.fromkeys(ACTIONS, 0.25))
    known = [mixed, *({key: 1.0} for key in does[1:])]
    found = before_the_draw(ACTIONS, zip(propensities(weights, in_blocks), known, strict=True))
    assert sum(found.values()) == pytest.approx(1, abs=1e-12)
    assert all(0 < one <= 1 for one in found.values())


@given(weights=WEIGHTS, in_blocks=st.booleans())
def test_what_every_arm_does_is_no_more_than_certain(weights: list[int], in_blocks: bool) -> None:
    known = zip(propensities(weights, in_blocks), [{"a": 1.0}] * 4, strict=True)
    assert before_the_draw(["a"], known)["a"] == pytest.approx(1, abs=1e-12)
