import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from impact.stats.clusters import ClusterSums, cr2
from impact.stats.effects import NotEstimable, difference
from impact.stats.moments import MomentTable

Y = {"y": 1.0}


@pytest.fixture
def clustered(reference):
    rows = np.array(reference["data"]["clustered"]["rows"])
    return ClusterSums.from_arrays({"y": rows[:, 2]}, rows[:, 1].astype(int), rows[:, 0].astype(int))


def test_reference(reference, clustered):
    gold = reference["expected"]["clustered"]["gold_CR2_bell_mccaffrey"]
    effect = cr2(clustered, Y, "1", "0")
    found = effect.estimate, effect.se, effect.df, effect.p_value(), *effect.interval(0.95)
    assert found == pytest.approx([*(gold[k] for k in ("estimate", "se", "df", "p")), *gold["ci"]], rel=1e-9)


def by_matrices(y, arm, cluster, stratum):
    """Estimate, CR2 error and Bell-McCaffrey degrees of freedom as the papers write them."""
    strata = np.unique(stratum)
    pair = (arm == "t") | (arm == "b")
    design = np.column_stack([(stratum == s) & (arm == a) for s in strata for a in ("t", "b")])[pair] * 1.0
    weights = np.array([sign * (stratum == s).mean() for s in strata for sign in (1, -1)])
    y, cluster = y[pair], cluster[pair]
    inverse = np.linalg.inv(design.T @ design)
    hat = design @ inverse @ design.T
    residuals = y - hat @ y
    meat, columns = 0.0, []
    for one in np.unique(cluster):
        rows = cluster == one
        values, vectors = np.linalg.eigh(np.eye(rows.sum()) - hat[np.ix_(rows, rows)])
        root = vectors @ np.diag(1 / np.sqrt(values)) @ vectors.T
        loading = root @ design[rows] @ inverse @ weights
        meat += (loading @ residuals[rows]) ** 2
        columns.append((np.eye(len(y)) - hat)[:, rows] @ loading)
    g = np.column_stack(columns)
    gg = g.T @ g
    return weights @ inverse @ design.T @ y, np.sqrt(meat), np.trace(gg) ** 2 / np.trace(gg @ gg)


@given(st.integers(0, 2**31), st.booleans(), st.sampled_from([0.0, 1e8]))
@settings(max_examples=40, deadline=None)
def test_agrees_with_the_matrices(seed, within, offset):
    rng = np.random.default_rng(seed)
    cluster = np.concatenate([np.arange(12), rng.integers(0, 12, 60)])
    stratum = np.where(cluster % 3 == 0, "L", "H")
    arm = rng.choice(["t", "b", "o"], cluster.size) if within else np.array(["t", "b", "o"])[cluster % 4 % 3]
    y = np.round((rng.normal(0, 1, 12)[cluster] + rng.normal(0, 1, cluster.size)) * 64) / 64
    found = cr2(ClusterSums.from_arrays({"y": y + offset}, arm, cluster, stratum), Y, "t", "b")
    if isinstance(found, NotEstimable):
        return
    expected = by_matrices(y, arm, cluster, stratum)
    assert (found.estimate, found.se, found.df) == pytest.approx(expected, rel=1e-6, abs=1e-7)


def test_clusters_of_one_row_are_welch_with_hc2():
    rng = np.random.default_rng(0)
    arm, y = rng.choice(["t", "b"], 50), rng.normal(0, 1, 50)
    found = cr2(ClusterSums.from_arrays({"y": y}, arm, np.arange(50)), Y, "t", "b")
    plain = difference(MomentTable.from_arrays({"y": y}, arm), Y, "t", "b")
    assert (found.estimate, found.se) == pytest.approx((plain.estimate, plain.se))


def test_story_b_with_lines_as_clusters(story_b, stories):
    for band in ("low", "high"):
        rows = story_b["band"] == band
        expected = stories["story_b"][band]["saving of waiting, clusters = lines, CR2"]
        sums = ClusterSums.from_arrays({"y": -story_b["cost"][rows]}, story_b["arm"][rows], story_b["line"][rows])
        found = cr2(sums, Y, "wait", "stop")
        assert (found.estimate, found.se, found.df, found.p_value()) == pytest.approx(
            [expected[k] for k in ("effect", "se", "df", "p")], rel=1e-9
        )


def test_reversing_the_arms(clustered):
    there, back = cr2(clustered, Y, "1", "0"), cr2(clustered, Y, "0", "1")
    assert (back.estimate, back.se, back.df) == pytest.approx((-there.estimate, there.se, there.df))


@pytest.mark.parametrize("value", [0.1, 1e8 / 3])
def test_a_constant_has_no_error(value):
    arm = np.repeat(["t", "b"], 30)
    sums = ClusterSums.from_arrays(
        {"y": np.full(60, value), "cost": np.where(arm == "t", 1.7, 0.1)}, arm, np.arange(60) // 6
    )
    assert cr2(sums, Y, "t", "b").se == 0
    effect = cr2(sums, {"cost": 1.0}, "t", "b")
    assert (effect.estimate, effect.se) == (pytest.approx(1.6), 0)


def test_reasons():
    y, arm = np.arange(8.0), np.repeat(["t", "b"], 4)
    one = ClusterSums.from_arrays({"y": y}, arm, [1, 1, 1, 1, 2, 2, 3, 3])
    assert cr2(one, Y, "t", "b") == NotEstimable("an arm has a single cluster in a stratum")
    apart = ClusterSums.from_arrays({"y": y}, arm, np.arange(8), arm)
    assert cr2(apart, Y, "t", "b") == NotEstimable("a stratum has rows in one arm only")
    assert cr2(apart, Y, "t", "other") == NotEstimable("a stratum has rows in one arm only")
    with pytest.raises(ValueError, match="unknown column 'z', columns are y"):
        cr2(one, {"z": 1.0}, "t", "b")


def test_counting_clusters(clustered):
    assert clustered.clusters("1") == clustered.clusters("0") == 12
    assert clustered.clusters("2") == 0


@pytest.mark.slow
@pytest.mark.parametrize("effect", [0.0, 1.0])
def test_phases_of_other_weights_in_cells_of_their_own_bias_nothing(effect: float) -> None:
    """Weights go from half to four fifths while everything rises by 3: one cell would blame the arm for it."""
    random = np.random.default_rng(7)
    apart, together = [], []
    for _ in range(500):
        number, sizes = 160, random.integers(5, 15, 160)
        late = np.arange(number) >= 80
        treated = random.random(number) < np.where(late, 0.8, 0.5)
        level = 3.0 * late + effect * treated + random.normal(0, 0.7, number)
        of = np.repeat(np.arange(number), sizes)
        y = level[of] + random.normal(0, 1, of.size)
        arms, clusters, cells = np.where(treated, "t", "b")[of], of.astype(str), np.where(late, "2", "1")[of]
        for labels, found in ((cells, apart), (np.full(of.size, ""), together)):
            one = cr2(ClusterSums.from_arrays({"y": y}, arms, clusters, labels), {"y": 1.0}, "t", "b")
            assert not isinstance(one, NotEstimable)
            low, high = one.interval(0.95)
            found.append((one.estimate - effect, low <= effect <= high))
    bias, covered = np.mean(apart, axis=0)
    assert abs(bias) < 4 * np.std([one for one, _ in apart]) / len(apart) ** 0.5
    assert 0.92 <= covered <= 0.98
    assert np.mean(together, axis=0)[0] > 0.5
