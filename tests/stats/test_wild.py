import numpy as np
import pytest

from impact.stats.clusters import ClusterSums, cr2
from impact.stats.effects import NO_VARIANCE, NotEstimable
from impact.stats.wild import wild_bootstrap

Y = {"y": 1.0}


def made(seed=0, clusters=14, within=False):
    rng = np.random.default_rng(seed)
    cluster = np.repeat(np.arange(clusters), rng.integers(3, 20, clusters))
    stratum = np.where(cluster % 2, "L", "H")
    arm = rng.choice(["t", "b"], cluster.size) if within else np.where(cluster % 4 < 2, "t", "b")
    y = rng.normal(0, 0.6, clusters)[cluster] + rng.normal(0, 1, cluster.size) + 0.8 * (arm == "t")
    return y, arm, cluster, stratum


@pytest.mark.parametrize("within", [False, True])
@pytest.mark.parametrize("null", [0.0, 0.7, -2.0])
def test_each_draw_is_the_regression_on_residuals_with_flipped_signs(within, null):
    y, arm, cluster, stratum = made(within=within)
    found = wild_bootstrap(ClusterSums.from_arrays({"y": y}, arm, cluster, stratum), Y, "t", "b", seed=3, draws=5)
    flips = 2.0 * np.random.default_rng(3).integers(0, 2, (5, 14)) - 1
    # clusters come in the order of their labels as text
    order = {label: place for place, label in enumerate(sorted({str(c) for c in cluster}))}
    place = np.array([order[str(c)] for c in cluster])
    design = np.column_stack([(stratum == s) & (arm == a) for s in ("H", "L") for a in ("t", "b")]) * 1.0
    weights = np.array([sign * (stratum == s).mean() for s in ("H", "L") for sign in (1, -1)])
    inverse = np.linalg.inv(design.T @ design)

    def statistic(outcome, against):
        beta = inverse @ design.T @ outcome
        scores = [weights @ inverse @ design[place == g].T @ (outcome - design @ beta)[place == g] for g in range(14)]
        return (weights @ beta - against) / np.sqrt(np.sum(np.square(scores)))

    beta = inverse @ design.T @ y
    held = beta - inverse @ weights * (weights @ beta - null) / (weights @ inverse @ weights)
    fitted, residuals = design @ held, y - design @ held
    distance = found.estimate - null
    above = found.numerators @ [1, distance]
    below = found.variances @ [1, distance, distance**2]
    expected = [statistic(fitted + flips[b][place] * residuals, null) for b in range(5)]
    np.testing.assert_allclose(above / np.sqrt(below), expected, rtol=1e-9)
    assert distance / found.se == pytest.approx(statistic(y, null))


def test_interval_and_p_agree_and_repeat():
    y, arm, cluster, stratum = made(1)
    sums = ClusterSums.from_arrays({"y": y}, arm, cluster, stratum)
    effect, again = (wild_bootstrap(sums, Y, "t", "b", seed=5, draws=999) for _ in range(2))
    assert effect.interval(0.95) == again.interval(0.95)
    for end, side in zip(effect.interval(0.95), (-1, 1), strict=True):
        assert effect.p_value(end + side * 1e-3) <= 0.05 < effect.p_value(end - side * 1e-3)


def test_with_many_clusters_it_is_like_cr2():
    y, arm, cluster, stratum = made(2, clusters=120)
    sums = ClusterSums.from_arrays({"y": y}, arm, cluster, stratum)
    wild, robust = wild_bootstrap(sums, Y, "t", "b", seed=1), cr2(sums, Y, "t", "b")
    assert wild.estimate == pytest.approx(robust.estimate)
    assert wild.interval(0.95) == pytest.approx(robust.interval(0.95), abs=0.15 * robust.se)
    assert wild.p_value(0.5) == pytest.approx(robust.p_value(0.5), abs=0.03)


def test_reasons():
    y, arm = np.arange(8.0), np.repeat(["t", "b"], 4)
    few = ClusterSums.from_arrays({"y": y}, arm, np.repeat([1, 2], 4))
    assert wild_bootstrap(few, Y, "t", "b", seed=1) == NotEstimable("fewer than three clusters")
    flat = ClusterSums.from_arrays({"y": np.full(8, 0.1)}, arm, np.arange(8))
    assert wild_bootstrap(flat, Y, "t", "b", seed=1) == NotEstimable(NO_VARIANCE)
    apart = ClusterSums.from_arrays({"y": y}, arm, np.arange(8), arm)
    assert wild_bootstrap(apart, Y, "t", "b", seed=1) == NotEstimable("a stratum has rows in one arm only")
