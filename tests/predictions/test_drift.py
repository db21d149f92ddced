"""The stability index: by hand, by simulation, and with what real scores bring along."""

from __future__ import annotations

from datetime import date, timedelta
from math import isfinite, log

import numpy as np
import pytest

from predictions.drift import bins_of, by_chance, count, moved, psi, quantiles, reference_end, referred

FIRST = date(2026, 1, 5)


def test_two_bins_by_hand() -> None:
    by_hand = (0.6 - 0.5) * log(0.6 / 0.5) + (0.4 - 0.5) * log(0.4 / 0.5)
    assert psi(np.array([60, 40]), np.array([500, 500])) == pytest.approx(by_hand, rel=1e-12)


def test_nothing_moved() -> None:
    assert psi(np.array([30, 10, 60]), np.array([300, 100, 600])) == 0.0


def test_an_empty_bin_counts_as_half_a_row() -> None:
    by_hand = (1 - 0.5) * log(1 / 0.5) + (0.5 / 40 - 0.5) * log((0.5 / 40) / 0.5)
    assert psi(np.array([40, 0]), np.array([50, 50])) == pytest.approx(by_hand, rel=1e-12)
    assert psi(np.array([50, 50]), np.array([40, 0])) == pytest.approx(by_hand, rel=1e-12)


def test_a_bin_that_is_empty_on_both_sides_counts_for_nothing() -> None:
    with_it, without = psi(np.array([3, 0, 7]), np.array([50, 0, 50])), psi(np.array([3, 7]), np.array([50, 50]))
    assert with_it == without
    assert by_chance(np.array([3, 0, 7]), np.array([50, 0, 50])) == by_chance(np.array([3, 7]), np.array([50, 50]))


@pytest.mark.parametrize(("n", "m"), [(1000, 1000), (400, 5000), (200, 1000)])
def test_without_drift_it_is_what_chance_makes_of_it(n: int, m: int) -> None:
    rng = np.random.default_rng(n)
    shares = np.full(10, 0.1)
    found, limits = [], []
    for _ in range(4000):
        day, reference = rng.multinomial(n, shares), rng.multinomial(m, shares)
        found.append(psi(day, reference))
        limits.append(by_chance(day, reference))
    expected = 9 * (1 / n + 1 / m)
    error = np.std(found) / np.sqrt(len(found))
    # the index is a little above its limit where counts are few
    assert abs(np.mean(found) - expected) < 4 * error + 0.03 * expected
    over = np.mean(np.array(found) > np.array(limits))
    assert 0.005 < over < 0.02


def test_a_shift_is_found() -> None:
    rng = np.random.default_rng(1)
    reference = referred(rng.normal(size=2000).tolist())
    assert moved(rng.normal(size=500).tolist(), reference)["psi"] < 0.1
    far = moved(rng.normal(0.7, size=500).tolist(), reference)
    assert far["psi"] > 0.2 > far["by_chance"]


def test_few_rows_may_be_over_the_line_by_chance() -> None:
    rng = np.random.default_rng(2)
    reference = referred(rng.normal(size=1000).tolist())
    assert moved(rng.normal(size=60).tolist(), reference)["by_chance"] > 0.2


def test_numbers_are_binned_by_the_references_deciles() -> None:
    values = [float(n) for n in range(1, 101)]
    assert bins_of(values) == {"edges": [10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0]}
    assert count([9.9, 10.0, 95.0, 1e300, -5.0, None], bins_of(values)).tolist() == [2, 1, 0, 0, 0, 0, 0, 0, 0, 2, 1]


def test_a_value_that_is_very_frequent_has_its_own_bin() -> None:
    reference = referred([3.0] * 100)
    assert reference["counts"] == [0, 100, 0, 0]
    assert count([2.0, 3.0, 3.1], reference["bins"]).tolist() == [1, 1, 1, 0]
    assert moved([5.0] * 100, reference)["psi"] > 1


def test_labels_and_truth_values_are_categories() -> None:
    reference = referred(["b", "a", "b", True, None])
    assert reference == {"bins": {"labels": ["b", "True", "a"]}, "counts": [2, 1, 1, 0, 1]}
    assert count(["b", "new", None, 7], reference["bins"]).tolist() == [1, 0, 0, 2, 1]


def test_of_many_labels_the_frequent_ones_are_kept() -> None:
    values = [f"l{n}" for n in range(30) for _ in range(30 - n)]
    assert bins_of(values)["labels"] == [f"l{n}" for n in range(20)]
    assert count(values, bins_of(values))[-2:].tolist() == [sum(range(1, 11)), 0]


def test_what_is_no_number_is_missing_where_numbers_are_expected() -> None:
    assert count(["many", True, None, 1.0], bins_of([1.0, 2.0])).tolist()[-1] == 3


def test_a_feature_that_was_never_there_and_comes_is_seen() -> None:
    reference = referred([None] * 100)
    assert reference == {"bins": {"edges": []}, "counts": [0, 100]}
    assert moved([None] * 50, reference) == {"psi": 0.0, "by_chance": 0.0}
    assert moved([1.0] * 50, reference)["psi"] > 0.2


@pytest.mark.parametrize("values", [[0.5], [0.0, 1.0], [1e-300, 1e300], ["", "x"], [0.1] * 3 + [0.2]])
def test_is_finite_whatever_the_values(values: list[float | str]) -> None:
    for day in (values, values * 50, [None], [-1.0]):
        found = moved(day, referred(values))
        assert isfinite(found["psi"]) and isfinite(found["by_chance"]) and found["psi"] >= 0


@pytest.mark.parametrize(
    ("rows", "end"),
    [
        ([], None),
        ([999], None),
        ([3000, 3000], 7),
        ([200] * 20, 7),
        ([100] * 20, 10),
        ([1] + [0] * 30 + [2000], 32),
    ],
)
def test_the_reference_is_a_week_and_a_thousand(rows: list[int], end: int | None) -> None:
    days = [(FIRST + timedelta(days=place), number) for place, number in enumerate(rows) if number]
    assert reference_end(days) == (None if end is None else FIRST + timedelta(days=end))


def test_five_quantiles() -> None:
    assert quantiles([float(n) for n in range(101)]) == [5.0, 25.0, 50.0, 75.0, 95.0]
