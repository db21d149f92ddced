"""The difference between two arms: the stratified difference, with Welch as its one-cell case."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import special

from impact.stats.moments import Contrast, Moments, MomentTable, comparable_cells

TOO_FEW_ROWS = "fewer than two rows in an arm"
NO_VARIANCE = "no variance in either arm"


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


AnyEffect = TypeVar("AnyEffect", bound=Effect)


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


def estimable(effect: AnyEffect | NotEstimable) -> AnyEffect | NotEstimable:
    """Say that nothing can be tested where there is no error to test with; other effects pass.

    Parameters
    ----------
    effect : Effect or NotEstimable

    Returns
    -------
    Effect or NotEstimable
        The same, unless its standard error is 0.
    """
    return effect if isinstance(effect, NotEstimable) or effect.se else NotEstimable(NO_VARIANCE)


class ArmMeans(NamedTuple):
    """Means of both arms over the same mix of cells, their variances and covariance; for relative effects."""

    treated: float
    baseline: float
    v_treated: float
    v_baseline: float
    covariance: float = 0.0


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
        return NotEstimable(TOO_FEW_ROWS)
    compared = [Compared(share, arms[treated], arms[baseline]) for share, arms in shares]
    return combined(compared, table.weights(contrast), "welch" if len(shares) == 1 else "stratified")


def projected(table: MomentTable, contrast: Contrast, treated: str, baseline: str) -> TEffect | NotEstimable:
    """Estimate ``difference`` for future rows, whose mix of cells is as uncertain as a sample's.

    Parameters
    ----------
    table : MomentTable
    contrast : mapping of column to weight
    treated, baseline : str
        Arms.

    Returns
    -------
    TEffect or NotEstimable
        SE^2 larger by sum W (effect of the cell - effect)^2 / n, n all rows of the table.

    References
    ----------
    Imbens and Rubin 2015, Causal Inference, chapter 6 (superpopulation variance).
    """
    shares = comparable_cells(table, (treated, baseline))
    if not shares:
        return NotEstimable(TOO_FEW_ROWS)
    compared = [Compared(share, arms[treated], arms[baseline]) for share, arms in shares]
    return combined(compared, table.weights(contrast), "projected", population=table.n)


class Compared(NamedTuple):
    """One cell of a comparison: its share of all rows, and the moments of both sides, None where they agree."""

    share: float
    treated: Moments | None
    baseline: Moments | None


def combined(
    cells: Sequence[Compared], weights: NDArray[np.float64], method: str, population: int | None = None
) -> TEffect:
    """Add up the differences of cells, weighted by their shares.

    Parameters
    ----------
    cells : sequence of Compared
        Two or more rows on each side that is there; shares sum to 1.
    weights : ndarray, shape (k,)
        Of the columns.
    method : str
    population : int, optional
        Rows of which the shares are a sample: adds sum share (effect of the cell - effect)^2 / rows to SE^2.
    """
    estimate = variance = spread = 0.0
    effects = []
    for share, treated, baseline in cells:
        if treated is None or baseline is None:
            effects.append((share, 0.0))
            continue
        # the difference of the columns first: they may be huge where their sum is small
        effect = float(weights @ (treated.mean - baseline.mean))
        effects.append((share, effect))
        estimate += share * effect
        for sample in (treated.sample(weights), baseline.sample(weights)):
            v = share**2 * sample.variance / sample.n
            variance += v
            spread += v**2 / (sample.n - 1)
    mix = sum(share * (effect - estimate) ** 2 for share, effect in effects) / population if population else 0.0
    df = variance**2 / spread if spread else math.inf
    return TEffect(estimate, math.sqrt(variance + mix), df, method)


def arm_means(table: MomentTable, contrast: Contrast, treated: str, baseline: str) -> ArmMeans | NotEstimable:
    """Estimate each arm's mean of the contrast, origin included, over the cells of ``difference``.

    Parameters
    ----------
    table : MomentTable
    contrast : mapping of column to weight
    treated, baseline : str
        Arms.

    Returns
    -------
    ArmMeans or NotEstimable
        In the column's unit; covariance 0.
    """
    shares = comparable_cells(table, (treated, baseline))
    if not shares:
        return NotEstimable(TOO_FEW_ROWS)
    weights = table.weights(contrast)
    means, variances = [float(weights @ table.origin)] * 2, [0.0, 0.0]
    for share, arms in shares:
        for side, arm in enumerate((treated, baseline)):
            sample = arms[arm].sample(weights)
            means[side] += share * sample.mean
            variances[side] += share**2 * sample.variance / sample.n
    return ArmMeans(means[0], means[1], variances[0], variances[1])
