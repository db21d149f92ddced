import math

import numpy as np
import pytest
from scipy import stats

from impact.stats.clusters import ClusterSums
from impact.stats.effects import NO_VARIANCE, NotEstimable
from impact.stats.redraws import Keys, keys_of_clusters, keys_of_rows, possible_draws, redrawn


def studentised(x, y, axis):
    error = x.var(axis=axis, ddof=1) / x.shape[axis] + y.var(axis=axis, ddof=1) / y.shape[axis]
    return (x.mean(axis) - y.mean(axis)) / np.sqrt(error)


@pytest.mark.parametrize("sizes", [(5, 5), (3, 6), (7, 4)])
@pytest.mark.parametrize("offset", [0.0, 1e9])
def test_complete_randomization_is_scipys_permutation_test(sizes, offset):
    rng = np.random.default_rng(sum(sizes))
    y = np.round(rng.exponential(1, sum(sizes)) * 1024) / 1024
    arm = np.repeat(["t", "b"], sizes)
    found = redrawn(keys_of_rows(y + offset, arm), "t", "b", seed=0)
    expected = stats.permutation_test(
        (y[: sizes[0]], y[sizes[0] :]), studentised, n_resamples=np.inf, vectorized=True
    ).pvalue
    assert found.exact and found.draws == math.comb(sum(sizes), sizes[0])
    assert found.p_value() == pytest.approx(expected)


@pytest.mark.parametrize("null", [0.0, 0.4, -1.3])
def test_every_null_is_the_test_on_the_shifted_rows(null):
    rng = np.random.default_rng(2)
    arm, stratum, y = np.tile(["t", "b"], 8), np.repeat(["L", "H"], 8), rng.normal(0, 1, 16)
    swap = np.repeat(["1", "2", "3", "4"], 4)
    found = redrawn(keys_of_rows(y, arm, stratum, swap), "t", "b", seed=0)
    shifted = redrawn(keys_of_rows(y - null * (arm == "t"), arm, stratum, swap), "t", "b", seed=0)
    assert found.draws == 6**4 == possible_draws(arm == "t", swap)
    assert found.tails(null) == pytest.approx(shifted.tails(0.0))


def test_arms_are_swapped_only_where_they_could_have_been():
    rng = np.random.default_rng(3)
    arm, swap, y = np.tile(["t", "b"], 6), np.repeat([f"{i}" for i in range(6)], 2), rng.normal(0, 1, 12)
    found = redrawn(keys_of_rows(y, arm, swap=swap), "t", "b", seed=0)
    assert found.draws == 2**6
    pairs = y.reshape(6, 2)
    count = 0
    for bits in range(64):
        turned = np.array([pair[::-1] if bits >> place & 1 else pair for place, pair in enumerate(pairs)])
        count += studentised(turned[:, 0], turned[:, 1], 0) >= studentised(pairs[:, 0], pairs[:, 1], 0) - 1e-12
    assert found.tails()[0] == pytest.approx(count / 64)


def test_whole_clusters_are_redrawn():
    rng = np.random.default_rng(4)
    sizes = rng.integers(1, 9, 9)
    cluster = np.repeat(np.arange(9), sizes)
    arm = np.where(cluster < 4, "t", "b")
    y = rng.normal(0, 1, 9)[cluster] + rng.normal(0, 1, cluster.size) + 3.0
    keys = keys_of_clusters(ClusterSums.from_arrays({"y": y}, arm, cluster), {"y": 1.0})
    found = redrawn(keys, "t", "b", seed=0)
    assert found.draws == math.comb(9, 4)
    assert found.estimate == pytest.approx(y[arm == "t"].mean() - y[arm == "b"].mean())

    sums, n = np.bincount(cluster, weights=y), sizes.astype(float)

    def statistic(chosen):
        parts = []
        for side in (chosen, ~chosen):
            mean = sums[side].sum() / n[side].sum()
            k = side.sum()
            parts.append((mean, k / (k - 1) * ((sums[side] - n[side] * mean) ** 2).sum() / n[side].sum() ** 2))
        return (parts[0][0] - parts[1][0]) / math.sqrt(parts[0][1] + parts[1][1])

    import itertools

    observed = statistic(np.arange(9) < 4)
    drawn = [statistic(np.isin(np.arange(9), chosen)) for chosen in itertools.combinations(range(9), 4)]
    assert found.tails() == pytest.approx(
        (np.mean(np.array(drawn) >= observed - 1e-9), np.mean(np.array(drawn) <= observed + 1e-9))
    )


def test_other_arms_only_count_for_the_shares():
    rng = np.random.default_rng(5)
    arm, stratum = np.array(["t", "b"] * 6 + ["o"] * 6), np.repeat(["L", "H"], [6, 12])
    y = rng.normal(0, 1, 18)
    found = redrawn(keys_of_rows(y, arm, stratum), "t", "b", seed=0)
    cells = {(s, a): y[(stratum == s) & (arm == a)].mean() for s in "LH" for a in "tb"}
    assert found.estimate == pytest.approx(
        (cells["L", "t"] - cells["L", "b"] + 2 * (cells["H", "t"] - cells["H", "b"])) / 3
    )
    assert found.draws == 20 * 20


