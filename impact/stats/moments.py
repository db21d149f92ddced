"""Counts, means and centred co-moments per cell: all that most estimators need from the rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Contrast = Mapping[str, float]


class Cell(NamedTuple):
    """Rows that were randomized alike and got the same arm."""

    arm: str
    stratum: str = ""
    phase: str = ""


@dataclass(frozen=True, slots=True)
class Moments:
    """Moments of the k columns of one cell.

    Attributes
    ----------
    n : int
        Rows, at least 1.
    mean : ndarray, shape (k,)
        Means, relative to the table's origin.
    comoments : ndarray, shape (k, k)
        Sums over the rows of (x - mean)(x - mean)'; nan for pairs that weren't aggregated.
    """

    n: int
    mean: NDArray[np.float64]
    comoments: NDArray[np.float64]

    def __add__(self, other: Moments) -> Moments:
        """Moments of both sets of rows together (Chan, Golub and LeVeque 1979)."""
        n = self.n + other.n
        step = other.mean - self.mean
        return Moments(
            n,
            self.mean + step * (other.n / n),
            self.comoments + other.comoments + np.outer(step, step) * (self.n * other.n / n),
        )

    def sample(self, weights: NDArray[np.float64]) -> Sample:
        """Return n, mean and variance (n - 1) of the columns' sum with these weights, shape (k,)."""
        used = weights.nonzero()[0]
        chosen = weights[used]
        mean = float(chosen @ self.mean[used])
        if self.n < 2:
            return Sample(self.n, mean, float("nan"))
        if used.size == 1:
            # by far the commonest contrast, and four times as fast
            square = float(chosen[0]) ** 2 * float(self.comoments[used[0], used[0]])
            return Sample(self.n, mean, square / (self.n - 1))
        comoments = self.comoments[used][:, used]
        square = float(chosen @ comoments @ chosen)
        if square != square:
            raise ValueError("co-moments of these columns weren't aggregated")
        # what is left of columns that cancel is rounding
        exact = square <= 1e-14 * float(chosen**2 @ comoments.diagonal())
        return Sample(self.n, mean, 0.0 if exact else square / (self.n - 1))

    def combined(self, combinations: NDArray[np.float64]) -> Moments:
        """Moments of the columns' sums with each of these weights, shape (m, k)."""
        used = np.flatnonzero(combinations.any(axis=0))
        weights = combinations[:, used]
        return Moments(self.n, weights @ self.mean[used], weights @ self.comoments[used][:, used] @ weights.T)


class Sample(NamedTuple):
    """One column in one cell: rows, mean (relative to the origin), variance with n - 1."""

    n: int
    mean: float
    variance: float


@dataclass(frozen=True, slots=True)
class MomentTable:
    """Moments of named columns in every cell of an experiment.

    Attributes
    ----------
    columns : tuple of str
        The k columns, in the order of every array.
    origin : ndarray, shape (k,)
        Subtracted from every row before summing, one value near the data for all cells. Differences
        between cells never add it back, so a mean of 1e8 costs them no digits.
    cells : mapping of Cell to Moments
    """

    columns: tuple[str, ...]
    origin: NDArray[np.float64]
    cells: Mapping[Cell, Moments]

    @classmethod
    def from_arrays(
        cls,
        columns: Mapping[str, ArrayLike],
        arm: ArrayLike,
        stratum: ArrayLike | None = None,
        phase: ArrayLike | None = None,
    ) -> MomentTable:
        """Aggregate rows held in memory.

        Parameters
        ----------
        columns : mapping of name to array, shape (n,)
            Finite numbers.
        arm, stratum, phase : array of str, shape (n,)
            What each row belongs to.

        Raises
        ------
        ValueError
            A column holds a value that is not finite.
        """
        values = np.column_stack([np.asarray(column, dtype=np.float64) for column in columns.values()])
        if not np.isfinite(values).all():
            name = list(columns)[int(np.argwhere(~np.isfinite(values))[0, 1])]
            raise ValueError(f"column {name!r} holds a value that is not a finite number")
        origin = values.mean(axis=0)
        arms = np.asarray(arm, dtype=str)
        blank = np.full(arms.shape, "")
        keys, index = distinct(
            [arms, *(blank if label is None else np.asarray(label, dtype=str) for label in (stratum, phase))]
        )
        cells = {
            Cell(*map(str, key)): _moments(values[index == position] - origin) for position, key in enumerate(keys)
        }
        return cls(tuple(columns), origin, cells)

    def __add__(self, other: MomentTable) -> MomentTable:
        """Table of both sets of rows together; merging in another order changes no more than roundings."""
        if self.columns != other.columns:
            raise ValueError(f"columns differ: {', '.join(self.columns)} and {', '.join(other.columns)}")
        step, cells = other.origin - self.origin, dict(self.cells)
        for cell, moments in other.cells.items():
            moved = Moments(moments.n, moments.mean + step, moments.comoments)
            cells[cell] = cells[cell] + moved if cell in cells else moved
        return MomentTable(self.columns, self.origin, cells)

    @property
    def arms(self) -> tuple[str, ...]:
        return tuple(sorted({cell.arm for cell in self.cells}))

    @property
    def n(self) -> int:
        return sum(moments.n for moments in self.cells.values())

    def weights(self, contrast: Contrast) -> NDArray[np.float64]:
        """Return the contrast as a vector over the columns, shape (k,)."""
        unknown = set(contrast) - set(self.columns)
        if unknown:
            raise ValueError(f"unknown column {sorted(unknown)[0]!r}, columns are {', '.join(self.columns)}")
        return np.array([contrast.get(column, 0.0) for column in self.columns])

    def of_arm(self, arm: str) -> Moments | None:
        """All rows of an arm whatever their cell, or None if it has none."""
        mine = [moments for cell, moments in sorted(self.cells.items()) if cell.arm == arm]
        return reduce(Moments.__add__, mine) if mine else None

    def arm_sample(self, arm: str, contrast: Contrast) -> Sample:
        """N, mean (origin included) and variance of the contrast over an arm's rows."""
        moments = self.of_arm(arm)
        if moments is None:
            return Sample(0, float("nan"), float("nan"))
        weights = self.weights(contrast)
        sample = moments.sample(weights)
        return sample._replace(mean=sample.mean + float(weights @ self.origin))


