"""Rows: each check passes on one small example and fails on another."""

from __future__ import annotations

import numpy as np
import pytest

from impact.agreements.plan import MONEY
from impact.analysis import checks
from impact.stats.clusters import ClusterSums
from tests.analysis.checks.ground import ARMS, family, finding, seen
from tests.analysis.ground import plan


def test_some_rows_must_be_mature() -> None:
    passed = finding(checks.mature_rows, seen())
    assert (passed.severity, passed.passed, passed.numbers["counted"]) == ("block", True, 60)
    failed = finding(checks.mature_rows, seen(mature=3, open=57, censored={MONEY: 3}))
    assert not failed.passed and failed.numbers == {"counted": 0, "open": 57, "censored": 3}


def test_feeds_must_be_complete_in_a_live_experiment() -> None:
    assert finding(checks.feeds_complete, seen()).passed
    failed = finding(checks.feeds_complete, seen(censored={MONEY: 2}))
    assert (failed.severity, failed.passed, failed.numbers) == ("warn", False, {"censored": 2, "of": 60})
    assert checks.feeds_complete(seen(plan(origin="loaded"))) is None
    assert checks.feeds_complete(seen(mature=0)) is None


def test_outcomes_must_be_missing_alike() -> None:
    assert checks.missing_alike(seen()) is None
    assert finding(checks.missing_alike, seen(censored_by_arm={"m": {"none": 5, "bonus": 5}})).passed
    failed = finding(checks.missing_alike, seen(censored_by_arm={"m": {"none": 5, "bonus": 4}, "n": {"bonus": 15}}))
    assert (failed.severity, failed.passed, failed.numbers) == ("block", False, {"metric": "n"})
    assert failed.p_value is not None and failed.p_value < 0.01


def test_what_is_missing_everywhere_is_no_difference() -> None:
    assert checks.missing_alike(seen(censored_by_arm={"m": {"none": 30, "bonus": 30}})) is None


@pytest.mark.parametrize(("clusters", "passed"), [(20, True), (18, True), (8, True), (6, False), (2, False)])
def test_clusters_must_be_enough_for_the_draws_to_reject_anything(clusters: int, passed: bool) -> None:
    sums = ClusterSums.from_arrays({"metric m": np.arange(60)}, ARMS, np.arange(60) % clusters)
    families = {"m": family({"metric m": np.arange(60)}, sums=sums)}
    found = finding(checks.clusters_enough, seen(plan(clustered=True), families=families))
    assert (found.severity, found.passed, found.statistic) == ("block", passed, clusters / 2)
    assert found.numbers == {"needed": 4}
    assert checks.clusters_enough(seen()) is None


@pytest.mark.parametrize(("shift", "passed"), [(0.0, True), (0.5, True), (3.0, False)])
def test_covariates_must_be_balanced(shift: float, passed: bool) -> None:
    age = np.arange(60) // 2 + shift * (ARMS == "bonus")
    families = {
        MONEY: family({"value": age, "cost": age, "covariate age": age}, ("covariate age",)),
    }
    found = finding(checks.covariates_balanced, seen(families=families))
    spread = np.std(np.arange(30), ddof=1)
    assert (found.severity, found.passed, found.numbers) == ("warn", passed, {"covariate": "age"})
    assert found.statistic == pytest.approx(shift / spread)
    assert checks.covariates_balanced(seen()) is None


def test_what_was_forced_is_counted() -> None:
    assert checks.forced_left_out(seen()) is None
    assert checks.forced_left_out(seen(modes={"randomized": 9, "policy": 3})) is None
    found = finding(checks.forced_left_out, seen(modes={"randomized": 9, "holdout": 3, "forced_safety": 1}))
    assert (found.severity, found.numbers) == ("info", {"holdout": 3, "forced_safety": 1})


def test_what_was_loaded_was_not_agreed_before() -> None:
    assert finding(checks.agreed_before, seen()).passed
    assert not finding(checks.agreed_before, seen(plan(origin="loaded"))).passed
