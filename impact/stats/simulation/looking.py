"""One run of looking at a growing experiment twenty times, as planned or on any day."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import special

from impact.stats.boundaries import bounds
from impact.stats.choice import choose
from impact.stats.clusters import ClusterSums, cr2
from impact.stats.effects import NotEstimable, TEffect, difference, estimable
from impact.stats.moments import Moments, MomentTable
from impact.stats.sequences import always_valid
from impact.stats.simulation import ALPHA, Run
from impact.stats.simulation.rows import ROWS_A_CLUSTER, Noise, Rng, Rows, arms, clusters_of

LEVEL = 1 - ALPHA
LOOKS = 20
# of the planned information
LEAST_NEW = 0.01

Array = NDArray[np.float64]

Intervals = Callable[[list[TEffect], float], Iterable[tuple[float, float]]]


def looked_at(
    intervals: Intervals, noise: Noise, sizes: tuple[int, int], variances: tuple[float, float], rng: Rng
) -> Run:
    """Twenty looks, with so many rows more in each arm at each: does any interval miss the truth?

    Parameters
    ----------
    intervals : function
        From the effects and the planned standard error.
    noise : function
    sizes : tuple of int
        Rows that each look adds to the treated arm and to the baseline.
    variances : tuple of float
        Per row, as planned.
    rng : Generator
    """
    planned_se = sum(v / (LOOKS * n) for v, n in zip(variances, sizes, strict=True)) ** 0.5
    arm = arms(*sizes)
    cluster = clusters_of(arm, noise)
    missed, warned = [], False
    for truth in (0.0, 0.3):
        effects: list[TEffect] = []
        rows = MomentTable(("y",), np.zeros(1), {})
        clusters: list[Array] = []
        for look in range(LOOKS):
            y = noise(rng, arm) + truth * (arm == "t")
            if not look:
                # what holds at the first look holds at the others
                choice = choose(Rows(arm, {"y": y}, truth, cluster=cluster).facts())
                if choice.method not in ("stratified", "cluster_cr2"):
                    return Run(refused=f"{choice.method} instead, {choice.reason}")
                warned = warned or bool(choice.warnings)
            if cluster is None:
                rows = _grown(rows, y, arm)
                effect = difference(rows, {"y": 1.0}, "t", "b")
            else:
                clusters.append(y.reshape(-1, ROWS_A_CLUSTER).sum(axis=1))
                effect = _by_clusters(np.concatenate(clusters), np.tile(arm[::ROWS_A_CLUSTER], len(clusters)))
            # a look at rows that are all alike says nothing
            told = estimable(effect)
            if not isinstance(told, NotEstimable):
                effects.append(told)
        missed.append(any(not low <= truth <= high for low, high in intervals(effects, planned_se)))
    return Run(missed[0], not missed[1], warned)


def planned_looks(effects: list[TEffect], planned_se: float) -> Iterator[tuple[float, float]]:
    """Repeated intervals of ``looks.look``, whose bounds don't depend on the looks that follow."""
    rising: dict[float, TEffect] = {}
    for effect in effects:
        fraction = (planned_se / effect.se) ** 2
        # a look that tells next to nothing new isn't taken
        if not rising or fraction > max(rising) + LEAST_NEW or (effect is effects[-1] and fraction > max(rising)):
            rising[fraction] = effect
    limits = bounds(list(rising), ALPHA, final=effects[-1] in rising.values())
    for limit, effect in zip(limits, rising.values(), strict=True):
        level = 1 - 2 * float(special.ndtr(-limit))
        if level < 1:
            yield effect.interval(level)


def any_time(effects: list[TEffect], planned_se: float) -> Iterator[tuple[float, float]]:
    return (always_valid(effect, planned_se, LEVEL).interval for effect in effects)


def _grown(rows: MomentTable, y: Array, arm: NDArray[np.str_]) -> MomentTable:
    """Moments with those of the new rows added."""
    new = MomentTable.from_arrays({"y": y}, arm)
    cells = {
        cell: Moments(moments.n, moments.mean + new.origin, moments.comoments) for cell, moments in new.cells.items()
    }
    return MomentTable(
        rows.columns,
        rows.origin,
        {cell: rows.cells[cell] + m if cell in rows.cells else m for cell, m in cells.items()},
    )


def _by_clusters(sums: Array, arm: NDArray[np.str_]) -> TEffect | NotEstimable:
    n, names = np.full(sums.size, float(ROWS_A_CLUSTER)), np.arange(sums.size).astype(str)
    found = ClusterSums(("y",), np.zeros(1), arm, np.full(sums.size, ""), names, n, sums[:, None])
    return cr2(found, {"y": 1.0}, "t", "b")