def distinct(labels: Sequence[NDArray[np.str_]]) -> tuple[NDArray[np.str_], NDArray[np.int64]]:
    """Distinct rows of several columns of labels, sorted, and which of them each row is.

    Parameters
    ----------
    labels : sequence of ndarray of str, shape (n,)

    Returns
    -------
    tuple of ndarray
        Shapes (m, columns) and (n,).
    """
    known, codes = zip(*(np.unique(label, return_inverse=True) for label in labels), strict=True)
    # numbers sort much faster than rows of text
    shape = tuple(max(1, one.size) for one in known)
    found, index = np.unique(np.ravel_multi_index(codes, shape), return_inverse=True)
    at = np.unravel_index(found, shape)
    return np.column_stack([one[place] for one, place in zip(known, at, strict=True)]), index


class Share(NamedTuple):
    """A set of cells that are compared as one: its share of all rows, and each arm's moments."""

    share: float
    arms: Mapping[str, Moments]


def comparable_cells(table: MomentTable, arms: Sequence[str], rows: int = 2) -> list[Share]:
    """Group the cells so that every group has enough rows in each of these arms.

    Groups are stratum x phase. Where an arm has too few rows, the stratum's phases are merged; where
    that isn't enough, the thin strata are merged with one another, and at last with the smallest other.

    Parameters
    ----------
    table : MomentTable
    arms : sequence of str
        The arms that are compared.
    rows : int
        Rows that each of them needs in a group.

    Returns
    -------
    list of Share
        Shares count the rows of every arm of the table and sum to 1; sorted by stratum and phase. Empty
        if even all rows together are too few.
    """
    groups: dict[tuple[str, ...], dict[str, Moments]] = {}
    for cell, moments in sorted(table.cells.items()):
        _put(groups, (cell.stratum, cell.phase), cell.arm, moments)

    def thin(group: Mapping[str, Moments]) -> bool:
        return any(arm not in group or group[arm].n < rows for arm in arms)

    for stratum in sorted({key[0] for key, group in groups.items() if thin(group)}):
        _merge(groups, [key for key in groups if key[0] == stratum], (stratum,))
    _merge(groups, [key for key, group in groups.items() if thin(group)], ("merged",))
    while any(map(thin, groups.values())) and len(groups) > 1:
        by_size = sorted(groups, key=lambda key: (not thin(groups[key]), _rows(groups[key]), key))
        _merge(groups, by_size[:2], ("merged",))
    if any(map(thin, groups.values())):
        return []
    return [Share(_rows(group) / table.n, group) for _, group in sorted(groups.items())]


def _put(groups: dict, key: tuple[str, ...], arm: str, moments: Moments) -> None:
    group = groups.setdefault(key, {})
    group[arm] = group[arm] + moments if arm in group else moments


def _merge(groups: dict, keys: Sequence[tuple[str, ...]], into: tuple[str, ...]) -> None:
    for group in [groups.pop(key) for key in sorted(keys)]:
        for arm, moments in group.items():
            _put(groups, into, arm, moments)


def _rows(group: Mapping[str, Moments]) -> int:
    return sum(moments.n for moments in group.values())


def _moments(rows: NDArray[np.float64]) -> Moments:
    # a constant's mean can differ from it by a rounding, which would look like a variance
    mean = np.where(np.ptp(rows, axis=0) == 0, rows[0], rows.mean(axis=0))
    centred = rows - mean
    return Moments(len(rows), mean, centred.T @ centred)
