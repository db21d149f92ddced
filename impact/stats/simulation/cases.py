"""What is simulated: each method on data that suit it, and on data that don't."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from impact.stats.multiplicity import benjamini_hochberg, holm
from impact.stats.simulation import Case, clusters, looking, rows, runs


class Kind(NamedTuple):
    """Rows that a method may find hard.

    Attributes
    ----------
    name : str
    noise : function
    sizes : tuple of int
        Rows of the treated arm and of the baseline.
    look : tuple of int
        Rows that a look adds to them.
    variances : tuple of float
        Per row, as planned.
    """

    name: str
    noise: rows.Noise
    sizes: tuple[int, int]
    look: tuple[int, int]
    variances: tuple[float, float] = (1.0, 1.0)

    @property
    def data(self) -> str:
        return f"{self.name}, {self.sizes[0]} + {self.sizes[1]}"


NORMAL_ROWS = Kind("normal", rows.bell, (300, 300), (50, 50))
HARD = (
    Kind("heavy tails", rows.heavy, (300, 300), (50, 50)),
    Kind("nine of ten alike", rows.mostly_zero, (300, 300), (50, 50), (1.19, 1.19)),
    Kind("three times the spread in the smaller arm", rows.wider, (100, 400), (25, 100), (9.0, 1.0)),
    Kind("clusters of 20", rows.in_clusters, (400, 400), (200, 200), (6.0, 6.0)),
    Kind("small", rows.bell, (12, 12), (5, 5)),
)
ROWS_IN_CLUSTERS = {
    "heavy tails": rows.heavy,
    "nine of ten alike": rows.mostly_zero,
    "three times the spread": rows.wider,
}
KINDS = (NORMAL_ROWS, *HARD)
POLICIES = {
    "policy, stratified": "policy_stratified",
    "policy, SNIPS": "snips",
    "policy, doubly robust": "doubly_robust",
}

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
MANY_CLUSTERS = partial(clusters.clustered, sizes=(20, 20))
FEW_CLUSTERS = partial(clusters.clustered, sizes=(6, 6))
UNBALANCED = partial(clusters.clustered, sizes=(12, 18), cv=0.6)


def _mean(method: str, data: str, make: rows.Maker) -> Case:
    return Case(method, data, partial(runs.rowwise, "stratified", make, runs.mean_difference))


def _lin(data: str, make: rows.Maker) -> Case:
    return Case("Lin", data, partial(runs.rowwise, "lin", make, runs.by_lin, covariates=1))


def _cuped(data: str, make: rows.Maker) -> Case:
    return Case("CUPED", data, partial(runs.with_one_slope, make))


SETS: dict[runs.Found, tuple[str, ...]] = {
    runs.lifted: ("y",),
    runs.returned: ("value", "cost"),
    runs.complied: ("value",),
}


def _set(method: str, found: runs.Found, data: str, make: rows.Maker) -> Case:
    return Case(method, data, partial(runs.set_of, make, found, 0.0, SETS[found]))


def _on(kind: Kind) -> tuple[Case, ...]:
    """Every method that takes rows of any kind, on rows of this one."""

    def of(make: Callable[..., rows.Rows], **more: Any) -> rows.Maker:
        return partial(make, sizes=kind.sizes, noise=kind.noise, **more)

    looks = f"twenty looks, {kind.name}, {kind.look[0]} + {kind.look[1]} each"
    return (
        _lin(kind.data, of(rows.slopes)),
        _cuped(kind.data, of(rows.slopes)),
        Case("ratio", kind.data, partial(runs.ratios, of(rows.orders))),
        _set("lift", runs.lifted, kind.data, of(rows.around_five, relative=True)),
        _set("ROI", runs.returned, kind.data, of(rows.money)),
        _set("CACE", runs.complied, kind.data, of(rows.take_up)),
        Case("non-inferiority", kind.data, partial(runs.guarded, kind.noise, kind.sizes)),
        Case("Holm", f"three arms, {kind.name}", partial(runs.family, holm, 3, kind.noise, min(kind.sizes)), True),
        Case(
            "Benjamini-Hochberg",
            f"twenty segments, {kind.name}",
            partial(runs.family, benjamini_hochberg, 20, kind.noise, min(100, *kind.sizes)),
            at_most=True,
        ),
        Case(
            "planned looks",
            looks,
            partial(looking.looked_at, looking.planned_looks, kind.noise, kind.look, kind.variances),
        ),
        Case(
            "always valid",
            looks,
            partial(looking.looked_at, looking.any_time, kind.noise, kind.look, kind.variances),
            True,
        ),
        *(
            Case(
                name,
                f"{kind.name}, {4 * min(kind.sizes)} decisions",
                partial(runs.chosen_policy, method, kind.noise, 4 * min(kind.sizes)),
            )
            for name, method in POLICIES.items()
        ),
    )


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
    _cuped("slopes that differ, 400 + 100", SLOPES),
    _cuped("slopes that differ, 60 + 60", EVEN_SLOPES),
    Case("ratio", "spending per order, 200 + 200", partial(runs.ratios, partial(rows.orders, sizes=(200, 200)))),
    Case("score", "10 % of 400 and 300", partial(runs.proportion, "score", (400, 300), 0.1, 0.08)),
    Case("score", "2 % of 50 and 60", partial(runs.proportion, "score", (50, 60), 0.02, 0.1)),
    Case("score", "10 % of 100 and 400", partial(runs.proportion, "score", (100, 400), 0.1, 0.1)),
    Case("score", "half of 18 and 18", partial(runs.proportion, "score", (18, 18), 0.5, 0.2)),
    Case("score", "clusters of 20", partial(runs.proportion, "score", (20, 20), 0.5, 0.2, clustered=True)),
    Case("exact", "clusters of 20", partial(runs.proportion, "exact", (20, 20), 0.05, 0.1, clustered=True)),
    Case("exact", "20 % of 12 and 60", partial(runs.proportion, "exact", (12, 60), 0.2, 0.2)),
    Case("exact", "2 % of 50 and 60", partial(runs.proportion, "exact", (50, 60), 0.02, 0.05)),
    _set("lift", runs.lifted, "skewed, 400 + 400", partial(rows.scaled, sizes=(400, 400))),
    _set("ROI", runs.returned, "cost near 0, 300 + 300", partial(rows.money, sizes=(300, 300), extra=0.2)),
    _set(
        "CACE", runs.complied, "one of twenty takes up, 300 + 300", partial(rows.take_up, sizes=(300, 300), share=0.05)
    ),
    _clusters("cluster_cr2", "20 + 20 clusters of 20", MANY_CLUSTERS),
    _clusters("cluster_cr2", "12 + 18 clusters, sizes vary by .6", UNBALANCED),
    _clusters("cluster_cr2", "20 clusters with both arms", partial(clusters.within, count=20)),
    _clusters("cluster_cr2", "6 + 6 clusters", FEW_CLUSTERS),
    _clusters("wild_bootstrap", "12 + 12 clusters of 20", partial(clusters.clustered, sizes=(12, 12))),
    _clusters(
        "wild_bootstrap", "12 + 18 clusters, sizes vary by .6", partial(clusters.clustered, sizes=(12, 18), cv=0.6)
    ),
    *(
        _clusters(method, f"{name}, 14 + 14 clusters", partial(clusters.clustered, sizes=(14, 14), noise=noise))
        for method in ("cluster_cr2", "wild_bootstrap")
        for name, noise in ROWS_IN_CLUSTERS.items()
    ),
    _clusters("randomization", "6 + 6 clusters of 20", FEW_CLUSTERS),
    *(
        _clusters("randomization", f"{name}, 7 + 7 clusters", partial(clusters.clustered, sizes=(7, 7), noise=noise))
        for name, noise in ROWS_IN_CLUSTERS.items()
    ),
    _redrawn("small, 12 + 12", SMALL),
    _redrawn("heavy tails (lognormal 1.5), 12 + 12", partial(rows.lognormal, sizes=(12, 12), sigma=1.5)),
    _redrawn("four in each arm", partial(rows.normal, sizes=(4, 4))),
    _redrawn("three times the spread in the smaller arm, 8 + 16", partial(rows.normal, sizes=(8, 16), sds=(3.0, 1.0))),
    _redrawn("nine of ten 0, 12 + 12", partial(rows.zero_inflated, sizes=(12, 12))),
    _redrawn("two strata, 16 and 12", FEW_IN_STRATA),
    _redrawn("blocks of 4 in two strata, 20 and 16", BLOCKS),
    *(case for kind in KINDS for case in _on(kind)),
    Case(
        "planned looks",
        "twenty looks, skewed, 50 + 50 each",
        partial(looking.looked_at, looking.planned_looks, rows.skewed, (50, 50), (1.0, 1.0)),
    ),
    Case(
        "always valid",
        "twenty looks, skewed, 50 + 50 each",
        partial(looking.looked_at, looking.any_time, rows.skewed, (50, 50), (1.0, 1.0)),
        at_most=True,
    ),
    Case("booked", "the best of five", runs.shrunk),
)
