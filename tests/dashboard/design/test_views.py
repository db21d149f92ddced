"""The design editor: where it begins, what it shows while one types, what it saves, what it refuses by its field."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from django.test import Client

from experiments.models import Action, DecisionPoint, Experiment
from impact.agreements.models import Agreement, Assumption, Metric
from impact.agreements.services import sign, start_experiment
from impact.config.declarations import apply_files
from tests.conftest import enter, signed_in, started
from tests.dashboard.test_views import page
from tests.experiments.design import AGREEMENT, LADDER, apply, declared
from workspaces.models import Membership, Workspace

AT = "/w/mobile/design"
ANEW = f"{AT}?point=offer&measure=net"
CASE = {
    "name": "Offers again", "key": "again", "owner": "Bea", "hypothesis": "A bonus pays.", "decision": "Offer it?",
    "if_wins": "Roll out.", "if_unclear": "Confirm.", "if_loses": "Drop.",
}  # fmt: skip
VALUE = {
    "value_name": "Value of a kept customer", "value_low": 170, "value_base": 300, "value_high": 340,
    "value_owner": "Finance", "value_status": "agreed",
}  # fmt: skip
ARMS = {
    "arm_none": "on", "weight_none": 1, "arm_bonus": "on", "weight_bonus": 1, "fixed_bonus": 1, "contingent_bonus": 2,
    "share_bonus": 35, "fixed_credit": 17.5,
}  # fmt: skip
SIZE = {
    "expected_baseline": 22, "expected_effect": -1.5, "rows_per_arm": 15_000, "per_week": 5000, "weeks": 6,
    "window_days": 90, "alpha": 5, "power": 80,
}  # fmt: skip
TYPED: dict[str, Any] = CASE | VALUE | ARMS | SIZE
NEW = {"outcome": "complained", "outcome_name": "Complaints", "direction": "decrease"}


@pytest.fixture
def analyst(workspace: Workspace) -> Membership:
    return enter(workspace, "ana@example.com", "analyst")


@pytest.fixture
def client(analyst: Membership, churn: Experiment) -> Client:
    return signed_in(analyst)


def typed(**changes: Any) -> dict[str, Any]:
    return {name: value for name, value in (TYPED | changes).items() if value is not None}


def test_it_begins_at_a_decision_point_or_a_clone(client: Client) -> None:
    shown = page(client, "design")
    assert '<option value="offer">' in shown and "Net value" in shown and "?clone=offers" in shown
    assert "?experiment=offers" in shown


def test_without_a_decision_point_it_says_what_to_declare(analyst: Membership) -> None:
    assert "There is no decision point yet." in page(signed_in(analyst), "design")


def test_the_fields_hold_what_is_declared(client: Client) -> None:
    shown = page(client, "design?point=offer&measure=net")
    assert 'name="value_base" value="300"' in shown and 'name="fixed_bonus" value="1"' in shown
    assert "What decides" not in shown and "not complete" not in shown.lower().split("<form")[0]


@pytest.mark.parametrize("query", ["?point=elsewhere", "?point=offer&measure=churn", "?clone=elsewhere"])
def test_what_is_not_there_is_not_found(client: Client, query: str) -> None:
    assert client.get(AT + query).status_code == 404


def test_typing_is_answered_with_what_the_plan_can_prove(client: Client) -> None:
    answer = client.post(f"{AT}/preview?point=offer&measure=net", typed(), headers={"HX-Request": "true"})
    text = answer.content.decode().replace("\u00a0", " ")
    assert answer.status_code == 200 and "<html" not in text
    assert "chance to prove that bonus pays, if churn truly falls by 1.50 points" in text
    assert "−0.57 points" in text and "15,000 rows come into the smallest arm in 6 weeks" in text
    declared = yaml.safe_load(text.split('id="yaml"')[1].split(">", 1)[1].split("</pre>")[0].replace("&#x27;", "'"))
    assert declared["agreements"][0]["expected"] == {"baseline": 0.22, "effect": -0.015}
    dearer = client.post(f"{AT}/preview?point=offer&measure=net", typed(fixed_bonus=10)).content.decode()
    assert "would lose" in dearer
    assert not Experiment.objects.filter(key="again").exists()


def test_what_is_wrong_while_typing_is_named(client: Client) -> None:
    text = client.post(f"{AT}/preview?point=offer&measure=net", typed(expected_effect=-30)).content.decode()
    assert "Mend what is marked" in text and "Change hoped for, points" in text and "A share stays between" in text
    heavy = client.post(f"{AT}/preview?point=offer&measure=net", typed(weight_bonus=0)).content.decode()
    assert "Bonus: Weight" in heavy.split("</section>")[0]
    empty = client.post(f"{AT}/preview?point=offer&measure=net", typed(expected_effect="")).content.decode()
    assert "Say what is measured" in empty and '<svg class="plot"' not in empty


def test_saving_makes_a_draft_with_its_agreement(client: Client) -> None:
    answer = client.post(ANEW, typed(guardrail_1="", loss_cap=5000, cases_per_year="270000", years=3), follow=True)
    assert answer.redirect_chain == [("/w/mobile/experiments/again/agreement", 302)]
    assert "Three people sign it here." in answer.content.decode()
    experiment = Experiment.objects.get(key="again")
    assert experiment.status == "draft" and [arm.key for arm in experiment.arms.all()] == ["none", "bonus"]
    assert experiment.enrolment_until is not None and experiment.horizon_days == 90
    content = experiment.agreements.get().content
    assert content["case"]["rows_per_arm"] == 15_000 and content["case"]["loss_cap"] == 5000
    assert content["case"]["expected_net"]["bonus"] == pytest.approx(2.80)
    assert content["deployment"]["cases_per_year"] == {"base": 270_000.0, "assumption": None}
    # what nobody changed was not declared anew
    assert Assumption.objects.filter(key="kept").count() == 1 and Action.objects.filter(key="bonus").count() == 1


def test_what_it_saves_is_what_apply_would_declare(client: Client, workspace: Workspace, tmp_path: Any) -> None:
    text = client.post(f"{AT}/preview?point=offer&measure=net", typed()).content.decode()
    file = tmp_path / "again.yaml"
    file.write_text(text.split('id="yaml"')[1].split(">", 1)[1].split("</pre>")[0].replace("&#x27;", "'"))
    apply_files(workspace, [file], "test")
    applied = Agreement.objects.get(experiment__key="again").sha256
    client.post(f"{AT}?experiment=again", typed(key=None))
    assert [one.sha256 for one in Agreement.objects.filter(experiment__key="again")] == [applied]


def test_a_new_outcome_is_declared_with_its_value(client: Client) -> None:
    answer = client.post(f"{AT}?point=offer&measure=", typed(**NEW))
    assert answer.status_code == 302, answer.content.decode()
    content = Agreement.objects.get(experiment__key="again").content
    assert content["net"]["value"][0] | {"window_days": None} == {
        "outcome": "complained", "aggregate": "any", "default": 0.0, "times": -300.0, "window_days": None,
        "assumption": "again-value", "cap": None,
    }  # fmt: skip
    assert Metric.objects.get(key="again-outcome").direction == "decrease"
    assert content["break_even"]["metric"] == "again-outcome"


def test_a_dearer_action_is_a_new_version(client: Client) -> None:
    client.post(ANEW, typed(contingent_bonus=4))
    action = Action.objects.get(key="bonus", is_current=True)
    assert (action.version, action.planned_cost, action.parameters) == (2, pytest.approx(2.40), {"data_gb": 5})
    assert Experiment.objects.get(key="again").arms.get(key="bonus").action == action


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("name", "", "This field is required."),
        ("key", "Not a key", "Use 1 to 64 small letters"),
        ("key", "offers", "There is an experiment offers already"),
        ("value_base", 100, "must ascend"),
        ("value_base", "nan", "Enter a number."),
        ("expected_baseline", "", "Say both, or neither."),
        ("expected_effect", -50, "A share stays between 0 and 100"),
        ("rows_per_arm", 1, "greater than or equal to 2"),
        ("weight_bonus", 2_000_000, "less than or equal to"),
        ("window_days", 0, "greater than or equal to"),
        ("arm_bonus", None, "Choose another arm to compare"),
        ("cases_per_year", "nobody-knows", "There is no assumption"),
        ("share_bonus", 101, "less than or equal to 100"),
        ("power", 100, "less than or equal to"),
    ],
)
def test_what_is_refused_names_its_field_and_stores_nothing(client: Client, field: str, value: Any, said: str) -> None:
    answer = client.post(ANEW, typed(**{field: value}))
    text = answer.content.decode()
    assert answer.status_code == 422 and said in text
    # before the next field's label
    near = text[text.index(f'id="id_{field}"') :]
    assert 'role="alert"' in near[: near.index("<label")]
    assert not Experiment.objects.filter(key="again").exists() and Action.objects.filter(key="bonus").count() == 1


def test_a_margin_is_asked_for_with_its_guardrail(client: Client, workspace: Workspace) -> None:
    client.post(f"{AT}?point=offer&measure=", typed(**NEW))
    rail = {"guardrail_1": "again-outcome", "key": "third"}
    assert "Say how much worse it may get." in client.post(ANEW, typed(**rail)).content.decode()
    assert client.post(ANEW, typed(**rail, margin_1=0.002)).status_code == 302
    metrics = Agreement.objects.get(experiment__key="third").content["metrics"]
    assert [(one["key"], one["margin"]) for one in metrics if one["role"] == "guardrail"] == [("again-outcome", 0.002)]


def test_a_clone_begins_with_all_of_it_and_another_name(client: Client, churn: Experiment) -> None:
    shown = page(client, "design?clone=offers")
    assert 'value="Offers, again"' in shown and 'value="offers-2"' in shown and "A bonus pays." in shown
    answer = client.post(f"{AT}?clone=offers", typed(key="offers-2"))
    assert answer.status_code == 302
    assert Experiment.objects.filter(key="offers-2").exists() and churn.agreements.count() == 1


def test_planned_looks_are_designed_priced_and_cloned(client: Client) -> None:
    once, often = (
        client.post(f"{AT}/preview?point=offer&measure=net", typed(looks=looks)).content.decode()
        for looks in ("fixed", "always_valid")
    )
    needed = [re.search(r"it takes ([\d,]+) rows", text) for text in (once, often)]
    rows = [int(found[1].replace(",", "")) for found in needed if found]
    assert len(rows) == 2 and 1.5 * rows[0] < rows[1] < 2.5 * rows[0]
    client.post(ANEW, typed(looks="group_sequential"))
    planned = Experiment.objects.get(key="again").agreements.get()
    assert (planned.content["looks"], planned.content["looks_at"]) == ("group_sequential", [0.25, 0.5, 0.75, 1.0])
    # a clone keeps those that were agreed, whichever they are
    Agreement.objects.filter(pk=planned.pk).update(content=planned.content | {"looks_at": [0.4, 1.0]})
    assert 'value="group_sequential" selected' in page(client, "design?clone=again")
    client.post(f"{AT}?clone=again", typed(key="again-2", looks="group_sequential"))
    assert Experiment.objects.get(key="again-2").agreements.get().content["looks_at"] == [0.4, 1.0]


def test_clusters_are_asked_for_where_they_are_drawn(client: Client, workspace: Workspace, tmp_path: Any) -> None:
    assert 'name="cluster_size"' not in page(client, "design?clone=offers")
    declared(workspace, tmp_path, point={"cluster": "household"}, experiment={"randomize": "cluster"})
    asked = page(client, "design?clone=offers")
    assert 'name="cluster_size"' in asked and "say how large and how alike" in asked
    alike = {"key": "homes", "cluster_size": 20, "cluster_icc": 0.05, "cluster_cv": 0.4}
    previewed = client.post(f"{AT}/preview?clone=offers", typed(**alike)).content.decode()
    assert "chance to prove" in previewed and "icc: 0.05" in previewed
    few = client.post(f"{AT}?clone=offers", typed(**alike | {"cluster_size": 9_000})).content.decode()
    assert "These are fewer than two clusters." in few and "chance to prove that" not in few
    half = client.post(f"{AT}?clone=offers", typed(**alike | {"cluster_icc": None})).content.decode()
    assert "Say both, or neither." in half
    assert client.post(f"{AT}?clone=offers", typed(**alike)).status_code == 302
    case = Agreement.objects.get(experiment__key="homes").content["case"]
    assert case["clusters"] == {"size": 20, "icc": 0.05, "cv": 0.4, "design_effect": pytest.approx(2.11)}
    assert 'name="cluster_cv" value="0.4"' in page(client, "design?experiment=homes")
    shown = page(client, "experiments/homes/agreement")
    assert "2.11" in shown and "2.11 times those of single units" in shown


RULES = {"policies": LADDER}
POLICY_ARMS = {
    "arm_none": None, "arm_bonus": None, "baseline": "policy:nobody", "arm_policy:todays-rule": "on",
    "arm_policy:what-pays": "on", "weight_policy:what-pays": 2, "todays_rule": "todays-rule", "deploys": "what-pays",
    "cases_per_year": "1000", "running_per_year": "1",
}  # fmt: skip


def test_policies_can_be_arms_and_the_baseline(client: Client, workspace: Workspace, tmp_path: Any) -> None:
    assert 'name="baseline"' not in page(client, "design?point=offer&measure=net")
    apply(workspace, tmp_path, **RULES)
    assert '<option value="policy:todays-rule">' in page(client, "design?point=offer&measure=net")
    text = client.post(f"{AT}/preview?point=offer&measure=net", typed(**POLICY_ARMS)).content.decode()
    written = yaml.safe_load(text.split('id="yaml"')[1].split(">", 1)[1].split("</pre>")[0].replace("&#x27;", "'"))
    arms = [{"policy": "nobody", "weight": 1}, {"policy": "todays-rule", "weight": 1}]
    assert written["experiments"][0]["arms"] == [*arms, {"policy": "what-pays", "weight": 2}]
    assert written["experiments"][0]["baseline"] == "nobody"
    # the dearest action that the rule may give costs 1.70, and that of what pays 17.50
    assert "1.70" in text and "would lose" not in text.split("</section>")[0]
    assert client.post(ANEW, typed(**POLICY_ARMS)).status_code == 302
    experiment = Experiment.objects.get(key="again")
    found = [(arm.key, arm.policy and arm.policy.key, arm.weight, arm.is_baseline) for arm in experiment.arms.all()]
    assert found == [
        ("nobody", "nobody", 1, True), ("todays-rule", "todays-rule", 1, False), ("what-pays", "what-pays", 2, False),
    ]  # fmt: skip
    case = experiment.agreements.get().content["case"]
    assert case["expected_net"]["todays-rule"] == pytest.approx(4.5 - 1.7)


def test_arms_that_are_policies_are_changed_cloned_and_started(
    client: Client, workspace: Workspace, tmp_path: Any
) -> None:
    apply(workspace, tmp_path, **RULES)
    client.post(ANEW, typed(**POLICY_ARMS | {"arm_bonus": "on"}, weeks=None))
    asked = page(client, "design?experiment=again")
    assert '<option value="policy:nobody" selected>' in asked
    assert 'name="weight_policy:what-pays" value="2"' in asked
    ticked = [one for one in ("none", "bonus", "credit", "policy:anything", "policy:what-pays")
              if f'name="arm_{one}" id="id_arm_{one}" checked' in asked]  # fmt: skip
    assert ticked == ["bonus", "policy:what-pays"]
    assert client.post(f"{AT}?experiment=again", typed(**POLICY_ARMS, key=None, weeks=None)).status_code == 302
    assert client.post(f"{AT}?clone=again", typed(**POLICY_ARMS, key="more")).status_code == 302
    assert [arm.key for arm in Experiment.objects.get(key="more").arms.all()] == ["nobody", "todays-rule", "what-pays"]
    experiment = Experiment.objects.get(key="again")
    assert started(workspace, experiment).status == "running"


def test_an_arm_alone_or_under_its_own_name_is_said(client: Client, workspace: Workspace, tmp_path: Any) -> None:
    apply(workspace, tmp_path, **RULES)
    alone = client.post(ANEW, typed(arm_none=None, arm_bonus=None, baseline="policy:nobody")).content.decode()
    assert "Choose another arm to compare with the baseline." in alone
    named = [{"action": "none"}, {"policy": "todays-rule", "key": "rule"}]
    declared(workspace, tmp_path, experiment={"key": "named", "arms": named}, agreements=[])
    agreement = AGREEMENT | {"experiment": "named"}
    apply(workspace, tmp_path, agreements=[agreement])
    assert "names of their own" in client.get(f"{AT}?clone=named", follow=True).content.decode()


METRIC = """
metrics:
  - {key: calls, name: Calls, kind: mean, direction: decrease, of: {outcome: called, aggregate: count}}
  - key: worth
    name: Worth
    kind: net value
    value: [{outcome: called, aggregate: sum}, {outcome: churned, aggregate: any, times: kept, negative: true}]
