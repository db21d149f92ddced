"""The difference between two policies put together from parts of the rows: what each part adds."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from impact.stats.effects import NotEstimable, TEffect, difference
from impact.stats.moments import Cell, Contrast, Moments, MomentTable


class Part(NamedTuple):
    """What the rows of one part, a score band say, add to the difference between two policies.

    Attributes
    ----------
    estimate : float
        The part's share of all rows times the difference within it.
    variance : float
        Of the estimate.
    spread : float
        variance^2 / degrees of freedom.
    """

    estimate: float
    variance: float
    spread: float


def part_difference(
    table: MomentTable, contrast: Contrast, arm: str, against: Mapping[str, str], rows: int
) -> Part | NotEstimable:
    """Estimate what one arm for every row of a part earns above a policy that chooses by stratum.

    Parameters
    ----------
    table : MomentTable
        Of the part.
    contrast : mapping of column to weight
    arm : str
    against : mapping of stratum to arm
        One arm for every stratum of the part.
    rows : int
        Of all parts together, at least 1.

    Returns
    -------
    Part or NotEstimable
        Strata against which the policy chooses alike are compared as in ``difference``; those in which it
        chooses the arm itself add exactly 0.
    """
    groups: dict[str, dict[Cell, Moments]] = {}
    for cell, moments in table.cells.items():
        groups.setdefault(against[cell.stratum], {})[cell] = moments
    parts = []
    for other, cells in sorted(groups.items()):
        if other == arm:
            continue
        group = MomentTable(table.columns, table.origin, cells)
        found = difference(group, contrast, arm, other)
        if isinstance(found, NotEstimable):
            return found
        share = group.n / rows
        variance = (share * found.se) ** 2
        parts.append(Part(share * found.estimate, variance, variance**2 / found.df))
    return Part(*map(sum, zip(*parts, strict=True))) if parts else Part(0.0, 0.0, 0.0)


def added(parts: Iterable[Part]) -> TEffect:
    """Add the parts of the rows up to the difference between the policies.

    Parameters
    ----------
    parts : iterable of Part
        Of different rows, all of them together.

    Returns
    -------
    TEffect
        Degrees of freedom by Satterthwaite: variance^2 / spread.
    """
    estimate, variance, spread = (math.fsum(column) for column in zip(*parts, strict=True))
    df = variance**2 / spread if spread else math.inf
    return TEffect(estimate, math.sqrt(variance), df, "policy_stratified")
