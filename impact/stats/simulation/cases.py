"""What is simulated: each method on data that suit it, and on data that don't."""

from __future__ import annotations

from functools import partial

from impact.stats.multiplicity import benjamini_hochberg, holm
from impact.stats.simulation import Case, clusters, rows, runs

NORMAL = partial(rows.normal, sizes=(200, 200))
UNEQUAL = partial(rows.normal, sizes=(100, 400), sds=(3.0, 1.0))
SMALL = partial(rows.normal, sizes=(12, 12))
HEAVY = partial(rows.lognormal, sizes=(500, 500), sigma=1.5)
SKEWED = partial(rows.lognormal, sizes=(3_000, 3_000), sigma=0.5)
ZEROS = partial(rows.zero_inflated, sizes=(500, 500))
MANY_ZEROS = partial(rows.zero_inflated, sizes=(20_000, 20_000))
STRATA = partial(rows.stratum_effects, sizes=(200, 120, 80))
FEW_IN_STRATA = partial(rows.stratum_effects, sizes=(16, 12))
BLOCKS = partial(rows.stratum_effects, sizes=(20, 16), block=4)
SLOPES = partial(rows.slopes, sizes=(400, 100))
EVEN_SLOPES = partial(rows.slopes, sizes=(60, 60))
FEW_SLOPES = partial(rows.slopes, sizes=(12, 12))
MANY_CLUSTERS = partial(clusters.clustered, sizes=(20, 20))
FEW_CLUSTERS = partial(clusters.clustered, sizes=(6, 6))
UNBALANCED = partial(clusters.clustered, sizes=(12, 18), cv=0.6)


def _mean(method: str, data: str, make: rows.Maker) -> Case:
    return Case(method, data, partial(runs.rowwise, "stratified", make, runs.mean_difference))


def _lin(data: str, make: rows.Maker) -> Case:
    return Case("Lin", data, partial(runs.rowwise, "lin", make, runs.by_lin, covariates=1))


def _cuped(data: str, make: rows.Maker) -> Case:
    return Case("CUPED", data, partial(runs.with_one_slope, make))


def _set(method: str, found: runs.Found, data: str, make: rows.Maker) -> Case:
    return Case(method, data, partial(runs.set_of, make, found, 0.0))


def _redrawn(data: str, make: rows.Maker) -> Case:
    return Case("randomization inference", data, partial(runs.rowwise, "randomization", make, runs.by_redraws))


def _clusters(method: str, data: str, make: clusters.ClusterMaker) -> Case:
    names = {"cluster_cr2": "CR2", "wild_bootstrap": "wild bootstrap", "randomization": "randomization inference"}
    return Case(names[method], data, partial(runs.clusterwise, method, make))


CASES: tuple[Case, ...] = (
    _mean("Welch", "normal, 200 + 200", NORMAL),
    _mean("Welch", "three times the spread in the smaller arm, 100 + 400", UNEQUAL),
    _mean("Welch", "heavy tails (lognormal 1.5), 500 + 500", HEAVY),
    _mean("Welch", "skewed (lognormal .5), 3,000 + 3,000", SKEWED),
    _mean("Welch", "nine of ten 0, 500 + 500", ZEROS),
    _mean("Welch", "nine of ten 0, 20,000 + 20,000", MANY_ZEROS),
    _mean("Welch", "small, 12 + 12", SMALL),
    _mean("Welch", "lognormal 1, 20 + 200", partial(rows.lognormal, sizes=(20, 200), sigma=1.0)),
    Case("Welch", "20 + 20 clusters of 20", partial(runs.clusterwise, "stratified", MANY_CLUSTERS)),
    _mean("stratified", "three strata of their own, 200, 120 and 80", STRATA),
    Case("stratified, projected", "strata in random numbers, 400", runs.projection),
    _lin("slopes that differ, 400 + 100", SLOPES),
    _lin("slopes that differ, 60 + 60", EVEN_SLOPES),
    _lin("small, 12 + 12", FEW_SLOPES),
    _cuped("slopes that differ, 400 + 100", SLOPES),
    _cuped("slopes that differ, 60 + 60", EVEN_SLOPES),
    _cuped("small, 12 + 12", FEW_SLOPES),
    Case("ratio", "spending per order, 200 + 200", partial(runs.ratios, partial(rows.orders, sizes=(200, 200)))),
    Case("score", "10 % of 400 and 300", partial(runs.proportion, "score", (400, 300), 0.1, 0.08)),
    Case("score", "2 % of 50 and 60", partial(runs.proportion, "score", (50, 60), 0.02, 0.1)),
    Case("exact", "2 % of 50 and 60", partial(runs.proportion, "exact", (50, 60), 0.02, 0.05)),
    _set("lift", runs.lifted, "skewed, 400 + 400", partial(rows.scaled, sizes=(400, 400))),
    _set("ROI", runs.returned, "firm cost, 300 + 300", partial(rows.money, sizes=(300, 300))),
    _set("ROI", runs.returned, "cost near 0, 300 + 300", partial(rows.money, sizes=(300, 300), extra=0.2)),
    _set("CACE", runs.complied, "six of ten take up, 300 + 300", partial(rows.take_up, sizes=(300, 300))),
    _set(
        "CACE", runs.complied, "one of twenty takes up, 300 + 300", partial(rows.take_up, sizes=(300, 300), share=0.05)
    ),
    Case("non-inferiority", "just at the margin", runs.guarded),
    Case("Holm", "three arms against one baseline", partial(runs.family, holm, 3), at_most=True),
    Case("Benjamini-Hochberg", "twenty segments", partial(runs.family, benjamini_hochberg, 20), at_most=True),
    _clusters("cluster_cr2", "20 + 20 clusters of 20", MANY_CLUSTERS),
    _clusters("cluster_cr2", "12 + 18 clusters, sizes vary by .6", UNBALANCED),
    _clusters("cluster_cr2", "20 clusters with both arms", partial(clusters.within, count=20)),
    _clusters("cluster_cr2", "6 + 6 clusters", FEW_CLUSTERS),
    _clusters("wild_bootstrap", "12 + 12 clusters of 20", partial(clusters.clustered, sizes=(12, 12))),
    _clusters(
        "wild_bootstrap", "12 + 18 clusters, sizes vary by .6", partial(clusters.clustered, sizes=(12, 18), cv=0.6)
    ),
    _clusters("randomization", "6 + 6 clusters of 20", FEW_CLUSTERS),
    _redrawn("small, 12 + 12", SMALL),
    _redrawn("four in each arm", partial(rows.normal, sizes=(4, 4))),
    _redrawn("three times the spread in the smaller arm, 8 + 16", partial(rows.normal, sizes=(8, 16), sds=(3.0, 1.0))),
    _redrawn("nine of ten 0, 12 + 12", partial(rows.zero_inflated, sizes=(12, 12))),
    _redrawn("two strata, 16 and 12", FEW_IN_STRATA),
    _redrawn("blocks of 4 in two strata, 20 and 16", BLOCKS),
    Case("planned looks", "twenty, exponential rows", partial(runs.looked_at, runs.planned_looks)),
    Case("always valid", "twenty looks, exponential rows", partial(runs.looked_at, runs.any_time), at_most=True),
    Case("policy, stratified", "1,200 decisions", partial(runs.chosen_policy, "policy_stratified")),
    Case("policy, SNIPS", "1,200 decisions", partial(runs.chosen_policy, "snips")),
    Case("policy, doubly robust", "1,200 decisions", partial(runs.chosen_policy, "doubly_robust")),
    Case("booked", "the best of five", runs.shrunk),
)
