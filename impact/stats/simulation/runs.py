"""One run of each kind of method on simulated data: is a true null rejected, is the truth covered?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from impact.stats.adjustment import cuped, lin
from impact.stats.beliefs import booked
from impact.stats.choice import Choice, Facts, choose
from impact.stats.clusters import ClusterSums, cr2
from impact.stats.compliance import cace
from impact.stats.drawn import DrawnEffect
from impact.stats.effects import Effect, NotEstimable, TEffect, difference, projected
from impact.stats.exact import ExactEffect
from impact.stats.lift import lift
from impact.stats.margins import non_inferiority
from impact.stats.moments import MomentTable
from impact.stats.off_policy import Log, cross_fitted, doubly_robust, snips
from impact.stats.policies import clustered_policies, policy_difference
from impact.stats.proportions import ScoreEffect
from impact.stats.ratio_sets import Estimator, RatioSet
from impact.stats.ratios import ratio
from impact.stats.redraws import keys_of_clusters, keys_of_rows, redrawn
from impact.stats.roi import clustered, roi, stratified
from impact.stats.simulation import ALPHA, Run
from impact.stats.simulation import rows as data
from impact.stats.simulation.clusters import ClusterMaker
from impact.stats.simulation.rows import Maker, Noise, Rng, Rows
from impact.stats.wild import wild_bootstrap

LEVEL = 1 - ALPHA
DRAWS = 399

Array = NDArray[Any]
Estimate = Callable[[Rows, int], "Effect | NotEstimable"]
Found = Callable[[Rows], "RatioSet | str"]


def judge(method: str, choice: Choice, null: Effect | NotEstimable, there: Effect | NotEstimable, truth: float) -> Run:
    """Run of a method, refused where it isn't the one that is chosen, or one beside it."""
    if method not in (choice.method, *choice.beside):
        return Run(refused=f"{choice.method} instead, {choice.reason}")
    for effect in (null, there):
        if isinstance(effect, NotEstimable):
            return Run(refused=effect.reason)
    assert not isinstance(null, NotEstimable) and not isinstance(there, NotEstimable)
    if isinstance(there, DrawnEffect | ExactEffect):
        covered = there.p_value(truth) > ALPHA
    else:
        covered = there.interval(LEVEL)[0] <= truth <= there.interval(LEVEL)[1]
    return Run(null.p_value() <= ALPHA, covered, bool(choice.warnings))


def rowwise(method: str, make: Maker, estimate: Estimate, rng: Rng, column: str = "y", covariates: int = 0) -> Run:
    """Run of a method whose effect is the difference in a mean."""
    null, there = make(rng, False), make(rng, True)
    choice = choose(null.facts(column, covariates))
    seed = int(rng.integers(2**31))
    return judge(method, choice, estimate(null, seed), estimate(there, seed), there.truth)


def with_one_slope(make: Maker, rng: Rng) -> Run:
    """CUPED where Lin's method stands beside, always with the warning that theta counts as known."""
    return rowwise("lin", make, by_cuped, rng, covariates=1)._replace(warned=True)


def set_of(make: Maker, found: Found, null: float, columns: Sequence[str], rng: Rng) -> Run:
    """Run of a method that gives a set of ratios, refused with the reason where it gives none.

    It goes with the method that is chosen for the difference: with another one than the stratified difference
    or CR2 it is said on its face, as are heavy tails of a column.
    """
    before, after = make(rng, False), make(rng, True)
    sets = found(before), found(after)
    for one in sets:
        if isinstance(one, str):
            return Run(refused=one)
    assert isinstance(sets[0], RatioSet) and isinstance(sets[1], RatioSet)
    choices = [choose(before.facts(column)) for column in columns]
    warned = any(choice.warnings or choice.method not in ("stratified", "cluster_cr2") for choice in choices)
    return Run(null not in sets[0], after.truth in sets[1], warned)


def mean_difference(rows: Rows, seed: int) -> TEffect | NotEstimable:
    return difference(rows.table, {"y": 1.0}, "t", "b")


def by_lin(rows: Rows, seed: int) -> TEffect | NotEstimable:
    return lin(rows.table, {"y": 1.0}, ["x"], "t", "b")


def by_cuped(rows: Rows, seed: int) -> TEffect | NotEstimable:
    return cuped(rows.table, {"y": 1.0}, ["x"], "t", "b")


