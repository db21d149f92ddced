"""Discrimination and calibration: beside scikit-learn, by hand, and over many simulated experiments."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.calibration import calibration_curve
from sklearn.metrics import roc_auc_score

from impact.analysis.calibration import auc_with_range, calibration_bins, of_numbers, of_probabilities, wilson


def each(rows: int) -> list[str]:
    return [str(row) for row in range(rows)]


def drawn(rng: np.random.Generator, rows: int) -> tuple[Any, Any]:
    """Scores, and what happened with just these probabilities."""
    scores = rng.beta(2, 4, rows)
    return scores, (rng.random(rows) < scores).astype(float)


def test_four_rows_by_hand() -> None:
    # of 2 x 2 pairs three are ranked rightly; each kind's shares are 1 and 1/2
    auc, ci = auc_with_range(np.array([0.9, 0.4, 0.5, 0.1]), np.array([1.0, 1.0, 0.0, 0.0]), each(4))
    variance = 2 * (2 / 1) * (0.25**2 + 0.25**2) / 2**2
    half = 1.959964 * math.sqrt(variance) / (0.75 * 0.25)
    assert auc == 0.75 and ci is not None
    assert math.log(ci[1] / (1 - ci[1])) == pytest.approx(math.log(3) + half, rel=1e-6)


def test_ties_count_half() -> None:
    auc, _ = auc_with_range(np.array([0.5, 0.5, 0.5, 0.2]), np.array([1.0, 0.0, 1.0, 0.0]), each(4))
    assert auc == roc_auc_score([1, 0, 1, 0], [0.5, 0.5, 0.5, 0.2]) == 0.75


@pytest.mark.parametrize("shift", [0.0, 0.8, 2.0])
def test_the_range_holds_the_true_area_as_often_as_it_says(shift: float) -> None:
    rng = np.random.default_rng(7)
    true, held = norm.cdf(shift / math.sqrt(2)), 0
    for _ in range(1000):
        scores = np.concatenate([rng.normal(shift, 1, 40), rng.normal(0, 1, 160)])
        _, ci = auc_with_range(scores, np.repeat([1.0, 0.0], [40, 160]), each(200))
        assert ci is not None
        held += ci[0] <= true <= ci[1]
    assert 0.93 <= held / 1000 <= 0.97


def test_rows_of_one_group_are_not_taken_for_many() -> None:
    rng = np.random.default_rng(8)
    held, naive = 0, 0
    for _ in range(400):
        # each of sixty lines has a mood of its own that scores and events share in part, five machines long
        mood, also = np.repeat(rng.normal(size=60), 5), np.repeat(rng.normal(size=60), 5)
        scores = mood + 0.3 * rng.normal(size=300)
        happened = (also + 0.3 * rng.normal(size=300) > 0).astype(float)
        groups = [str(row // 5) for row in range(300)]
        _, ci = auc_with_range(scores, happened, groups)
        _, alone = auc_with_range(scores, happened, each(300))
        assert ci is not None and alone is not None
        held += ci[0] <= 0.5 <= ci[1]
        naive += alone[0] <= 0.5 <= alone[1]
    assert held / 400 > 0.91 and naive / 400 < 0.8


def test_a_perfect_ranking_has_no_range() -> None:
    scores = np.linspace(0, 1, 40)
    assert auc_with_range(scores, (scores > 0.5).astype(float), each(40)) == (1.0, None)
    assert auc_with_range(np.array([0.1, 0.2]), np.array([0.0, 1.0]), ["a", "a"])[1] is None


def test_bins_are_those_of_scikit_learn() -> None:
    scores, happened = drawn(np.random.default_rng(1), 2000)
    observed, predicted = calibration_curve(happened, scores, n_bins=10, strategy="quantile")
    bins = calibration_bins(scores, happened)
    assert [one["rows"] for one in bins] == [200] * 10
    assert [one["observed"] for one in bins] == pytest.approx(observed.tolist())
    assert [one["predicted"] for one in bins] == pytest.approx(predicted.tolist())
    assert all(one["ci"] == wilson(one["happened"], 200) for one in bins)


@pytest.mark.parametrize(("rows", "bins"), [(100, 2), (149, 2), (150, 3), (499, 9), (5000, 10)])
def test_a_bin_has_fifty_rows(rows: int, bins: int) -> None:
    scores, happened = drawn(np.random.default_rng(rows), rows)
    found = calibration_bins(scores, happened)
    assert len(found) == bins and sum(one["rows"] for one in found) == rows
    assert min(one["rows"] for one in found) >= 49


def test_rows_of_the_same_score_stay_together() -> None:
    found = calibration_bins(np.repeat([0.1, 0.3], 300), np.tile([0.0, 1.0], 300))
    assert [(one["rows"], one["lowest"], one["highest"]) for one in found] == [(300, 0.1, 0.1), (300, 0.3, 0.3)]


def test_wilson_by_hand() -> None:
    z = 1.959963984540054
    middle, half = (0.2 + z * z / 100) / (1 + z * z / 50), z * math.sqrt(0.2 * 0.8 / 50 + z * z / 10000)
    half /= 1 + z * z / 50
    assert wilson(10, 50) == pytest.approx([middle - half, middle + half], rel=1e-9)
    assert wilson(0, 50)[0] == pytest.approx(0, abs=1e-12) and wilson(50, 50)[1] == pytest.approx(1, abs=1e-12)


def test_bins_ranges_hold_what_is_true_as_often_as_they_say() -> None:
    rng, held, all_bins = np.random.default_rng(3), 0, 0
    for _ in range(300):
        scores, happened = drawn(rng, 1000)
        for one in calibration_bins(scores, happened):
            held += one["ci"][0] <= one["predicted"] <= one["ci"][1]
            all_bins += 1
    assert 0.93 <= held / all_bins <= 0.97


def test_of_probabilities() -> None:
    scores, happened = drawn(np.random.default_rng(2), 1000)
    found = of_probabilities(scores.tolist(), happened.tolist(), each(1000))
    assert (found["status"], found["rows"], found["happened"]) == ("measured", 1000, happened.sum())
    assert found["ci"][0] < found["predicted"] < found["ci"][1]
    assert found["brier"] == pytest.approx(np.mean((scores - happened) ** 2))
    loss = -np.mean(happened * np.log(scores) + (1 - happened) * np.log(1 - scores))
    assert found["log_loss"] == pytest.approx(loss)
    assert found["independent"]
    assert not of_probabilities(scores.tolist(), happened.tolist(), ["one"] * 1000)["independent"]


@pytest.mark.parametrize(("rows", "happened"), [(99, 50), (200, 9), (200, 191), (0, 0)])
def test_too_few_are_refused(rows: int, happened: int) -> None:
    found = of_probabilities([0.5] * rows, [1.0] * happened + [0.0] * (rows - happened), each(rows))
    assert found == {"status": "refused", "reason": "too-few", "rows": rows, "happened": happened}


@pytest.mark.parametrize("score", [0.0, 1.0])
def test_a_certainty_that_was_wrong_is_finite(score: float) -> None:
    found = of_probabilities([score] * 200, [0.0, 1.0] * 100, each(200))
    assert math.isfinite(found["log_loss"]) and found["auc"] == 0.5


def test_of_numbers() -> None:
    values = [float(n % 10) for n in range(200)]
    found = of_numbers([value + 1 for value in values], values)
    assert (found["status"], found["rows"], found["mae"]) == ("measured", 200, 1.0)
    assert found["r2"] == pytest.approx(1 - 1 / np.var(values))
    assert of_numbers([1.0] * 200, [3.0] * 200)["r2"] is None
    assert of_numbers([1.0] * 99, [1.0] * 99) == {"status": "refused", "reason": "too-few", "rows": 99}
