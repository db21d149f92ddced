"""Ratio metrics, caps and what was known before: from events to the results document, by hand and on a live path."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from experiments.models import Assignment
from impact.agreements.plan import Earlier, PlannedMetric, Term
from impact.analysis.metrics import metric_block
from impact.analysis.services import analyze, differing
from impact.reports.rendering import html_of, pdf_of
from impact.reports.workbook import report_workbook
from impact.stats.adjustment import lin
from impact.stats.clusters import ClusterSums
from impact.stats.effects import NotEstimable
from impact.stats.lift import lift_of
from impact.stats.moments import MomentTable
from impact.stats.ratios import ratio, ratio_parts
from tests.analysis.ground import Ground, agrees, on, plan
from tests.conftest import Caller, caller, decided, decision_row, enter, signed_in
from tests.experiments.design import AGREEMENT, CHURN, running_with
from tests.reports.board import frozen, schedule
from workspaces.models import Workspace

SPENT, ORDERS = Term(outcome="spent"), Term(outcome="order", aggregate="count")
BASKET: Any = {"kind": "ratio", "role": "secondary", "direction": "increase", "unit": "EUR"}


def basket(**terms: Any) -> PlannedMetric:
    return PlannedMetric(key="basket", name="Basket", **BASKET, **{"term": SPENT, "per": ORDERS} | terms)


def shop(ground: Ground, rows: int = 80, **more: Any) -> dict[str, np.ndarray]:
    """Customers with none to three orders; returns what each spent and ordered, and its arm."""
    made: dict[str, list[Any]] = {"spent": [], "orders": [], "arm": [], "home": []}
    for n in range(rows):
        arm, orders = ("none", "bonus")[n // 2 % 2], n % 4
        ground.row(f"u{n:03}", arm, cluster_id=f"h{n // 2}", **more)
        amounts = [10.0 + (n * 7 + k * 3) % 11 + (arm == "bonus") for k in range(orders)]
        for k, amount in enumerate(amounts):
            ground.outcome(f"u{n:03}", 1 + k, amount, type="spent")
            ground.outcome(f"u{n:03}", 1 + k, type="order")
        for name, value in zip(made, (sum(amounts), orders, arm, f"h{n // 2}"), strict=True):
            made[name].append(value)
    ground.feed(400, type="spent")
    ground.feed(400, type="order")
    return {name: np.array(values) for name, values in made.items()}


def block_of(ground: Ground, metric: PlannedMetric, **changes: Any) -> dict[str, Any]:
    planned = plan(**{"metrics": [metric], **changes})
    return metric_block(planned, metric, ground.measured(planned).families[metric.key], seed=0)


def test_a_ratio_is_of_sums_with_the_delta_methods_error(ground: Ground) -> None:
    made = shop(ground)
    found = block_of(ground, basket())
    table = MomentTable.from_arrays({"spent": made["spent"], "orders": made["orders"]}, made["arm"])
    due = ratio(table, {"spent": 1.0}, {"orders": 1.0}, "bonus", "none")
    agrees(found["comparisons"][0], due)
    for arm in found["arms"]:
        mine = made["arm"] == arm["arm"]
        assert arm["mean"] == pytest.approx(made["spent"][mine].sum() / made["orders"][mine].sum(), rel=1e-12)
        assert (arm["n"], arm["variance"]) == (40, None)
        assert arm["total"] == pytest.approx(made["spent"][mine].sum(), rel=1e-12)


def test_the_delta_methods_error_is_that_of_the_row_by_hand(ground: Ground) -> None:
    made = shop(ground)
    [block] = block_of(ground, basket())["comparisons"]
    variance = 0.0
    for arm in ("none", "bonus"):
        spent, orders = (made[name][made["arm"] == arm] for name in ("spent", "orders"))
        left = (spent - spent.sum() / orders.sum() * orders) / orders.mean()
        variance += left.var(ddof=1) / left.size
    assert block["se"] == pytest.approx(variance**0.5, rel=1e-9)
    assert (block["method"], block["method_reason"]) == ("delta", "a ratio of sums over rows")


def test_its_lift_agrees_with_its_effect(ground: Ground) -> None:
    made = shop(ground)
    [block] = block_of(ground, basket())["comparisons"]
    table = MomentTable.from_arrays({"spent": made["spent"], "orders": made["orders"]}, made["arm"])
    parts: Any = ratio_parts(table, {"spent": 1.0}, {"orders": 1.0}, "bonus", "none")
    due: Any = lift_of(parts.means, parts.effect, 0.95)
    assert (block["lift"], block["lift_ci"]) == (pytest.approx(due.estimate), pytest.approx(list(due.set.bounds)))
    assert (block["lift_ci"][0] > 0) == (block["ci"][0] > 0)


def test_clusters_that_were_randomized_are_the_rows_of_a_ratio(ground: Ground) -> None:
    made = shop(ground)
    clustered = plan(metrics=[basket()], clustered=True)
    measured = ground.measured(clustered)
    [block] = metric_block(clustered, basket(), measured.families["basket"], seed=0)["comparisons"]
    homes = np.unique(made["home"])
    sums = {name: [made[name][made["home"] == home].sum() for home in homes] for name in ("spent", "orders")}
    arms = [made["arm"][made["home"] == home][0] for home in homes]
    agrees(block, ratio(MomentTable.from_arrays(sums, arms), {"spent": 1.0}, {"orders": 1.0}, "bonus", "none"))
    assert block["method_reason"] == "a ratio of sums over clusters"
    assert isinstance(measured.families["basket"].sums, ClusterSums)


def test_a_cluster_in_two_strata_is_one_draw(ground: Ground) -> None:
    made = shop(ground)
    clustered = plan(metrics=[basket()], clustered=True)
    [before] = metric_block(clustered, basket(), ground.measured(clustered).families["basket"], 0)["comparisons"]
    for n in range(0, 80, 2):
        Assignment.objects.filter(unit_id=f"u{n:03}").update(stratum="high")
    [after] = metric_block(clustered, basket(), ground.measured(clustered).families["basket"], 0)["comparisons"]
    assert len(made["arm"]) == 80
    assert after["se"] == pytest.approx(before["se"], rel=1e-9)


def test_a_denominator_near_0_is_said(ground: Ground) -> None:
    shop(ground)
    seldom = Term(outcome="order", aggregate="count", window_days=1.5)
    for unit in (f"u{n:03}" for n in range(80)):
        ground.outcome(unit, 2, 0, type="called")
    ground.feed(400, type="called")
    [block] = block_of(ground, basket(per=Term(outcome="called")))["comparisons"]
    assert block["status"] == "not_estimable"
    assert block["reason"] == "the denominator isn't firmly away from 0 in arm bonus"
    assert {block[name] for name in ("effect", "p_value", "ci", "lift")} == {None}
    assert block_of(ground, basket(per=seldom))["comparisons"][0]["status"] == "estimated"


def test_too_few_rows_for_a_ratio_are_said(ground: Ground) -> None:
    shop(ground, rows=38)
    [block] = block_of(ground, basket())["comparisons"]
    assert block["reason"] == "18 rows in an arm, fewer than the 20 that a ratio of sums needs"


def test_a_row_counts_where_both_sides_are_known(ground: Ground) -> None:
    shop(ground)
    ground.row("late", "none", day=320)
    ground.feed(400, type="order", source="second")
    ground.feed(300, type="spent", source="second")
    measured = ground.measured(plan(metrics=[basket()]), as_of=500)
    assert measured.censored == {"basket": 1}
    assert measured.families["basket"].table.n == 80


def test_a_cap_is_a_quantile_of_all_arms_rows(ground: Ground) -> None:
    for n in range(40):
        ground.row(f"u{n}", ("none", "bonus")[n % 2])
        if n:
            ground.outcome(f"u{n}", 1, float(n**2), type="spent")
    ground.feed(400, type="spent")
    values = np.array([float(n**2) for n in range(40)])
    capped = np.minimum(values, np.quantile(values, 0.9))
    term = Term(outcome="spent", cap=0.9)
    metric = PlannedMetric(key="m", name="M", kind="mean", role="driver", direction="increase", unit="", term=term)
    worth = Term(outcome="spent", cap=0.9, times=2.0)
    measured = ground.measured(plan(metrics=[metric], value=[worth]))
    for place, arm in enumerate(("none", "bonus")):
        assert measured.families["m"].table.arm_sample(arm, {"metric m": 1.0}).mean == pytest.approx(
            capped[place::2].mean(), rel=1e-12
        )
        # the cap is of the number, before it is turned into money
        money = measured.families["net value"].table.arm_sample(arm, {"value": 1.0})
        assert money.mean == pytest.approx(2 * capped[place::2].mean(), rel=1e-12)


def test_no_cap_is_made_of_what_is_censored(ground: Ground) -> None:
    for n in range(40):
        ground.row(f"u{n}", ("none", "bonus")[n % 2])
        if n % 4:
            ground.outcome(f"u{n}", 1, float(n), type="spent")
    ground.feed(400, type="spent")
    values = np.array([float(n) for n in range(40) if n % 4])
    term = Term(outcome="spent", cap=0.8, default=None)
    metric = PlannedMetric(key="m", name="M", kind="mean", role="driver", direction="increase", unit="", term=term)
    table = ground.measured(plan(metrics=[metric])).families["m"].table
    assert table.n == 30
    whole: Any = table.of_arm("none") + table.of_arm("bonus")  # type: ignore[operator]
    found = whole.mean[0] + table.origin[0]
    assert found == pytest.approx(np.minimum(values, np.quantile(values, 0.8)).mean(), rel=1e-12)


def test_what_happened_before_the_first_decision_adjusts(ground: Ground) -> None:
    spent, before = [], []
    for n in range(120):
        opened = 50 + n % 3
        ground.row(f"u{n:03}", ("none", "bonus")[n % 2], day=opened)
        known, after = float(n * 37 % 23), float(n * 37 % 23 + n * 13 % 7 + n % 2)
        ground.outcome(f"u{n:03}", opened - 30, known, type="spent")
        ground.outcome(f"u{n:03}", opened - 30 - 1e-4, 1000.0, type="spent")
        ground.outcome(f"u{n:03}", opened, after, type="spent")
        spent.append(after)
        before.append(known)
    ground.feed(400, type="spent")
    metric = PlannedMetric(key="m", name="M", kind="mean", role="driver", direction="increase", unit="", term=SPENT)
    planned = plan(metrics=[metric], earlier=[Earlier(outcome="spent", aggregate="sum", days=30)])
    [block] = metric_block(planned, metric, ground.measured(planned).families["m"], seed=0)["comparisons"]
    table = MomentTable.from_arrays({"y": spent, "x": before}, ["none", "bonus"] * 60)
    due = lin(table, {"y": 1.0}, ["x"], "bonus", "none")
    assert not isinstance(due, NotEstimable)
    assert (block["adjusted"]["effect"], block["adjusted"]["se"]) == pytest.approx((due.estimate, due.se), rel=1e-9)
    assert block["adjusted"]["se"] < 0.7 * block["se"]


def test_from_declaration_to_page_and_report(workspace: Workspace, api: Caller, tmp_path: Path) -> None:
    """A basket metric, capped and with its past, declared by a file, analysed and told."""
    metric = {
        "key": "basket", "name": "Basket", "kind": "ratio", "unit": "EUR",
        "of": {"outcome": "spent", "cap": 0.99}, "per": {"outcome": "order", "aggregate": "count"},
        "covariates": [{"outcome": "spent", "days": 60}],
    }  # fmt: skip
    assert caller(workspace, "manage").post("/metrics", metric).status_code < 300
    agreed = AGREEMENT | {"primary": "basket", "expected": None, "segments": ["plan"]}
    experiment = running_with(
        workspace, tmp_path, experiment={"salt": "s"}, agreements=[agreed], metrics=[metric, *CHURN["metrics"]]
    )
    ground = Ground(workspace, experiment)
    decided(api, [decision_row(f"c{n:03}") for n in range(100)])
    for n in range(100):
        ground.outcome(f"c{n:03}", -20, float(n % 5), type="spent")
        for k in range(1 + n % 3):
            ground.outcome(f"c{n:03}", 1 + k, 10.0 + n % 5 + k, type="spent")
            ground.outcome(f"c{n:03}", 1 + k, type="order")
    for kind in ("spent", "order", "churned"):
        ground.feed(400, type=kind)
    analysis = analyze(experiment=experiment, as_of=on(400))
    found = next(one for one in analysis.document["metrics"] if one["key"] == "basket")
    [block] = found["comparisons"]
    assert (found["kind"], block["status"], block["method"]) == ("ratio", "estimated", "delta")
    assert block["adjusted"]["se"] < block["se"]
    [segment] = analysis.document["segments"]
    assert segment["comparisons"][0]["effect"] == pytest.approx(block["effect"], rel=1e-9)
    assert differing(analysis) == []
    results = api.get("/experiments/offers/results").body
    assert next(one for one in results["metrics"] if one["key"] == "basket")["arms"] == found["arms"]
    shown = signed_in(enter(workspace, "vera@example.com", "viewer")).get("/w/mobile/experiments/offers")
    assert f"{found['arms'][0]['mean']:.2f}" in shown.content.decode()
    report = frozen(schedule(workspace), on(401))
    assert "Basket" in html_of(report) and pdf_of(report).startswith(b"%PDF")
    assert report_workbook(report).startswith(b"PK")