def by_redraws(rows: Rows, seed: int) -> DrawnEffect | NotEstimable:
    keys = keys_of_rows(rows.columns["y"], rows.arm, rows.stratum, rows.swap)
    return redrawn(keys, "t", "b", seed=seed, draws=DRAWS, exact_below=2_000)


def ratios(make: Maker, rng: Rng) -> Run:
    null, there = make(rng, False), make(rng, True)
    choice = choose(null.facts("left")._replace(kind="ratio"))
    tables = [rows.table if rows.cluster is None else rows.sums.totals() for rows in (null, there)]
    effects = [ratio(table, {"spent": 1.0}, {"orders": 1.0}, "t", "b") for table in tables]
    return judge("delta", choice, effects[0], effects[1], there.truth)


def estimator(rows: Rows) -> Estimator:
    return stratified(rows.table, "t", "b") if rows.cluster is None else clustered(rows.sums, "t", "b")


def lifted(rows: Rows) -> RatioSet | str:
    if rows.cluster is not None:
        return "clusters were randomized"
    effect = difference(rows.table, {"y": 1.0}, "t", "b")
    assert isinstance(effect, TEffect)
    found = lift(rows.table, {"y": 1.0}, "t", "b", effect, LEVEL)
    return found.set if found else "the baseline's mean isn't positive"


def returned(rows: Rows) -> RatioSet | str:
    found = roi(estimator(rows), LEVEL)
    return found.reason if isinstance(found, NotEstimable) else found.set


def complied(rows: Rows) -> RatioSet | str:
    found = cace(estimator(rows), LEVEL)
    return found.reason if isinstance(found, NotEstimable) else found.set


def proportion(method: str, sizes: tuple[int, int], base: float, gain: float, rng: Rng, clustered: bool = False) -> Run:
    """Successes of two arms, with the base rate in both, and with a gain in the treated one."""
    effects: list[Effect] = []
    for rate in (base, base + gain):
        pair = (int(rng.binomial(sizes[0], rate)), sizes[0]), (int(rng.binomial(sizes[1], base)), sizes[1])
        choice = choose(Facts("proportion", sizes, counts=pair, clustered=clustered))
        if choice.method != method:
            # without the count, which is another one each time
            return Run(refused=f"{choice.method} instead, {choice.reason.lstrip('0123456789 ')}")
        effects.append(ScoreEffect(*pair) if method == "score" else ExactEffect(*pair))
    return judge(method, choice, effects[0], effects[1], gain)


def guarded(noise: Noise, sizes: tuple[int, int], rng: Rng) -> Run:
    """A guardrail just at its margin: neither kept nor broken, one .025 each."""
    rows = data.around_five(rng, False, sizes, noise)
    rows.columns["y"][rows.arm == "t"] -= 0.2
    choice = choose(rows.facts())
    effect = by_redraws(rows, 0) if choice.method == "randomization" else estimator(rows)({"y": 1.0})
    if isinstance(effect, NotEstimable):
        return Run(refused=effect.reason)
    low, high = effect.interval(LEVEL)
    kept = non_inferiority(effect, 0.2, "more", LEVEL).status
    return Run(kept != "open", low <= -0.2 <= high, bool(choice.warnings))


def future_mix(rng: Rng, effect: bool) -> Rows:
    """Strata in random numbers: the effect on the population they come from."""
    sizes = [int(size) for size in rng.multinomial(400, [0.5, 0.3, 0.2])]
    return data.stratum_effects(rng, effect, sizes)._replace(truth=0.65 * effect)


def projection(rng: Rng) -> Run:
    null, there = future_mix(rng, False), future_mix(rng, True)
    effects = [projected(rows.table, {"y": 1.0}, "t", "b") for rows in (null, there)]
    return judge("stratified", choose(null.facts()), effects[0], effects[1], there.truth)


def family(
    adjust: Callable[[Sequence[float]], list[float]], comparisons: int, noise: Noise, rows: int, rng: Rng
) -> Run:
    """Several arms against one baseline, or segments: is any true null rejected?"""
    names = np.repeat([f"arm{i}" for i in range(comparisons + 1)], rows)
    y = noise(rng, np.where(names == "arm1", "t", "b"))
    labels = np.where(names == "arm0", "b", "t")
    choice = choose(Rows(labels, {"y": y}, 0.0, cluster=data.clusters_of(labels, noise)).facts())
    if choice.method != "stratified":
        return Run(refused=f"{choice.method} instead, {choice.reason}")
    table = MomentTable.from_arrays({"y": y}, names)
    effects = [difference(table, {"y": 1.0}, f"arm{i + 1}", "arm0") for i in range(comparisons)]
    p = [effect.p_value() for effect in effects if isinstance(effect, TEffect)]
    return Run(min(adjust(p)) <= ALPHA, None, bool(choice.warnings))


