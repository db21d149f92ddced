"""Rules over score and features: what can be written, what they say, what is refused."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.eligibility import BadRule, Condition, parse_rule, refusals

FEATURES = {"tenure": "number", "plan": "text", "vip": "boolean"}
VALUES: dict[str, Any] = {"score": 0.3, "tenure": 12.0, "plan": "basic", "vip": True}
CANDIDATES = ["none", "bonus", "credit"]


@pytest.mark.parametrize(
    ("text", "holds", "names"),
    [
        ("score >= 0.3", True, {"score"}),
        ("score > 0.3", False, {"score"}),
        ("0.1 <= score < 0.3", False, {"score"}),
        ("0.1 <= score < 0.31 <= 1", True, {"score"}),
        ("score == 0.3 and tenure != 11", True, {"score", "tenure"}),
        ("score < 0.1 or tenure < 24", True, {"score", "tenure"}),
        ("not (score < 0.1 or tenure < 24)", False, {"score", "tenure"}),
        ("-tenure < -11", True, {"tenure"}),
        ("--tenure == 12", True, {"tenure"}),
        ('plan == "basic"', True, {"plan"}),
        ("plan != 'basic'", False, {"plan"}),
        ('plan in ("basic", "plus")', True, {"plan"}),
        ('plan not in ["basic", "plus"]', False, {"plan"}),
        ("tenure in (6, 12, 24)", True, {"tenure"}),
        ("vip", True, {"vip"}),
        ("not vip", False, {"vip"}),
        ("vip == true", True, {"vip"}),
        ("vip == false", False, {"vip"}),
        ("vip in (true, false)", True, {"vip"}),
        ("True", True, set()),
        ("score >= 0.1 and not vip or plan == 'basic'", True, {"score", "vip", "plan"}),
        ("  score >= 0.3 ".strip(), True, {"score"}),
    ],
)
def test_says(text: str, holds: bool, names: set[str]) -> None:
    rule = parse_rule(text, FEATURES)
    assert (rule.holds(VALUES), set(rule.names), rule.text) == (holds, names, text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "can't be read"),
        ("score >", "can't be read"),
        ("score => 0.1", "can't be read"),
        ("score = 0.1", "can't be read"),
        ("score >= 0.1; vip", "can't be read"),
        ("\x00", "can't be read"),
        ("(" * 300 + "vip" + ")" * 300, "can't be read"),
        ("not " * 5000 + "vip", "can't be read"),
        ("score", "a number where a boolean belongs"),
        ("plan", "a text where a boolean belongs"),
        ("'yes'", "a text where a boolean belongs"),
        ("1", "a number where a boolean belongs"),
        ("churn >= 0.1", "speaks of 'churn'; the model knows plan, score, tenure, vip"),
        ("score >= '0.1'", "a text where a number belongs"),
        ("plan == 7", "a number where a text belongs"),
        ("plan < 'basic'", "a text where a number belongs"),
        ("vip >= true", "a boolean where a number belongs"),
        ("vip == 1", "a number where a boolean belongs"),
        ("plan in ('basic', 7)", "a number where a text belongs"),
        ("plan in 'basic'", "after 'in' write a list"),
        ("plan in ()", "after 'in' write a list"),
        ("score is 1", "compares by other than"),
        ("score + 1 > 1", "'score + 1'"),
        ("score * 2 > 1", "'score * 2'"),
        ("+score > 1", "'+score'"),
        ("~vip", "'~vip'"),
        ("not score", "a number where a boolean belongs"),
        ("-vip == -1", "a boolean where a number belongs"),
        ("score and vip", "a number where a boolean belongs"),
        ("score > 1j", "1j"),
        ("plan == b'basic'", "b'basic'"),
        ("score == None", "None"),
        ("vip == ...", "..."),
        ("f'{plan}' == 'basic'", "f'{plan}'"),
        ("len(plan) > 3", "len(plan)"),
        ("__import__('os')", "__import__('os')"),
        ("plan.upper() == 'BASIC'", "plan.upper()"),
        ("plan.__class__ == plan", "plan.__class__"),
        ("plan[0] == 'b'", "plan[0]"),
        ("(lambda: vip)()", "lambda"),
        ("[x for x in (1,)] == 1", "for x in"),
        ("vip if vip else vip", "if vip else"),
        ("(x := vip)", "x := vip"),
        ("tenure in (1, (2, 3))", "(2, 3)"),
        ("await vip", "can't be read|await vip"),
    ],
)
def test_refuses(text: str, said: str) -> None:
    with pytest.raises(BadRule) as refusal:
        parse_rule(text, FEATURES)
    assert any(one in str(refusal.value) for one in said.split("|"))


WORDS = ["score", "tenure", "plan", "vip", "and", "or", "not", "in", "(", ")", ",", "1", "'a'", "<", "==", "-", "true"]


@given(st.text(max_size=40) | st.lists(st.sampled_from(WORDS)).map(" ".join))
def test_any_text_is_a_rule_or_a_bad_one(text: str) -> None:
    with suppress(BadRule):
        assert parse_rule(text, FEATURES).holds(VALUES) in (True, False)


NUMBERS = st.floats(-10, 10).map(repr)
LEAVES = st.one_of(
    st.builds("{} {} {}".format, st.just("score"), st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), NUMBERS),
    st.builds("{} {} {}".format, NUMBERS, st.sampled_from(["<", ">="]), st.just("tenure")),
    st.builds("plan {} ('basic', 'plus')".format, st.sampled_from(["in", "not in"])),
    st.sampled_from(["vip", "not vip", "plan == 'gone'"]),
)
RULES = st.recursive(
    LEAVES,
    lambda inner: (
        st.builds("({} and {})".format, inner, inner)
        | st.builds("({} or {})".format, inner, inner)
        | st.builds("(not {})".format, inner)
    ),
    max_leaves=8,
)


@given(RULES, st.floats(-10, 10), st.floats(-10, 10), st.sampled_from(["basic", "plus", "gone"]), st.booleans())
def test_a_rule_says_what_python_says(text: str, score: float, tenure: float, plan: str, vip: bool) -> None:
    values = {"score": score, "tenure": tenure, "plan": plan, "vip": vip}
    assert parse_rule(text, FEATURES).holds(values) == bool(eval(text, {"__builtins__": {}}, values))


def test_refused_actions_have_their_reasons() -> None:
    conditions = [
        Condition(parse_rule("score >= 0.5", FEATURES), "too unlikely"),
        Condition(parse_rule("plan == 'plus'", FEATURES), "wrong plan", frozenset({"credit"})),
        Condition(parse_rule("vip", FEATURES), "no vip"),
    ]
    assert refusals(CANDIDATES, "none", conditions, VALUES) == {"bonus": "too unlikely", "credit": "too unlikely"}
    assert refusals(CANDIDATES, "none", conditions[1:], VALUES) == {"credit": "wrong plan"}
    assert refusals(CANDIDATES, "none", conditions[2:], VALUES) == {}


@pytest.mark.parametrize("values", [{"score": 0.3}, {"score": 0.3, "tenure": None}])
def test_a_missing_feature_refuses_what_needs_it(values: dict[str, Any]) -> None:
    condition = Condition(parse_rule("tenure < 24", FEATURES), "too long", frozenset({"credit"}))
    assert refusals(CANDIDATES, "none", [condition], values) == {"credit": "tenure missing"}
    # even where the rest of the rule would decide
    either = Condition(parse_rule("score > 0.1 or tenure < 24", FEATURES), "no")
    assert refusals(CANDIDATES, "none", [either], values) == {"bonus": "tenure missing", "credit": "tenure missing"}


@given(RULES, st.sampled_from(CANDIDATES))
def test_the_baseline_is_always_possible(text: str, baseline: str) -> None:
    conditions = [Condition(parse_rule(f"not ({text})", FEATURES), "no"), Condition(parse_rule(text, FEATURES), "no")]
    assert refusals(CANDIDATES, baseline, conditions, VALUES).keys() == set(CANDIDATES) - {baseline}
