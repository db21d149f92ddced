import math

import numpy as np
import pytest
from sklearn.tree import DecisionTreeRegressor

from impact.stats.effects import NotEstimable
from impact.stats.off_policy import Log, cross_fitted, doubly_robust, ips, overlap, snips

ACTIONS = ("none", "bonus", "credit")


@pytest.fixture(scope="module")
def log(story_a):
    reward = 300 * (1 - story_a["churned"]) - story_a["cost"]
    action = np.array([ACTIONS.index(arm) for arm in story_a["arm"]])
    return Log.from_arrays(reward, action, np.full(reward.size, 1 / 3))


def by_band(story_a, choice):
    chosen = np.zeros((story_a["band"].size, 3))
    chosen[np.arange(len(chosen)), [ACTIONS.index(choice[band]) for band in story_a["band"]]] = 1.0
    return chosen


@pytest.fixture(scope="module")
def pair(story_a):
    challenger = {"L": "bonus", "M": "credit", "H": "none"}
    return by_band(story_a, challenger), by_band(story_a, dict.fromkeys("LMH", "none"))


def test_three_estimators_of_story_a(log, pair, story_a, stories):
    expected = stories["story_a"]["challenger vs nobody, three estimators, value = 300 x retained"]
    policy, nobody = pair
    for estimator, name in ((ips, "ips"), (snips, "snips")):
        found = estimator(log, policy, nobody)
        assert (found.estimate, found.se) == pytest.approx((expected[name]["effect"], expected[name]["se"]), rel=1e-9)
    features = np.array([[band == "L", band == "M", band == "H"] for band in story_a["band"]], dtype=float)
    found = doubly_robust(log, policy, cross_fitted(log, features, 3, seed=1), nobody)
    assert found.se == pytest.approx(expected["dr"]["se"], rel=1e-3)
    assert found.estimate == pytest.approx(expected["dr"]["effect"], abs=0.02 * expected["dr"]["se"])


def test_overlap_of_story_a(log, pair):
    found = overlap(log, pair[0])
    assert (found.effective_n, found.largest_weight, found.mean_weight) == pytest.approx((15_000, 3, 1))
    assert found.reason is None


def made(n=4_000, seed=0):
    rng = np.random.default_rng(seed)
    x, draw = rng.normal(0, 1, n), rng.random(n)
    chance = 1 / (1 + np.exp(-x))
    action = (draw < chance).astype(int)
    reward = np.where(action == 1, 2 * np.sin(2 * x), x) + rng.normal(0, 0.5, n)
    log = Log.from_arrays(reward, action, np.where(action == 1, chance, 1 - chance))
    return log, x, np.column_stack([x < 0, x >= 0]) * 1.0


def test_all_of_them_estimate_the_value_of_a_policy():
    log, x, policy = made(100_000)
    truth = np.where(policy[:, 1] == 1, 2 * np.sin(2 * x), x).mean()
    predicted = cross_fitted(log, x[:, None], 2, seed=0)
    for found in (ips(log, policy), snips(log, policy), doubly_robust(log, policy, predicted)):
        assert found.estimate == pytest.approx(truth, abs=4 * found.se)
        assert found.interval(0.999)[0] < truth < found.interval(0.999)[1]


def test_a_better_model_narrows_and_a_wrong_one_does_not_bias():
    log, x, policy = made(20_000)
    truth = np.where(policy[:, 1] == 1, 2 * np.sin(2 * x), x).mean()
    good = cross_fitted(log, x[:, None], 2, seed=0, model=lambda: DecisionTreeRegressor(min_samples_leaf=50))
    wrong = np.full((20_000, 2), 100.0) * x[:, None]
    close, wide = doubly_robust(log, policy, good), doubly_robust(log, policy, wrong)
    assert close.se < snips(log, policy).se < wide.se
    assert wide.estimate == pytest.approx(truth, abs=4 * wide.se)


def test_folds_are_repeatable_and_leave_the_row_out():
    log, x, _ = made(500)
    one, two, other = (cross_fitted(log, x[:, None], 2, seed=seed) for seed in (1, 1, 2))
    assert (one == two).all() and not (one == other).all()
    memory = cross_fitted(log, np.arange(500.0)[:, None], 2, seed=0, model=DecisionTreeRegressor)
    assert not np.isclose(memory[np.arange(500), log.action], log.reward).any()