def chosen_policy(method: str, noise: Noise, n: int, rng: Rng) -> Run:
    """A policy that gives each stratum its best action against none for all, from logged draws."""
    runs: list[bool] = []
    warned = False
    for gain in (0.0, 1.0):
        stratum, action = rng.integers(0, 3, n), rng.integers(0, 3, n)
        cluster = data.clusters_of(action, noise)
        if cluster is not None:
            action = action[np.arange(n) // data.ROWS_A_CLUSTER * data.ROWS_A_CLUSTER]
        left = 2 * noise(rng, np.where(action == stratum, "t", "b"))
        reward = 5.0 * stratum + gain * (action == stratum) + left * (1 + stratum)
        choice = choose(Rows(np.where(action == 0, "b", "t"), {"y": left}, 0.0, cluster=cluster).facts())
        if choice.method not in ("stratified", "cluster_cr2"):
            return Run(refused=f"{choice.method} instead, {choice.reason}")
        warned = warned or bool(choice.warnings)
        found = _policy_value(method, stratum, action, reward, cluster, rng)
        if isinstance(found, NotEstimable):
            return Run(refused=found.reason)
        # none is the best action of the first stratum
        truth = gain * (2 - 0) / 3 if method != "policy_stratified" else gain * float((stratum > 0).mean())
        low, high = found.interval(LEVEL)
        runs.append(low <= truth <= high)
    return Run(not runs[0], runs[1], warned)


def _policy_value(
    method: str, stratum: Array, action: Array, reward: Array, cluster: Array | None, rng: Rng
) -> TEffect | NotEstimable:
    n = stratum.size
    if method == "policy_stratified":
        best = {label: label for label in "012"}
        labels = action.astype(str), stratum.astype(str)
        if cluster is not None:
            sums = ClusterSums.from_arrays({"y": reward}, labels[0], cluster, labels[1])
            return clustered_policies(sums, {"y": 1.0}, best, dict.fromkeys(best, "0"))
        table = MomentTable.from_arrays({"y": reward}, *labels)
        return policy_difference(table, {"y": 1.0}, best, dict.fromkeys(best, "0"))
    policy, nobody, rows = np.zeros((n, 3)), np.zeros((n, 3)), np.arange(n)
    policy[rows, stratum] = nobody[rows, 0] = 1.0
    log = Log.from_arrays(reward, action, np.full(n, 1 / 3), cluster)
    if method == "snips":
        return snips(log, policy, nobody)
    from sklearn.linear_model import Ridge

    predicted = cross_fitted(log, np.eye(3)[stratum], 3, seed=int(rng.integers(2**31)), folds=3, model=Ridge)
    return predicted if isinstance(predicted, NotEstimable) else doubly_robust(log, policy, predicted, nobody)


def shrunk(rng: Rng) -> Run:
    """The best of five actions, true effects drawn around 0: does the booked interval hold its true effect?"""
    truths = rng.normal(0, 1, 5)
    estimates = truths + rng.normal(0, 1.5, 5)
    best = int(np.argmax(estimates))
    low, high = booked(TEffect(float(estimates[best]), 1.5, np.inf, "welch"), 1.0, LEVEL).interval
    return Run(not low <= truths[best] <= high, low <= truths[best] <= high)


def clusterwise(method: str, make: ClusterMaker, rng: Rng) -> Run:
    """Run of a method on cluster sums."""
    null, there = make(rng, False), make(rng, True)
    seed = int(rng.integers(2**31))

    def estimate(sums: ClusterSums) -> Effect | NotEstimable:
        if method == "cluster_cr2":
            return cr2(sums, {"y": 1.0}, "t", "b")
        if method == "wild_bootstrap":
            return wild_bootstrap(sums, {"y": 1.0}, "t", "b", seed=seed, draws=DRAWS)
        keys = keys_of_clusters(sums, {"y": 1.0})
        return (
            keys if isinstance(keys, NotEstimable) else redrawn(keys, "t", "b", seed=seed, draws=DRAWS, exact_below=0)
        )

    return judge(method, choose(null.facts), estimate(null.sums), estimate(there.sums), there.truth)