agreements:
  - {experiment: offers, hypothesis: h, decision: d, owner: o, primary: worth, drivers: [calls], rows_per_arm: 500,
     loss_cap: 900, if_wins: a, if_unclear: b, if_loses: c}
"""


def test_without_a_share_to_foresee_its_value_can_be_changed_still(
    client: Client, workspace: Workspace, tmp_path: Any
) -> None:
    (tmp_path / "more.yaml").write_text(METRIC)
    apply_files(workspace, [tmp_path / "more.yaml"], "test")
    shown = page(client, "design?experiment=offers")
    assert "known beforehand" in shown and 'name="value_base" value="300"' in shown
    assert 'name="expected_effect"' not in shown and 'name="loss_cap" value="900"' in shown
    answer = client.post(f"{AT}?experiment=offers", typed(key=None, value_base=310, rows_per_arm=700))
    assert answer.status_code == 302
    content = Agreement.objects.filter(experiment__key="offers").latest("version").content
    assert [term["times"] for term in content["net"]["value"]] == [1.0, -310.0]
    assert [(one["key"], one["role"]) for one in content["metrics"]] == [("calls", "driver")]


def test_a_draft_is_changed_and_signed_anew(client: Client, workspace: Workspace, churn: Experiment) -> None:
    first = churn.agreements.get()
    sign(agreement=first, membership=enter(workspace, "bea@example.com", "viewer", "business"), sha256=first.sha256)
    assert "Change the draft" in page(client, "experiments/offers/agreement")
    assert client.post(f"{AT}?experiment=offers", typed(key=None)).status_code == 302
    second = churn.agreements.latest("version")
    assert second.version == 2 and second.signatures.count() == 0 and first.signatures.count() == 1


def test_what_has_started_is_not_changed_but_cloned(client: Client, workspace: Workspace, churn: Experiment) -> None:
    started(workspace, churn)
    refused = client.get(f"{AT}?experiment=offers", follow=True).content.decode()
    assert "be a draft any more" in refused or "a draft any more; clone it instead" in refused
    assert "Change the draft" not in page(client, "experiments/offers/agreement")
    assert client.get(f"{AT}?clone=offers").status_code == 200


def test_calculating_without_a_script_stores_nothing(client: Client) -> None:
    answer = client.post(ANEW, typed(look="1"))
    assert answer.status_code == 200 and "chance to prove" in answer.content.decode()
    assert not Experiment.objects.filter(key="again").exists()


def test_a_design_can_be_signed_and_started(client: Client, workspace: Workspace) -> None:
    client.post(ANEW, typed(weeks=None))
    experiment = Experiment.objects.get(key="again")
    agreement = experiment.agreements.get()
    for name, signs_for in (("bea", "business"), ("fin", "finance"), ("dan", "data science")):
        sign(
            agreement=agreement,
            membership=enter(workspace, f"{name}@x.example", "viewer", signs_for),
            sha256=agreement.sha256,
        )
    experiment.refresh_from_db()
    assert start_experiment(experiment=experiment, actor="test").status == "running"


@pytest.mark.parametrize("path", ["design", "design?point=offer&measure=net", "design/preview?point=offer&measure=net"])
def test_viewers_do_not_design(mate: Membership, stranger: Membership, churn: Experiment, path: str) -> None:
    for membership, status in ((mate, 403), (stranger, 404)):
        browser = signed_in(membership)
        assert browser.get(f"/w/mobile/{path}").status_code == status
        assert browser.post(f"/w/mobile/{path}", typed()).status_code == status
    assert "New experiment" not in page(signed_in(mate), "experiments")
    assert Experiment.objects.count() == 1


def test_another_workspaces_points_are_not_there(stranger: Membership, churn: Experiment) -> None:
    client = signed_in(stranger)
    assert client.get("/w/other/design?point=offer&measure=net").status_code == 404
    assert "offer" not in client.get("/w/other/design").content.decode().split("<main")[1]


def test_it_asks_as_often_for_three_points_as_for_one(client: Client, django_assert_num_queries: Any) -> None:
    from tests.config.test_queries import queries

    before = queries(lambda: client.get(AT))
    point = DecisionPoint.objects.get()
    for place in range(2):
        DecisionPoint.objects.create(
            workspace=point.workspace, key=f"p{place}", model=point.model, candidates=["none"], baseline="none",
            horizon_days=1, created_at=point.created_at,
        )  # fmt: skip
    assert queries(lambda: client.get(AT)) == before