def test_snips_does_not_depend_on_where_the_reward_is_zero():
    log, _, policy = made()
    shifted = Log(log.reward + 50, log.action, log.propensity)
    assert snips(shifted, policy).se == pytest.approx(snips(log, policy).se)
    assert snips(shifted, policy).estimate == pytest.approx(snips(log, policy).estimate + 50)
    assert ips(shifted, policy).se > 2 * ips(log, policy).se


def test_reasons():
    rng = np.random.default_rng(0)
    action, reward = rng.integers(0, 2, 1_000), rng.normal(0, 1, 1_000)
    all_one = np.column_stack([np.zeros(1_000), np.ones(1_000)])
    rare = Log.from_arrays(reward, action, np.where(action == 1, 0.04, 0.96))
    assert ips(rare, all_one) == NotEstimable("no overlap: a row would count 25 times")
    chance = np.full(1_000, 0.06)
    seldom = Log.from_arrays(reward, (rng.random(1_000) < chance).astype(int), chance)
    seldom = seldom._replace(propensity=np.where(seldom.action == 1, 0.06, 0.94))
    assert snips(seldom, all_one).reason.startswith("no overlap: ")
    wrong = Log.from_arrays(reward, action, np.full(1_000, 0.25))
    assert doubly_robust(wrong, all_one, np.zeros((1_000, 2))).reason.startswith("propensities don't match")
    never = Log.from_arrays(reward, np.zeros(1_000, dtype=int), np.full(1_000, 0.5))
    assert snips(never, all_one).reason == "no overlap: 0.0 % of the rows carry the estimate"
    single = Log.from_arrays([1.0], [0], [0.5])
    assert ips(single, np.array([[1.0, 0.0]])) == NotEstimable("fewer than two rows")
    assert cross_fitted(single, np.zeros((1, 1)), 2, seed=0) == NotEstimable("fewer than two rows in a fold")
    assert cross_fitted(never, np.zeros((1_000, 1)), 2, seed=0).reason.startswith("action 1 was taken in fewer")


@pytest.mark.parametrize("propensity", [0.0, 1.5, math.nan])
def test_refuses_propensities_outside(propensity):
    with pytest.raises(ValueError, match="propensity == "):
        Log.from_arrays([1.0, 2.0], [0, 1], [0.5, propensity])


def test_clusters_of_one_row_are_decisions():
    log, x, policy = made(600)
    single = Log(*log[:3], np.arange(600).astype(str))
    predicted = cross_fitted(log, x[:, None], 2, seed=0)
    for rows, clusters in (
        (ips(log, policy), ips(single, policy)),
        (doubly_robust(log, policy, predicted), doubly_robust(single, policy, predicted)),
    ):
        assert (clusters.estimate, clusters.se, clusters.df) == pytest.approx((rows.estimate, rows.se, rows.df))
    assert overlap(single, policy) == pytest.approx(overlap(log, policy))


def test_what_was_drawn_whole_is_left_out_of_its_own_prediction():
    """The only row with a reward shares its cluster with others: none of them may be predicted from it."""
    action, cluster = np.tile([0, 1], 100), np.repeat(np.arange(20), 10)
    reward = np.where(cluster == 7, 1e6, 0.0)
    log = Log.from_arrays(reward, action, np.full(200, 0.5), cluster)
    predicted = cross_fitted(log, np.column_stack([cluster == 7, cluster]) * 1.0, 2, seed=0)
    assert abs(predicted[cluster == 7]).max() < 5e5


def test_weights_that_differ_by_cluster_are_no_wrong_propensities():
    """By rows the mean weight would be far from 1 many times too often; few clusters are refused."""
    rng = np.random.default_rng(1)
    wrong = 0
    for _ in range(50):
        cluster = np.repeat(np.arange(40), 100)
        action = rng.integers(0, 2, 40)[cluster]
        policy = np.column_stack([np.zeros(4_000), np.ones(4_000)])
        arguments = rng.normal(0, 1, 4_000), action, np.full(4_000, 0.5)
        assert overlap(Log.from_arrays(*arguments, cluster), policy).reason is None
        wrong += overlap(Log.from_arrays(*arguments), policy).reason is not None
    assert wrong > 10
    cluster = np.repeat(np.arange(18), 10)
    few = Log.from_arrays(np.arange(180.0), cluster % 2, np.full(180, 0.5), cluster)
    assert ips(few, policy[:180]) == NotEstimable("9 clusters in an arm, fewer than 10")
