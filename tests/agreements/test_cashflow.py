"""Every worked figure of both stories' money, and where the functions end."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from impact.agreements.cashflow import (
    Flow,
    Programme,
    dated_cash,
    fading_margin,
    price_of_holdout,
    stop_threshold,
    swing,
    year_of,
)
from impact.stats.beliefs import booked
from impact.stats.effects import TEffect
from tests.conftest import DECLARED

STORIES = json.loads((DECLARED.parent / "reference" / "stories.json").read_text())
A, B = STORIES["story_a"], STORIES["story_b"]
CHURN = Programme(270_000, 220_000.0, 180_000.0, 3, 0.10, holdout=0.05)
PLANTS = Programme(480, 350_000.0, 240_000.0, 3, 0.08)


def agrees(found: Any, wanted: dict[str, Any]) -> None:
    for name, number in wanted.items():
        assert getattr(found, name) == (number if number is None else pytest.approx(number, rel=1e-9)), name


@pytest.mark.parametrize("case", ["low", "base", "high"])
@pytest.mark.parametrize("kind", ["measured", "booked"])
def test_a_year_of_story_a(kind: str, case: str) -> None:
    wanted = A["finance"][kind][case]
    agrees(year_of(wanted["per_case"], CHURN), wanted)


def test_the_model_of_story_a_over_the_best_score_free_action() -> None:
    wanted = A["finance"]["model over best score-free action"]
    agrees(year_of(wanted["per_case"], CHURN), wanted)


@pytest.mark.parametrize(
    "against", ["against always stop (today's rule)", "against always wait (best score-free action)"]
)
def test_a_year_of_story_b(against: str) -> None:
    for wanted in B["finance"][against].values():
        agrees(year_of(wanted["per_case"], PLANTS), wanted)


def test_what_was_chosen_for_doing_best_is_booked_shrunk() -> None:
    measured = A["policy"]["challenger vs nobody"]
    found = booked(TEffect(measured["effect"], measured["se"], measured["df"], "stratified"), 1.744)
    assert found.shrinkage == pytest.approx(A["shrinkage"]["lambda"], rel=1e-9)
    assert found.estimate == pytest.approx(A["shrinkage"]["booked"], rel=1e-9)
    assert found.interval == pytest.approx(A["shrinkage"]["booked_ci"], rel=1e-5)
    price = A["finance"]["price_of_5_percent_holdout_per_year"]
    assert price_of_holdout(0.05, 270_000, found.estimate) == pytest.approx(price["booked"], rel=1e-9)
    assert price_of_holdout(0.05, 270_000, measured["effect"]) == pytest.approx(price["measured"], rel=1e-9)
    assert price_of_holdout(0.05, 270_000, -1.0) == 0


def test_cash_of_story_a_comes_back_in_month_35() -> None:
    cash = A["cash"]
    shares = fading_margin(cash["months"], cash["monthly_survival"], cash["annual_rate"])
    assert 300 * shares[1] == pytest.approx(cash["margin_per_month"] * cash["monthly_survival"], rel=1e-9)
    found = dated_cash([Flow(300 * cash["saved_per_case"], shares)], cash["cost_per_case"], CHURN)
    assert found.months_to_positive == cash["months_to_positive"]
    assert found.peak_funding == pytest.approx(cash["peak_funding"], rel=1e-9)
    assert found.peak_month == cash["peak_month"]
    assert len(found.balance) == 36 + 24


def test_cash_without_delay_is_the_payback_on_value() -> None:
    found = dated_cash([Flow(9.6)], 6.1, CHURN)
    assert found.months_to_positive == math.ceil(A["finance"]["measured"]["base"]["payback_months"])
    assert (found.peak_funding, found.peak_month) == (220_000, 0)


def test_cash_that_never_comes_back_says_so() -> None:
    found = dated_cash([Flow(1.0)], 6.1, CHURN)
    assert found.months_to_positive is None
    assert (found.peak_funding, found.peak_month) == (-found.balance[-1], 36)


def test_money_that_is_lost_later_takes_the_payback_back() -> None:
    found = dated_cash([Flow(2.0), Flow(-3.0, (0.0,) * 12 + (1.0,))], 0.0, Programme(1200, years=2))
    assert max(found.balance) > 0 and found.months_to_positive is None


@pytest.mark.parametrize(("band", "residual"), [("low", 4 / 140), ("high", 4 / 100)])
def test_the_threshold_moves_with_failures_in_spite_of_stopping(band: str, residual: float) -> None:
    costs = B["costs"]["stop_now"], B["costs"]["wait_window"], B["costs"]["failure"]
    assert stop_threshold(*costs) == pytest.approx(B["p_star_planned"], rel=1e-12)
    assert stop_threshold(*costs, residual) == pytest.approx(B[band]["p_star_with_residual_failures"], rel=1e-12)


def test_the_decision_of_story_a_hangs_on_the_value_of_a_customer() -> None:
    value = A["value_per_retained_customer"]
    found = swing(A["policy"]["challenger vs nobody"]["effect"], 0.032, value["low"], value["base"], value["high"])
    assert found.flips_at == pytest.approx(A["break_even_value_per_retained_customer"], rel=1e-9)
    assert found.inside
    for end, effect in (("170.0", found.at_low), ("340.0", found.at_high)):
        assert effect == pytest.approx(A["policy_at"][end]["effect"], rel=1e-9)


def test_an_assumption_that_changes_nothing_flips_nothing() -> None:
    assert swing(1.0, 0.0, 1, 2, 3) == (1.0, 1.0, None, False)
    assert not swing(1.9, 0.012, 170, 300, 340).inside


def test_nothing_spent_has_no_return() -> None:
    found = year_of(2.0, Programme(100))
    assert (found.net_per_year, found.npv, found.programme_return, found.payback_months) == (200, 200, None, 0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"years": 0}, "years == 0"),
        ({"discount_rate": -1.0}, "discount_rate == -1.0"),
        ({"holdout": 1.0}, "holdout == 1.0"),
        ({"adoption": 1.1}, "adoption == 1.1"),
        ({"adoption": math.nan}, "adoption == nan"),
        ({"build": -1.0}, "build == -1.0"),
    ],
)
def test_refuses_impossible_programmes(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        year_of(1.0, CHURN._replace(**change))


def test_refuses_impossible_parts() -> None:
    for call, message in (
        (lambda: fading_margin(0, 0.9, 0.1), "months == 0"),
        (lambda: fading_margin(3, 1.1, 0.1), "kept == 1.1"),
        (lambda: stop_threshold(2, 3, 3), "failure == 3"),
        (lambda: stop_threshold(500, 200, 1_000, 2), "residual == 2"),
        (lambda: swing(1, 1, 3, 2, 1), "must ascend"),
    ):
        with pytest.raises(ValueError, match=message):
            call()
