"""How far scores and features have moved from a reference window: the population stability index."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

BINS = 10
# share of days without drift that chance alone carries over its limit
CHANCE = 0.01
MOST_LABELS = 20
REFERENCE_DAYS = 7
REFERENCE_ROWS = 1_000

Counts = NDArray[np.int64]
Bins = dict[str, Any]


def reference_end(days: Sequence[tuple[date, int]]) -> date | None:
    """Return the day after the reference window: its first seven days, longer until it has 1,000 predictions.

    Parameters
    ----------
    days : sequence of (date, int)
        Days that have predictions, in order, and how many.

    Returns
    -------
    date or None
        None while there are too few.
    """
    total = 0
    for day, rows in days:
        total += rows
        if total >= REFERENCE_ROWS:
            return max(day + timedelta(days=1), days[0][0] + timedelta(days=REFERENCE_DAYS))
    return None


def bins_of(values: Sequence[Any]) -> Bins:
    """Return the bins that the reference's values define.

    Parameters
    ----------
    values : sequence
        Numbers, or labels and truth values; None where one is missing.

    Returns
    -------
    dict
        ``edges`` of numbers: their deciles; a value that holds more than one decile has a bin of its own. Or
        ``labels``: the 20 most frequent. The last bin of each is for what is missing; before it, labels have one
        for all others.
    """
    known = [value for value in values if value is not None]
    if not all(_is_number(value) for value in known):
        often = Counter(map(str, known)).most_common()
        return {"labels": [label for label, _ in sorted(often, key=lambda one: (-one[1], one[0]))[:MOST_LABELS]]}
    if not known:
        return {"edges": []}
    deciles = np.quantile(np.array(known, dtype=np.float64), np.arange(1, BINS) / BINS, method="inverted_cdf")
    edges, times = np.unique(deciles, return_counts=True)
    return {"edges": sorted({*edges.tolist(), *np.nextafter(edges[times > 1], np.inf).tolist()})}


def count(values: Sequence[Any], bins: Bins) -> Counts:
    """Return how many values are in each bin; a label where numbers are expected counts as missing."""
    if "labels" in bins:
        places = {label: place for place, label in enumerate(bins["labels"])}
        other, missing = len(places), len(places) + 1
        found = [missing if value is None else places.get(str(value), other) for value in values]
        return np.bincount(np.array(found, dtype=np.int64), minlength=missing + 1)
    edges = np.array(bins["edges"], dtype=np.float64)
    numbers = np.array([value if _is_number(value) else np.nan for value in values], dtype=np.float64)
    known = ~np.isnan(numbers)
    counts = np.bincount(np.searchsorted(edges, numbers[known], side="right"), minlength=len(edges) + 1)
    return np.append(counts, np.count_nonzero(~known))


def psi(counts: Counts, reference: Counts) -> float:
    """Return the population stability index: the sum of (p - q) ln(p / q) over the bins.

    Parameters
    ----------
    counts, reference : arrays of int, shape (bins,)
        Of the same bins; each with at least one row.

    Returns
    -------
    float
        At least 0. A bin that is empty on one side counts there as half a row, so that the index stays finite;
        one that is empty on both counts for nothing.

    References
    ----------
    Siddiqi 2006, Credit Risk Scorecards, who reads more than 0.25 as a shift; we draw the line at 0.2. It is the
    symmetric divergence of Jeffreys 1946.
    """
    some = (counts > 0) | (reference > 0)
    p = np.maximum(counts[some], 0.5) / counts.sum()
    q = np.maximum(reference[some], 0.5) / reference.sum()
    return float(np.sum((p - q) * np.log(p / q)))


def by_chance(counts: Counts, reference: Counts) -> float:
    """Return what the index exceeds on one day in a hundred although nothing has moved.

    Without drift the index is close to (1/n + 1/m) times a chi-squared variable with bins - 1 degrees of freedom,
    so its mean is (bins - 1)(1/n + 1/m).

    Parameters
    ----------
    counts, reference : arrays of int, shape (bins,)
        As for ``psi``; n and m are their sums.

    References
    ----------
    Yurdakul 2018, Statistical properties of population stability index, theorem 3.1.
    """
    bins = np.count_nonzero((counts > 0) | (reference > 0))
    if bins < 2:
        return 0.0
    return float(chi2.ppf(1 - CHANCE, bins - 1) * (1 / counts.sum() + 1 / reference.sum()))


def moved(values: Sequence[Any], reference: Mapping[str, Any]) -> dict[str, float]:
    """Return the index of these values and its limit by chance, against a reference of ``bins`` and ``counts``."""
    against = np.array(reference["counts"], dtype=np.int64)
    counts = count(values, reference["bins"])
    return {"psi": psi(counts, against), "by_chance": by_chance(counts, against)}


def referred(values: Sequence[Any]) -> dict[str, Any]:
    """Return values as a reference: their bins and counts."""
    bins = bins_of(values)
    return {"bins": bins, "counts": count(values, bins).tolist()}


def quantiles(scores: Sequence[float]) -> list[float]:
    """Return the 5, 25, 50, 75 and 95 % quantiles."""
    return [float(one) for one in np.quantile(np.array(scores), [0.05, 0.25, 0.5, 0.75, 0.95])]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
