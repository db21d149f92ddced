"""Several comparisons at once: Holm over a family, Benjamini-Hochberg over segments, intervals that agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from impact.stats import ranges


class Adjusted(NamedTuple):
    """One comparison of a family.

    Attributes
    ----------
    p_value, p_adjusted : float
    level : float
        Of the interval ``ci_adjusted``, which excludes 0 just where p_adjusted <= alpha.
    method : str
        ``holm`` or ``benjamini_hochberg``.
    family : tuple of str
        Names of all the comparisons that were adjusted together.
    """

    p_value: float
    p_adjusted: float
    level: float
    method: str
    family: tuple[str, ...]


def adjust(
    p_values: Mapping[str, float], alpha: float, method: Literal["holm", "benjamini_hochberg"] = "holm"
) -> dict[str, Adjusted]:
    """Adjust a named family: Holm for the arms within a metric, Benjamini-Hochberg for agreed segments.

    Parameters
    ----------
    p_values : mapping of name to float
        In [0, 1].
    alpha : float
        In (0, 1).
    method : str
        ``holm`` or ``benjamini_hochberg``.

    Returns
    -------
    dict of name to Adjusted
    """
    ranges.share("alpha", alpha)
    family, p = tuple(p_values), list(p_values.values())
    adjusted = {"holm": holm, "benjamini_hochberg": benjamini_hochberg}[method](p)
    return {
        name: Adjusted(one, together, adjusted_level(alpha, one, together), method, family)
        for name, one, together in zip(family, p, adjusted, strict=True)
    }


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
    p = _checked(p_values)
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * (p.size - np.arange(p.size)))
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(stepped, 1.0)
    return [float(x) for x in adjusted]


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values so that rejecting those <= q keeps the expected share of false ones below q.

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
    Benjamini and Hochberg 1995, Journal of the Royal Statistical Society B 57; scipy's ``false_discovery_control``.
    """
    p = _checked(p_values)
    return [float(x) for x in stats.false_discovery_control(p)] if p.size else []


def adjusted_level(alpha: float, p_value: float, p_adjusted: float) -> float:
    """Level of the interval that excludes 0 just where ``p_adjusted`` <= alpha.

    Parameters
    ----------
    alpha : float
        In (0, 1).
    p_value, p_adjusted : float
        Of one comparison, p_value <= p_adjusted.

    Returns
    -------
    float
        1 - alpha p / p_adjusted. Such intervals agree with Holm in sign; they aren't simultaneous.
    """
    return 1 - alpha * (p_value / p_adjusted if p_adjusted else 1.0)


def _checked(p_values: Sequence[float]) -> NDArray[np.float64]:
    p = np.asarray(p_values, dtype=np.float64)
    if p.size and not ((p >= 0) & (p <= 1)).all():
        raise ValueError(f"p-values must be in [0, 1], got {[float(x) for x in p]}")
    return p
