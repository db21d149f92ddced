"""Rows of simulated experiments, with and without an effect that is known."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from impact.stats.choice import Facts
from impact.stats.clusters import ClusterSums
from impact.stats.moments import MomentTable
from impact.stats.redraws import possible_draws
from impact.stats.tails import shape

Rng = np.random.Generator


class Rows(NamedTuple):
    """Rows of one simulated experiment, and the effect that they were made with."""

    arm: NDArray[np.str_]
    columns: dict[str, NDArray[Any]]
    truth: float
    stratum: NDArray[np.str_] | None = None
    swap: NDArray[np.str_] | None = None
    cluster: NDArray[np.str_] | None = None

    @property
    def table(self) -> MomentTable:
        return MomentTable.from_arrays(self.columns, self.arm, self.stratum)

    @property
    def sums(self) -> ClusterSums:
        assert self.cluster is not None
        return ClusterSums.from_arrays(self.columns, self.arm, self.cluster)

    def facts(self, column: str = "y", covariates: int = 0) -> Facts:
        """What the choice of a method depends on: tails and spreads are those within strata."""
        if self.cluster is not None:
            return Facts("mean", (self.sums.clusters("t"), self.sums.clusters("b")), clustered=True)
        labels = np.full(self.arm.shape, "") if self.stratum is None else self.stratum
        skew, spread = shape(self.columns[column], self.arm == "t", labels)
        few = self.arm.size < 60
        return Facts(
            "mean",
            (int((self.arm == "t").sum()), int((self.arm == "b").sum())),
            strata=len(np.unique(labels)),
            covariates=covariates,
            skew=skew,
            spread=spread,
            draws=possible_draws(self.arm == "t", labels if self.swap is None else self.swap) if few else math.inf,
        )


Maker = Callable[[Rng, bool], Rows]
Noise = Callable[[Rng, NDArray[np.str_]], NDArray[np.float64]]

ROWS_A_CLUSTER = 20


def arms(treated: int, baseline: int) -> NDArray[np.str_]:
    return np.array(["t"] * treated + ["b"] * baseline)


def bell(rng: Rng, arm: NDArray[np.str_]) -> NDArray[np.float64]:
    """Normal rows around 0 with a deviation of 1."""
    return rng.normal(0, 1, arm.size)


def heavy(rng: Rng, arm: NDArray[np.str_]) -> NDArray[np.float64]:
    """Rows around 0 whose logarithm has a deviation of 1.5."""
    return (rng.lognormal(0, 1.5, arm.size) - math.exp(1.125)) / 9


def skewed(rng: Rng, arm: NDArray[np.str_]) -> NDArray[np.float64]:
    """Exponential rows around 0."""
    return rng.exponential(1, arm.size) - 1


def mostly_zero(rng: Rng, arm: NDArray[np.str_]) -> NDArray[np.float64]:
    """Rows of which nine in ten are the same, less so much that their mean is 0."""
    return (rng.random(arm.size) < 0.1) * rng.exponential(10, arm.size) / 4 - 0.25


def wider(rng: Rng, arm: NDArray[np.str_]) -> NDArray[np.float64]:
    """Normal rows around 0 with three times the deviation in the treated arm."""
    return rng.normal(0, np.where(arm == "t", 3.0, 1.0))


def in_clusters(rng: Rng, arm: NDArray[np.str_]) -> NDArray[np.float64]:
    """Normal rows in clusters of twenty, each with a level of its own (correlation .2)."""
    place = np.arange(arm.size) // ROWS_A_CLUSTER
    return rng.normal(0, 0.5, place.size)[place] + rng.normal(0, 1, arm.size)


def clusters_of(arm: NDArray[Any], noise: Noise) -> NDArray[np.str_] | None:
    """Cluster of each row, where the noise comes in clusters."""
    return (np.arange(arm.size) // ROWS_A_CLUSTER).astype(str) if noise is in_clusters else None


def around_five(rng: Rng, effect: bool, sizes: tuple[int, int], noise: Noise = bell, relative: bool = False) -> Rows:
    """Rows with a mean of 5; the effect is .5, or a lift of .1."""
    arm = arms(*sizes)
    y = 5 + noise(rng, arm) + 0.5 * effect * (arm == "t")
    return Rows(arm, {"y": y}, (0.1 if relative else 0.5) * effect, cluster=clusters_of(arm, noise))


def normal(rng: Rng, effect: bool, sizes: tuple[int, int], sds: tuple[float, float] = (1.0, 1.0)) -> Rows:
    """Normal rows; the effect is half a baseline standard deviation."""
    arm, truth = arms(*sizes), 0.5 * effect
    y = rng.normal(0, np.where(arm == "t", *sds)) + truth * (arm == "t")
    return Rows(arm, {"y": y}, truth)


def lognormal(rng: Rng, effect: bool, sizes: tuple[int, int], sigma: float) -> Rows:
    """Heavy tails; the effect is a fifth of everything."""
    arm = arms(*sizes)
    y = rng.lognormal(0, sigma, arm.size) * np.where(arm == "t", 1 + 0.2 * effect, 1.0)
    return Rows(arm, {"y": y}, 0.2 * effect * np.exp(sigma**2 / 2))


def scaled(rng: Rng, effect: bool, sizes: tuple[int, int]) -> Rows:
    """Skewed rows; the truth is the lift."""
    found = lognormal(rng, effect, sizes, 0.5)
    return found._replace(truth=0.2 * effect)


def zero_inflated(rng: Rng, effect: bool, sizes: tuple[int, int]) -> Rows:
    """Nine rows of ten are 0, the others spend; the effect is on how many spend."""
    arm = arms(*sizes)
    spends = rng.random(arm.size) < np.where(arm == "t", 0.1 + 0.02 * effect, 0.1)
    return Rows(arm, {"y": spends * rng.exponential(100, arm.size)}, 2.0 * effect)


def stratum_effects(rng: Rng, effect: bool, sizes: Sequence[int], block: int = 0) -> Rows:
    """Three strata with levels, spreads and effects of their own, arms dealt out within them or within blocks."""
    stratum = np.repeat(["L", "M", "H"][: len(sizes)], sizes)
    place = np.concatenate([np.arange(size) // (block or size) for size in sizes])
    swap = np.char.add(stratum, place.astype(str))
    arm = np.where(dealt(rng, swap), "t", "b")
    level = np.repeat(np.array([0.0, 5.0, 20.0])[: len(sizes)], sizes)
    gain = effect * np.repeat(np.array([0.5, 0.0, 2.0])[: len(sizes)], sizes)
    spread = np.repeat(np.array([1.0, 2.0, 4.0])[: len(sizes)], sizes)
    y = level + gain * (arm == "t") + rng.normal(0, spread)
    return Rows(arm, {"y": y}, float(gain.mean()), stratum, swap)


def dealt(rng: Rng, swap: NDArray[np.str_]) -> NDArray[np.bool_]:
    """Half of each set of keys, drawn without replacement."""
    treated = np.zeros(swap.size, dtype=bool)
    for label in np.unique(swap):
        at = np.flatnonzero(swap == label)
        treated[rng.permutation(at)[: at.size // 2]] = True
    return treated


def slopes(rng: Rng, effect: bool, sizes: tuple[int, int], noise: Noise = bell) -> Rows:
    """A skewed covariate whose slope is three times as steep in the treated arm; the effect is added."""
    arm = arms(*sizes)
    x = rng.exponential(1, arm.size)
    y = np.where(arm == "t", 1.5, 0.5) * (x - 1) + 0.5 * noise(rng, arm) + 0.5 * effect * (arm == "t")
    return Rows(arm, {"y": y, "x": x}, 0.5 * effect, cluster=clusters_of(arm, noise))


def orders(rng: Rng, effect: bool, sizes: tuple[int, int], noise: Noise = bell) -> Rows:
    """Spending per order: numerator and denominator vary together."""
    arm = arms(*sizes)
    count = 1.0 + rng.poisson(3, arm.size)
    spent = count * (10 + 1.0 * effect * (arm == "t")) + 8 * noise(rng, arm) + rng.normal(0, 2, arm.size) * count
    # what the ratio's error is made of
    left = spent - spent.sum() / count.sum() * count
    columns = {"spent": spent, "orders": count, "left": left}
    return Rows(arm, columns, 1.0 * effect, cluster=clusters_of(arm, noise))


def money(rng: Rng, effect: bool, sizes: tuple[int, int], extra: float = 2.0, noise: Noise = bell) -> Rows:
    """Value and cost that vary together; the true ROI is 0 without the effect, .5 with it."""
    arm = arms(*sizes)
    cost = rng.gamma(4, 1, arm.size) + extra * (arm == "t")
    value = 5 + 0.5 * cost + 5 * noise(rng, arm) + (extra * (1 + 0.5 * effect) - 0.5 * extra) * (arm == "t")
    return Rows(arm, {"value": value, "cost": cost}, 0.5 * effect, cluster=clusters_of(arm, noise))


def take_up(rng: Rng, effect: bool, sizes: tuple[int, int], share: float = 0.6, noise: Noise = bell) -> Rows:
    """Some take up the action, and those would have had a lower value."""
    arm = arms(*sizes)
    complier = rng.random(arm.size) < share
    taken = complier & (arm == "t")
    value = noise(rng, arm) - complier + 0.5 * effect * taken
    return Rows(arm, {"value": value, "taken": taken * 1.0}, 0.5 * effect, cluster=clusters_of(arm, noise))