def test_interval_is_the_inversion():
    rng = np.random.default_rng(6)
    y, arm = rng.normal(0, 1, 16), np.tile(["t", "b"], 8)
    found = redrawn(keys_of_rows(y + 2 * (arm == "t"), arm), "t", "b", seed=0)
    low, high = found.interval(0.9)
    for end, side in ((low, -1), (high, 1)):
        assert found.p_value(end + side * 1e-6) <= 0.1 < found.p_value(end - side * 1e-6)
    welch = stats.ttest_ind(y[::2] + 2, y[1::2], equal_var=False).confidence_interval(0.9)
    assert (low, high) == pytest.approx(welch, abs=0.4 * found.se)
    assert found.chance_above(found.estimate) == pytest.approx(0.5, abs=0.05)


def test_a_sample_of_draws_is_repeatable_and_never_gives_zero():
    y, arm = np.arange(60.0) + 1000 * (np.arange(60) % 2), np.tile(["b", "t"], 30)
    one, two, other = (redrawn(keys_of_rows(y, arm), "t", "b", seed=seed, draws=500) for seed in (1, 1, 2))
    assert not one.exact and one.draws == 500
    assert one.p_value() == two.p_value() == 2 / 501
    assert (one.numerators == two.numerators).all() and not (one.numerators == other.numerators).all()


def test_a_sample_of_draws_comes_close_to_all_of_them():
    rng = np.random.default_rng(7)
    y, arm, stratum = rng.normal(0, 1, 16), np.tile(["t", "b"], 8), np.repeat(["L", "H"], 8)
    keys = keys_of_rows(y, arm, stratum)
    every = redrawn(keys, "t", "b", seed=0)
    some = redrawn(keys, "t", "b", seed=0, draws=40_000, exact_below=0)
    assert every.draws == 70 * 70
    assert some.p_value() == pytest.approx(every.p_value(), abs=0.02)
    assert some.interval(0.95) == pytest.approx(every.interval(0.95), abs=0.05 * every.se)


def test_too_few_draws_leave_the_interval_open():
    found = redrawn(keys_of_rows([1.0, 2.0, 3.5, 7.0, 9.0, 12.0], ["b", "b", "b", "t", "t", "t"]), "t", "b", seed=0)
    assert found.p_value() == 0.1
    assert found.interval(0.95) == (-math.inf, math.inf)
    assert all(map(math.isfinite, found.interval(0.8)))


def test_reversing_the_arms():
    rng = np.random.default_rng(8)
    keys = keys_of_rows(rng.normal(0, 1, 11), ["t"] * 4 + ["b"] * 7)
    there, back = redrawn(keys, "t", "b", seed=0), redrawn(keys, "b", "t", seed=0)
    assert back.estimate == pytest.approx(-there.estimate)
    assert back.p_value(0.3) == pytest.approx(there.p_value(-0.3))
    assert back.interval(0.9) == pytest.approx([-end for end in reversed(there.interval(0.9))])


def test_strata_too_thin_for_a_variance_are_one_stratum_but_stay_apart_in_the_draws():
    rng = np.random.default_rng(9)
    arm, stratum = np.tile(["t", "b"], 6), np.repeat([f"{i}" for i in range(6)], 2)
    found = redrawn(keys_of_rows(rng.normal(0, 1, 12), arm, stratum), "t", "b", seed=0)
    assert found.draws == 2**6


def test_reasons():
    assert redrawn(keys_of_rows([1.0, 2.0, 3.0], ["t", "b", "b"]), "t", "b", seed=0) == NotEstimable(
        "fewer than two randomized keys in an arm"
    )
    assert redrawn(keys_of_rows([0.1] * 6, ["t", "b"] * 3), "t", "b", seed=0) == NotEstimable(NO_VARIANCE)
    both = ClusterSums.from_arrays({"y": [1.0, 2.0, 3.0, 4.0]}, ["t", "b", "t", "b"], [1, 1, 2, 2])
    found = keys_of_clusters(both, {"y": 1.0})
    assert isinstance(found, NotEstimable) and "weren't what was randomized" in found.reason


def test_keys_of_rows_have_one_row_each():
    keys = keys_of_rows([1.0, 2.0], ["t", "b"], ["L", "H"])
    assert isinstance(keys, Keys) and list(keys.rows) == [1, 1] and list(keys.swap) == ["L", "H"]


def test_arms_that_are_constant_have_no_variance_even_by_rounding():
    for cost in (0.25, 1.7, 1e6 / 3):
        keys = keys_of_rows(np.array([0, cost, cost] * 6), ["b", "t", "t"] * 6)
        assert redrawn(keys, "t", "b", seed=0) == NotEstimable("no variance in either arm")
