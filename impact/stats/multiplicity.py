"""Several comparisons at once: Holm's adjustment, and intervals that agree with it in sign."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust a family of p-values by Holm's step-down method.

    Parameters
    ----------
    p_values : sequence of float
        In [0, 1].

    Returns
    -------
    list of float
        In [0, 1], in the order given.

    References
    ----------
    Holm 1979, Scandinavian Journal of Statistics 6.
    """
    p = np.asarray(p_values, dtype=np.float64)
    if p.size and not ((p >= 0) & (p <= 1)).all():
        raise ValueError(f"p-values must be in [0, 1], got {[float(x) for x in p]}")
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * (p.size - np.arange(p.size)))
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(stepped, 1.0)
    return [float(x) for x in adjusted]


def adjusted_level(alpha: float, p_value: float, p_adjusted: float) -> float:
    """Level of the interval that excludes 0 just where ``p_adjusted`` <= alpha.

    Returns
    -------
    float
        1 - alpha p / p_adjusted. Such intervals agree with Holm in sign; they aren't simultaneous.
    """
    return 1 - alpha * (p_value / p_adjusted if p_adjusted else 1.0)
