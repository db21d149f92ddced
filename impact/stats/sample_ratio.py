"""Do the arms have the sizes that the draws should have given them?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats

ALARM = 0.001


class SampleRatio(NamedTuple):
    """Pearson's chi-square statistic, its degrees of freedom and p-value."""

    statistic: float
    df: int
    p_value: float


def sample_ratio(observed: Sequence[float], expected: Sequence[float]) -> SampleRatio:
    """Test observed against expected numbers of randomization keys.

    Parameters
    ----------
    observed : sequence of float
        Keys per arm, at their first assignment.
    expected : sequence of float
        Sums of the propensities they were drawn with; or weights, which are scaled to the same total.

    Raises
    ------
    ValueError
        Fewer than two arms, or an arm that nothing was expected in.
    """
    seen, due = np.asarray(observed, dtype=np.float64), np.asarray(expected, dtype=np.float64)
    if seen.size < 2 or seen.shape != due.shape or not (due > 0).all():
        raise ValueError(f"needs two or more arms that are all expected, got {list(observed)} and {list(expected)}")
    if not seen.sum():
        return SampleRatio(float("nan"), seen.size - 1, float("nan"))
    found = stats.chisquare(seen, due * (seen.sum() / due.sum()))
    return SampleRatio(float(found.statistic), seen.size - 1, float(found.pvalue))
