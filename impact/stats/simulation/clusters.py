"""Simulated experiments whose clusters were randomized."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from impact.stats.choice import Facts
from impact.stats.clusters import ClusterSums
from impact.stats.simulation.rows import Noise, Rng, bell
from impact.stats.tails import shape


class Clusters(NamedTuple):
    """Sums of one simulated experiment, what the choice of a method depends on, and the true effect."""

    sums: ClusterSums
    facts: Facts
    truth: float


ClusterMaker = Callable[[Rng, bool], Clusters]


def clustered(
    rng: Rng, effect: bool, sizes: tuple[int, int], rows: int = 20, cv: float = 0.0, noise: Noise = bell
) -> Clusters:
    """Clusters with a level of their own (correlation .2), of equal size or with this variation of sizes."""
    count = sum(sizes)
    n = np.full(count, rows)
    if cv:
        n = np.maximum(2, np.round(rng.gamma(1 / cv**2, rows * cv**2, count))).astype(int)
    cluster = np.repeat(np.arange(count), n)
    arm = np.where(cluster < sizes[0], "t", "b")
    truth = 0.7 * effect
    y = rng.normal(0, 0.5, count)[cluster] + noise(rng, arm) + truth * (arm == "t")
    sums = ClusterSums.from_arrays({"y": y}, arm, cluster.astype(str))
    skew, spread = shape(sums.sums[:, 0] / sums.n, sums.arm == "t")
    facts = Facts(
        "mean",
        sizes,
        clustered=True,
        size_cv=float(n.std() / n.mean()),
        skew=skew,
        spread=spread,
        draws=math.comb(count, sizes[0]),
    )
    return Clusters(sums, facts, truth)


def within(rng: Rng, effect: bool, count: int, rows: int = 12) -> Clusters:
    """Clusters with rows in both arms, as the lines of a plant: rows were randomized, the effect varies by cluster."""
    cluster = np.repeat(np.arange(count), rows)
    arm = np.where(np.tile(np.arange(rows), count) % 2, "t", "b")
    gain = 0.5 * effect + rng.normal(0, 0.4, count)
    y = rng.normal(0, 0.5, count)[cluster] + rng.normal(0, 1, cluster.size) + gain[cluster] * (arm == "t")
    sums = ClusterSums.from_arrays({"y": y}, arm, cluster.astype(str))
    return Clusters(sums, Facts("mean", (count, count), clustered=True), 0.5 * effect)
