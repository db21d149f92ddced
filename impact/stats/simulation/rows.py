"""Rows of simulated experiments, with and without an effect that is known."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from impact.stats.choice import Facts
from impact.stats.moments import MomentTable
from impact.stats.redraws import possible_draws
from impact.stats.tails import skewness

Rng = np.random.Generator


class Rows(NamedTuple):
    """Rows of one simulated experiment, and the effect that they were made with."""

    arm: NDArray[np.str_]
    columns: dict[str, NDArray[Any]]
    truth: float
    stratum: NDArray[np.str_] | None = None
    swap: NDArray[np.str_] | None = None

    @property
    def table(self) -> MomentTable:
        return MomentTable.from_arrays(self.columns, self.arm, self.stratum)

    def facts(self, column: str = "y", covariates: int = 0) -> Facts:
        """What the choice of a method depends on: tails and spreads are those within strata."""
        left = self.columns[column].copy()
        labels = np.full(self.arm.shape, "") if self.stratum is None else self.stratum
        for label in np.unique(labels):
            left[labels == label] -= left[labels == label].mean()
        parts = [left[self.arm == arm] for arm in ("t", "b")]
        skew = max(abs(skewness(part)) for part in parts)
        low, high = sorted(float(part.std()) for part in parts)
        few = self.arm.size < 60
        return Facts(
            "mean",
            (parts[0].size, parts[1].size),
            strata=len(np.unique(labels)),
            covariates=covariates,
            skew=skew,
            spread=high / low if low else math.inf,
            draws=possible_draws(self.arm == "t", labels if self.swap is None else self.swap) if few else math.inf,
        )


Maker = Callable[[Rng, bool], Rows]


def arms(treated: int, baseline: int) -> NDArray[np.str_]:
    return np.array(["t"] * treated + ["b"] * baseline)


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


def slopes(rng: Rng, effect: bool, sizes: tuple[int, int]) -> Rows:
    """A skewed covariate whose slope is three times as steep in the treated arm; the effect is added."""
    arm = arms(*sizes)
    x = rng.exponential(1, arm.size)
    y = np.where(arm == "t", 1.5, 0.5) * (x - 1) + rng.normal(0, 0.5, arm.size) + 0.5 * effect * (arm == "t")
    return Rows(arm, {"y": y, "x": x}, 0.5 * effect)


def orders(rng: Rng, effect: bool, sizes: tuple[int, int]) -> Rows:
    """Spending per order: numerator and denominator vary together."""
    arm = arms(*sizes)
    count = 1.0 + rng.poisson(3, arm.size)
    spent = count * (10 + 1.0 * effect * (arm == "t")) + rng.normal(0, 8, arm.size) + rng.normal(0, 2, arm.size) * count
    return Rows(arm, {"spent": spent, "orders": count}, 1.0 * effect)


def money(rng: Rng, effect: bool, sizes: tuple[int, int], extra: float = 2.0) -> Rows:
    """Value and cost that vary together; the true ROI is 0 without the effect, .5 with it."""
    arm = arms(*sizes)
    cost = rng.gamma(4, 1, arm.size) + extra * (arm == "t")
    value = 5 + 0.5 * cost + rng.normal(0, 5, arm.size) + (extra * (1 + 0.5 * effect) - 0.5 * extra) * (arm == "t")
    return Rows(arm, {"value": value, "cost": cost}, 0.5 * effect)


def take_up(rng: Rng, effect: bool, sizes: tuple[int, int], share: float = 0.6) -> Rows:
    """Some take up the action, and those would have had a lower value."""
    arm = arms(*sizes)
    complier = rng.random(arm.size) < share
    taken = complier & (arm == "t")
    return Rows(
        arm, {"value": rng.normal(0, 1, arm.size) - complier + 0.5 * effect * taken, "taken": taken * 1.0}, 0.5 * effect
    )
