"""The difference between two arms: the stratified difference, with Welch as its one-cell case."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy import special

from impact.stats.moments import Contrast, MomentTable, comparable_cells


class Effect(Protocol):
    """An estimated difference, treatment minus baseline, with its uncertainty."""

    @property
    def estimate(self) -> float: ...
    @property
    def se(self) -> float: ...
    @property
    def method(self) -> str: ...
    def interval(self, level: float) -> tuple[float, float]: ...
    def p_value(self, null: float = 0.0) -> float: ...
    def chance_above(self, threshold: float = 0.0) -> float: ...


@dataclass(frozen=True, slots=True)
class NotEstimable:
    """Why a figure can't be estimated; data, never an exception and never p = 1."""

    reason: str


@dataclass(frozen=True, slots=True)
class TEffect:
    """A difference whose error follows Student's t.

    Attributes
    ----------
    estimate : float
        Treatment minus baseline, in the column's unit.
    se : float
        Standard error; 0 where neither arm varies, and then the difference is exact.
    df : float
        Degrees of freedom.
    method : str
        ``welch``, ``stratified``, ``lin``, ``cluster_cr2``.
    """

    estimate: float
    se: float
    df: float
    method: str

    def quantile(self, level: float) -> float:
        """Return the two-sided critical value of t at a confidence level in (0, 1)."""
        return float(special.stdtrit(self.df, 0.5 + level / 2))

    def interval(self, level: float) -> tuple[float, float]:
        """Return the confidence interval at a level in (0, 1)."""
        half = self.quantile(level) * self.se if self.se else 0.0
        return self.estimate - half, self.estimate + half

    def p_value(self, null: float = 0.0) -> float:
        """Two-sided p-value against ``null``; nan if there is no error to compare with."""
        if not self.se:
            return float("nan")
        return float(2 * special.stdtr(self.df, -abs(self.estimate - null) / self.se))

    def chance_above(self, threshold: float = 0.0) -> float:
        """P(true difference > threshold) under a flat prior; 0 or 1 where the difference is exact."""
        if not self.se:
            return float(self.estimate > threshold)
        return float(special.stdtr(self.df, (self.estimate - threshold) / self.se))


def difference(table: MomentTable, contrast: Contrast, treated: str, baseline: str) -> TEffect | NotEstimable:
    """Estimate the stratified difference of a linear combination of columns between two arms.

    Parameters
    ----------
    table : MomentTable
    contrast : mapping of column to weight
        ``{"value": 1, "cost": -1}`` is the net value.
    treated, baseline : str
        Arms.

    Returns
    -------
    TEffect or NotEstimable
        sum W (mean_treated - mean_baseline) over stratum x phase, W = the cell's share of the rows of any
        arm; SE^2 = sum W^2 (s_t^2/n_t + s_b^2/n_b); degrees of freedom by Satterthwaite. One cell: Welch.

    References
    ----------
    Imbens and Rubin 2015, Causal Inference, chapter 9; Welch 1947.
    """
    shares = comparable_cells(table, (treated, baseline))
    if not shares:
        return NotEstimable("fewer than two rows in an arm")
    weights = table.weights(contrast)
    estimate = variance = spread = 0.0
    for share, arms in shares:
        t, b = arms[treated].sample(weights), arms[baseline].sample(weights)
        estimate += share * float(weights @ (arms[treated].mean - arms[baseline].mean))
        for sample in (t, b):
            v = share**2 * sample.variance / sample.n
            variance += v
            spread += v**2 / (sample.n - 1)
    df = variance**2 / spread if spread else float("inf")
    return TEffect(estimate, float(np.sqrt(variance)), df, "welch" if len(shares) == 1 else "stratified")
