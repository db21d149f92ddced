"""Both stories acted out through REST, row by row, whatever the draws: every figure of the reference."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest

from experiments.selectors import experiment_named
from impact.agreements.plan import from_content
from impact.figures.beside import adverse_lines, by_clusters, stop_or_wait
from impact.figures.executive import points
from impact.figures.forms import Forms
from tests.analysis.acted import Churn, Maintenance
from tests.analysis.test_stories import A, B, agrees, by_arm
from tests.conftest import START, Caller
from workspaces.models import Workspace

Drain = Callable[[], None]


def test_story_b_acted_out(workspace: Workspace, api: Caller, drain: Drain) -> None:
    story = Maintenance(workspace, api)
    story.open()
    story.live()
    story.alert_elsewhere(9, 0.75)
    story.alert_elsewhere(7, 0.2, forced={"mode": "forced_capacity", "action": "wait", "reason": "no crew"})
    story.alert_elsewhere(5, 0.2, forced={"mode": "manual", "action": "stop", "reason": "the shift lead heard it"})
    end = story.at + timedelta(days=15)
    document = story.close(drain, end, "failure", "planned_minutes", "unplanned_minutes")
    assert document["maturity"] == {"mature": 480, "open": 0, "censored": 0, "final": True}
    assert document["excluded"] == {"forced_safety": 9, "forced_capacity": 7, "manual": 5, "fallback": 0}
    assert document["held_out"] == story.modes["holdout"] > 0
    _maintenance_money(document)
    _maintenance_threshold(document, story.results("ja"))
    _maintenance_conflict(document, story.results("ja"))


def _maintenance_money(document: Mapping[str, Any]) -> None:
    [whole] = document["money"]["comparisons"]
    agrees(whole["net"], B["policy"]["always wait vs always stop"])
    assert whole["by_clusters"]["clusters"] == 20
    for segment in document["segments"]:
        [block] = segment["comparisons"]
        wanted = B[segment["value"]]
        agrees(block, wanted["saving of waiting"])
        agrees(block["by_clusters"], wanted["saving of waiting, clusters = lines, CR2"])
    assert len(by_clusters(document, Forms("en"))) == len(by_clusters(document, Forms("ja"))) == 3
    agrees(_valued(document, "wait-below-threshold", "always-stop", "stratified"), B["policy"]["policy vs always stop"])
    agrees(_valued(document, "wait-below-threshold", "wait", "stratified"), B["policy"]["policy vs always wait"])
    _maintenance_tried(document)
    statement, finance = document["value_statement"], B["finance"]
    _years(statement["projected"], finance["against always stop (today's rule)"])
    _years(document["value_ladder"]["model"]["year"], finance["against always wait (best score-free action)"])


def _maintenance_tried(document: Mapping[str, Any]) -> None:
    """The planned threshold is marked, and worth what the policy is."""
    tried = document["what_if"]
    [below] = [one for one in tried["thresholds"] if (one["arm"], one["side"]) == ("wait", "below")]
    [planned] = [one for one in below["points"] if one["at"] == pytest.approx(B["p_star_planned"], rel=1e-12)]
    wanted = {"nobody": "policy vs always stop", "best_single": "policy vs always wait"}
    for against, name in wanted.items():
        assert planned["against"][against]["effect"] == pytest.approx(B["policy"][name]["effect"], rel=1e-6)
        assert planned["against"][against]["se"] == pytest.approx(B["policy"][name]["se"], rel=1e-6)
    assert planned["at"] in [mark["at"] for mark in tried["marks"]]


def _maintenance_threshold(document: Mapping[str, Any], japanese: Mapping[str, Any]) -> None:
    found = document["stop_or_wait"]
    assert found["planned"] == pytest.approx(B["p_star_planned"], rel=1e-12)
    for one in found["measured"]:
        if one["by"]:
            wanted = B[one["value"]]
            assert one["residual"] == pytest.approx(wanted["residual_failure_rate_after_stop"], rel=1e-9)
            assert one["threshold"] == pytest.approx(wanted["p_star_with_residual_failures"], rel=1e-9)
    planned, whole, low, high = (_plain(line) for line in stop_or_wait(document, Forms("en")))
    assert planned == "Planned: stopping pays from a risk of 26.2 % on, if nothing fails that was stopped."
    assert low == (
        "Score band low: 2.9 % of 140 failed in spite of stopping, so it pays from 29.2 % on."
        " What scores between 26.2 % and 29.2 % would wait instead of being stopped."
    )
    assert "30.4 %" in high and "29.7 %" in whole
    assert "29.2%" in stop_or_wait(japanese, Forms("ja"))[2]
    [point] = [point for point in points(document, {}, [], "en") if point["title"] == "Stop or wait"]
    assert planned in _plain(point["text"])


def _maintenance_conflict(document: Mapping[str, Any], japanese: Mapping[str, Any]) -> None:
    """In the low band waiting earns, and makes worse what the plant manager looks at."""
    [check] = [check for check in document["checks"] if check["id"] == "driver_and_money_by_segment"]
    assert not check["passed"] and check["severity"] == "warn"
    assert check["numbers"] == {"opposed": [{"arm": "wait", "metric": "unplanned", "value": "low"}]}
    assert "Wait for the window (unplanned, low)" in check["message"]
    assert document["verdict"]["level"] == "likely"
    assert _plain(document["verdict"]["sentence"]) == (
        "Wait for the window earned 1,263 EUR per machine episode more than stop now,"
        " between \u2212500 and 3,027: likely, not proven."
    )
    said = japanese["verdict"]["sentence"]
    assert "1,263" in said and "有望" in said, said


@pytest.mark.slow
def test_story_a_acted_out(workspace: Workspace, api: Caller, drain: Drain) -> None:
    story = Churn(workspace, api)
    story.open()
    story.live()
    story.settle_elsewhere("manual", "credit", 40)
    story.settle_elsewhere("forced_capacity", "none", 25)
    document = story.close(drain, START + timedelta(days=200), "churned")
    assert document["maturity"] == {"mature": 45_000, "open": 0, "censored": 0, "final": True}
    assert document["excluded"] == {"forced_safety": 0, "forced_capacity": 25, "manual": 40, "fallback": 0}
    assert document["held_out"] == story.modes["holdout"] > 0
    _churn_planned(workspace)
    _churn_effects(document)
    _churn_policies(document)
    _churn_watched(document)
    _churn_year(document)
    _churn_said(document, story.results("ja"))


def _churn_planned(workspace: Workspace) -> None:
    """What three people saw before they signed."""
    case = from_content(experiment_named(workspace, "churn-incentives").plan).case
    wanted = A["planning"]
    needed = wanted["n_per_arm_for_net_of_true_churn_effect"]["0.015"]
    assert case.rows_needed["bonus"] == pytest.approx(needed, rel=0.02)
    assert case.detectable_effect == pytest.approx(wanted["detectable_net_per_customer_at_15000"], rel=0.02)


def _churn_effects(document: Mapping[str, Any]) -> None:
    [churn], money = document["metrics"], document["money"]
    assert {arm["arm"]: (arm["n"], round(arm["total"])) for arm in churn["arms"]} == {
        "none": (15_000, 3_300), "bonus": (15_000, 3_120), "credit": (15_000, 2_850),
    }  # fmt: skip
    for arm, block in by_arm(churn["comparisons"]).items():
        agrees(block, A["churn"][arm])
    for arm, block in by_arm(money["comparisons"]).items():
        wanted = A["net"][arm]
        agrees(block["net"], wanted)
        assert block["break_even"]["effect"] == pytest.approx(wanted["break_even_churn_effect"], rel=1e-9)
        for name, amount in wanted["total_on_arm"].items():
            assert block["total"][name] == pytest.approx(amount, abs=1e-6)
    for segment in document["segments"]:
        for arm, block in by_arm(segment["comparisons"]).items():
            agrees(block, A["net_by_band"][f"{segment['value']} {arm}"])


def _churn_policies(document: Mapping[str, Any]) -> None:
    for (policy, against), name in {
        ("challenger", "nobody"): "challenger vs nobody",
        ("champion", "nobody"): "champion vs nobody",
        ("challenger", "champion"): "challenger vs champion",
        ("challenger", "bonus"): "challenger vs bonus for all (best score-free action)",
    }.items():
        agrees(_valued(document, policy, against, "stratified"), A["policy"][name])
    estimators = A["challenger vs nobody, three estimators, value = 300 x retained"]
    for name in ("snips", "ips"):
        found = _valued(document, "challenger", "nobody", name)
        assert found["effect"] == pytest.approx(estimators[name]["effect"], rel=1e-6)
        assert found["se"] == pytest.approx(estimators[name]["se"], rel=1e-6)
    # the doubly robust reading's folds are random; the stratified one stands for it
    headline = _valued(document, "challenger", "nobody", "stratified")
    assert headline["se"] == pytest.approx(estimators["dr"]["se"], rel=0.02)


def _churn_watched(document: Mapping[str, Any]) -> None:
    """The bonus may drive away customers who are likely to leave: a warning, and no claim."""
    [one] = document["adverse"]
    assert (one["by"], one["value"], one["arm"], one["metric"]) == ("score_band", "H", "bonus", "churn")
    assert one["effect"] == pytest.approx(0.01, rel=1e-6) and round(one["p_value"], 2) == 0.42
    [line] = adverse_lines(document, "score_band", Forms("en"))
    assert _plain(line).startswith("H, Bonus: Churn +1.0 points, the wrong way, but not beyond chance (p = 0.4")
    assert "断定はできません" in adverse_lines(document, "score_band", Forms("ja"))[0]


def _churn_year(document: Mapping[str, Any]) -> None:
    statement, finance = document["value_statement"], A["finance"]
    assert statement["policy"] == "challenger"
    assert statement["programme"]["cases"] == pytest.approx(finance["cases_per_year"])
    _years(statement["projected"], finance["measured"])
    _years(statement["booked"], finance["booked"])
    assert statement["booked"]["shrinkage"] == pytest.approx(A["shrinkage"]["lambda"], rel=1e-9)
    assert statement["price_of_holdout"] == pytest.approx(
        finance["price_of_5_percent_holdout_per_year"]["booked"], rel=1e-6
    )
    wanted = finance["model over best score-free action"]
    _year(document["value_ladder"]["model"]["year"]["base"], wanted)
    cash = statement["cash"]["projected"]
    assert (cash["months_to_positive"], cash["peak_month"]) == (35, A["cash"]["peak_month"])
    assert cash["peak_funding"] == pytest.approx(A["cash"]["peak_funding"], rel=1e-6)
    [flip] = statement["tornado"]
    assert flip["inside"] and flip["flips_at"] == pytest.approx(A["break_even_value_per_retained_customer"], rel=1e-6)
    for value, end in (("170.0", "effect_at_low"), ("340.0", "effect_at_high")):
        assert flip[end] == pytest.approx(A["policy_at"][value]["effect"], rel=1e-6)


def _churn_said(document: Mapping[str, Any], japanese: Mapping[str, Any]) -> None:
    assert [(one["arm"], one["level"]) for one in document["verdicts"]] == [("bonus", "likely"), ("credit", "harmful")]
    assert _plain(document["verdict"]["sentence"]) == (
        "Bonus earned 1.90 EUR per customer more than no action, between \u22120.81 and 4.61: likely, not proven."
        " Credit lost 8.50 EUR."
    )
    assert "Churn moved the right way, profit is not proven." in document["verdict"]["next_step"]
    assert any("190.6" in reason for reason in document["verdict"]["because"])
    said = japanese["verdict"]["sentence"]
    assert all(part in said for part in ("1.90", "8.50", "有望")), said
    page = {point["title"]: point.get("text", "") for point in points(document, {}, [], "en")}
    assert "month 35" in _plain(page["Payback, NPV, return"]) and "1,240,321" in _plain(page["Payback, NPV, return"])
    assert "190.6" in page["What would change it"]


def _valued(document: Mapping[str, Any], policy: str, against: str, estimator: str) -> Any:
    return next(
        one
        for one in document["policies"]
        if (one["policy"], one["against"], one["estimator"]) == (policy, against, estimator)
    )


def _years(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    for case, figures in wanted.items():
        _year(found[case], figures)


def _year(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    for name, figure in wanted.items():
        assert found[name] == (None if figure is None else pytest.approx(figure, rel=1e-6)), name


def _plain(text: str) -> str:
    return text.replace("\u00a0", " ")
