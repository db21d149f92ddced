"""From a prediction and the eligible actions to a probability for each."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from experiments.policies import BadPolicy, probabilities, reach
from experiments.policy_checks import check_policy, check_reads

ACTIONS = ["none", "bonus", "credit"]
FEATURES = {"plan": "text", "vip": "boolean", "lines": "number"}
BANDS = {"bands": [{"from": 0.1, "action": "bonus"}, {"from": 0.6, "action": "credit"}]}

BY_PLAN = {
    "by": {"feature": "plan"},
    "table": [{"is": "basic", "action": "bonus"}, {"is": "plus", "action": "credit"}],
    "default": "none",
}
WORTH = {
    "inputs": {"at_stake": 300, "actions": {"bonus": {"effect": 0.1, "cost": 2}, "credit": {"effect": 0.2, "cost": 8}}}
}


def chosen(kind: str, content: Any, score: float = 0.3, **of: Any) -> str:
    """The action that has all the probability."""
    found = probabilities(kind, content, score, of.pop("eligible", ACTIONS), of.pop("baseline", "none"), **of)
    (action,) = (action for action, share in found.items() if share == 1)
    return action


def changed(content: Any, path: str, value: Any) -> Any:
    """The same content with another value at this path, or without it if that is None."""
    copy = json.loads(json.dumps(content))
    *way, last = path.split(".")
    part = copy
    for name in way:
        part = part[int(name) if isinstance(part, list) else name]
    if value is None:
        del part[last]
    else:
        part[int(last) if isinstance(part, list) else last] = value
    return copy


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


@pytest.mark.parametrize(
    ("features", "action"),
    [({"plan": "basic"}, "bonus"), ({"plan": "plus"}, "credit"), ({"plan": "x"}, "none"), ({}, "none")],
)
def test_a_table_chooses_by_a_feature(features: Any, action: str) -> None:
    assert chosen("table", BY_PLAN, features=features) == action
    assert chosen("table", BY_PLAN | {"default": "credit"}, features={"plan": None}) == "credit"


@pytest.mark.parametrize(
    ("segment", "action"), [("basic", "bonus"), ("plus", "credit"), ("Basic", "none"), (None, "none")]
)
def test_a_table_chooses_by_the_segment(segment: str | None, action: str) -> None:
    by_segment = BY_PLAN | {"by": "segment"}
    assert chosen("table", by_segment, segment=segment, features={"segment": "plus"}) == action


def test_a_table_tells_true_from_one() -> None:
    by_lines = {"by": {"feature": "lines"}, "table": [{"is": 1, "action": "bonus"}], "default": "none"}
    assert chosen("table", by_lines, features={"lines": 1.0}) == "bonus"
    assert chosen("table", by_lines, features={"lines": True}) == "none"


@pytest.mark.parametrize(
    ("score", "action"),
    # the bonus is worth 30p - 2, the credit 60p - 8: they pay from 1/15, and the credit more from 1/5
    [(0.0, "none"), (0.066, "none"), (0.067, "bonus"), (0.199, "bonus"), (0.201, "credit"), (1.0, "credit")],
)
def test_an_expected_value_chooses_what_is_worth_most(score: float, action: str) -> None:
    assert chosen("expected_value", WORTH, score) == action


def test_an_expected_value_chooses_among_the_eligible() -> None:
    assert chosen("expected_value", WORTH, 0.9, eligible=["none", "bonus"]) == "bonus"
    assert chosen("expected_value", WORTH, 0.9, eligible=["none"]) == "none"
    assert chosen("expected_value", WORTH, 0.9, eligible=["none", "new"]) == "none", "nothing is said of it"


@pytest.mark.parametrize("baseline", ["wait", "stop"])
def test_stop_or_wait_is_an_expected_value(baseline: str) -> None:
    now, window, failure = 9_250, 1_500, 31_100
    threshold = (now - window) / (failure - window)
    assert round(threshold, 4) == 0.2618
    actions = {"stop": {"effect": 1, "cost": now}, "wait": {"effect": 0, "cost": window}}
    content = {"inputs": {"at_stake": failure - window, "actions": actions}}
    check_policy("expected_value", content, ["stop", "wait"], baseline)
    below, above = (
        chosen("expected_value", content, threshold + step, eligible=["stop", "wait"], baseline=baseline)
        for step in (-1e-9, 1e-9)
    )
    assert (below, above) == ("wait", "stop")


def test_of_what_is_worth_the_same_the_baseline_comes_first_then_the_order() -> None:
    same = {"inputs": {"at_stake": 100, "actions": {one: {"effect": 0.5, "cost": 10} for one in ("credit", "bonus")}}}
    assert chosen("expected_value", same, 0.5) == "bonus"
    assert chosen("expected_value", same, 0.5, eligible=["none", "credit", "bonus"]) == "credit"
    assert chosen("expected_value", same, 0.2) == "none", "worth 0, as the baseline is"
    assert chosen("expected_value", same, 0.5, baseline="credit") == "credit"


@pytest.mark.parametrize(
    ("kind", "content"),
    [("fixed", {"action": "credit"}), ("bands", BANDS), ("table", BY_PLAN | {"default": "credit"})],
)
def test_the_baseline_stands_in_for_what_is_not_eligible(kind: str, content: dict[str, Any]) -> None:
    assert probabilities(kind, content, 0.9, ["none", "bonus"], "none") == {"none": 1.0, "bonus": 0.0}


VALUES = st.one_of(st.booleans(), st.integers(0, 2), st.text("ab", max_size=1))
INPUTS = st.fixed_dictionaries({"effect": st.floats(-1, 1), "cost": st.floats(0, 1e13)})
POLICIES = st.one_of(
    st.just(("random", {})),
    st.sampled_from(ACTIONS).map(lambda action: ("fixed", {"action": action})),
    st.dictionaries(st.floats(-1, 2), st.sampled_from(ACTIONS), min_size=1, max_size=5).map(
        lambda bands: ("bands", {"bands": [{"from": score, "action": bands[score]} for score in sorted(bands)]})
    ),
    st.fixed_dictionaries(
        {
            "by": st.sampled_from(["segment", {"feature": "plan"}]),
            "table": st.lists(
                st.fixed_dictionaries({"is": VALUES, "action": st.sampled_from(ACTIONS)}),
                min_size=1,
                unique_by=lambda row: repr(row["is"]),
            ),
            "default": st.sampled_from(ACTIONS),
        }
    ).map(lambda table: ("table", table)),
    st.fixed_dictionaries(
        {"at_stake": st.floats(0, 1e13), "actions": st.fixed_dictionaries(dict.fromkeys(ACTIONS, INPUTS))}
    ).map(lambda inputs: ("expected_value", {"inputs": inputs})),
)


@given(
    POLICIES,
    st.floats(-2, 3),
    st.sets(st.sampled_from(ACTIONS)),
    st.sampled_from(ACTIONS),
    st.dictionaries(st.just("plan"), VALUES | st.none()),
    st.none() | st.text("ab", min_size=1, max_size=1),
)
def test_probabilities_are_of_eligible_actions_and_sum_to_one(
    policy: tuple[str, Any], score: float, eligible: set[str], baseline: str, features: Any, segment: str | None
) -> None:
    check_policy(*policy, ACTIONS, baseline)
    found = probabilities(*policy, score, sorted(eligible | {baseline}), baseline, features, segment)
    assert set(found) == eligible | {baseline}
    assert sum(found.values()) == pytest.approx(1, abs=1e-15)
    assert min(found.values()) >= 0


# small whole numbers, so that many are worth the same
SMALL = st.fixed_dictionaries({"effect": st.sampled_from([-1, 0, 0.5, 1]), "cost": st.integers(0, 2)})


@given(
    st.dictionaries(st.sampled_from(ACTIONS), SMALL),
    st.sampled_from([0.0, 0.5, 1.0]),
    st.permutations(ACTIONS),
    st.integers(1, 3),
)
@example({}, 0.5, ACTIONS, 3)
def test_nothing_eligible_is_worth_more_and_nothing_earlier_as_much(
    actions: Any, score: float, order: list[str], size: int
) -> None:
    eligible, baseline = order[:size], order[size - 1]
    worth = {key: score * 4 * said["effect"] - said["cost"] for key, said in actions.items() if key in eligible}
    worth.setdefault(baseline, 0)
    content = {"inputs": {"at_stake": 4, "actions": actions}}
    best = chosen("expected_value", content, score, eligible=eligible, baseline=baseline)
    assert worth[best] == max(worth.values())
    if best != baseline:
        assert worth[baseline] < worth[best]
        assert all(worth.get(key, -9) < worth[best] for key in eligible[: eligible.index(best)])


@pytest.mark.parametrize(
    ("kind", "content", "pointer", "said"),
    [
        ("best", {}, "/kind", "kind == 'best'"),
        ("fixed", {}, "", "kind fixed goes with"),
        ("fixed", {"action": "call"}, "/action", "'call' is no candidate"),
        ("fixed", {"action": "bonus", "bands": []}, "", "kind fixed goes with"),
        ("random", {"action": "bonus"}, "", "kind random goes with"),
        ("bands", {}, "", "kind bands goes with"),
        ("bands", {"bands": []}, "/bands", "ascending"),
        ("bands", {"bands": list(reversed(BANDS["bands"]))}, "/bands", "ascending"),
        ("bands", {"bands": [BANDS["bands"][0]] * 2}, "/bands", "ascending"),
        ("bands", {"bands": [{"from": 0.1, "action": "call"}]}, "/bands/0/action", "'call' is no candidate"),
        ("bands", {"bands": [{"from": 0.1}]}, "/bands/0", "a band has"),
        ("bands", {"bands": [{"action": "bonus"}]}, "/bands/0", "a band has"),
        ("table", changed(BY_PLAN, "default", None), "", "kind table goes with"),
        ("table", changed(BY_PLAN, "default", "call"), "/default", "'call' is no candidate"),
        ("table", changed(BY_PLAN, "table.1.action", "call"), "/table/1/action", "'call' is no candidate"),
        ("table", changed(BY_PLAN, "table.1.is", "basic"), "/table/1/is", "'basic' stands twice"),
        ("table", changed(BY_PLAN, "table.1.is", ["plus"]), "/table/1/is", "must be a text"),
        ("table", changed(BY_PLAN, "table.0.is", None), "/table/0", "a row of the table has 'action' and 'is'"),
        ("table", changed(BY_PLAN, "table", []), "/table", "empty"),
        ("table", changed(BY_PLAN, "by", "plan"), "/by", "by == 'plan', must be segment or"),
        ("table", changed(BY_PLAN, "by", {}), "/by", "must be segment or"),
        ("expected_value", {}, "", "kind expected_value goes with inputs, got nothing"),
        ("expected_value", changed(WORTH, "inputs", 300), "/inputs", "got 300"),
        ("expected_value", changed(WORTH, "inputs.at_stake", None), "/inputs", "inputs has 'actions' and 'at_stake'"),
        ("expected_value", changed(WORTH, "inputs.at_stake", -1), "/inputs/at_stake", "at_stake == -1, must be"),
        ("expected_value", changed(WORTH, "inputs.at_stake", 10**400), "/inputs/at_stake", "from 0 to 10,000"),
        ("expected_value", changed(WORTH, "inputs.actions", ["bonus"]), "/inputs/actions", "must be like"),
        ("expected_value", changed(WORTH, "inputs.actions.bonus", 5), "/inputs/actions/bonus", "'cost' and 'effect'"),
        (
            "expected_value",
            changed(WORTH, "inputs.actions.bonus.effect", 20),
            "/inputs/actions/bonus/effect",
            "-1 to 1",
        ),
        ("expected_value", changed(WORTH, "inputs.actions.bonus.cost", -2), "/inputs/actions/bonus/cost", "cost == -2"),
        ("expected_value", changed(WORTH, "inputs.actions.bonus", None), "/inputs/actions", "'bonus' has no inputs"),
        (
            "expected_value",
            changed(WORTH, "inputs.actions.call", {"effect": 0, "cost": 0}),
            "/inputs/actions/call",
            "no candidate",
        ),
    ],
)
def test_refuses(kind: str, content: dict[str, Any], pointer: str, said: str) -> None:
    with pytest.raises(BadPolicy, match=said) as refused:
        check_policy(kind, content, ACTIONS, "none")
    assert refused.value.pointer == pointer


@pytest.mark.parametrize("number", ["0.1", None, float("nan"), float("inf"), [0.1], True])
def test_refuses_what_is_no_number(number: Any) -> None:
    with pytest.raises(BadPolicy, match=r"from == .* must be a number"):
        check_policy("bands", {"bands": [{"from": number, "action": "bonus"}]}, ACTIONS, "none")
    with pytest.raises(BadPolicy, match=r"at_stake == .* must be a number"):
        check_policy("expected_value", {"inputs": WORTH["inputs"] | {"at_stake": number}}, ACTIONS, "none")


@pytest.mark.parametrize(
    ("kind", "content", "task", "pointer", "said"),
    [
        ("expected_value", WORTH, "regression", "/kind", "needs a probability"),
        ("table", changed(BY_PLAN, "by.feature", "age"), "probability", "/by/feature", "lines, plan, vip"),
        ("table", changed(BY_PLAN, "by.feature", "vip"), "probability", "/table/0/is", "vip is a boolean"),
        ("table", changed(BY_PLAN, "table.1.is", 2), "probability", "/table/1/is", "is == 2, a number, but plan"),
        (
            "table",
            changed(BY_PLAN, "table.1.is", True) | {"by": "segment"},
            "probability",
            "/table/1/is",
            "write a text",
        ),
    ],
)
def test_refuses_to_read_what_the_model_does_not_give(
    kind: str, content: Any, task: str, pointer: str, said: str
) -> None:
    with pytest.raises(BadPolicy, match=said) as refused:
        check_reads(kind, content, task, FEATURES)
    assert refused.value.pointer == pointer


@pytest.mark.parametrize(
    ("kind", "content", "task"),
    [("expected_value", WORTH, "probability"), ("table", BY_PLAN, "regression"), ("bands", BANDS, "regression")],
)
def test_reads_what_the_model_gives(kind: str, content: Any, task: str) -> None:
    check_reads(kind, content, task, FEATURES)


@pytest.mark.parametrize(
    ("kind", "content", "given"),
    [
        ("fixed", {"action": "credit"}, ["credit"]),
        ("random", {}, ["none", "bonus", "credit"]),
        ("bands", {"bands": [{"from": 0.5, "action": "credit"}]}, ["none", "credit"]),
        ("table", {"by": "segment", "table": [{"is": "a", "action": "credit"}], "default": "bonus"},
         ["bonus", "credit"]),
        ("expected_value", {"inputs": {"at_stake": 1, "actions": {"bonus": {"effect": 1, "cost": 0}}}},
         ["none", "bonus"]),
    ],
)  # fmt: skip
def test_reaches_what_it_gives_to_somebody(kind: str, content: Any, given: list[str]) -> None:
    candidates = ["none", "bonus", "credit"]
    assert reach(kind, content, candidates, "none") == given
    found: set[str] = set()
    for score in (0.0, 0.3, 0.5, 0.9):
        for segment in (None, "a", "b"):
            said = probabilities(kind, content, score, candidates, "none", segment=segment)
            found |= {action for action, probability in said.items() if probability}
    assert found == set(given)
