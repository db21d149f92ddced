"""300,000 draws of each design: frequencies, independence and balance where theory puts them."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from experiments.mixtures import as_drawn, before_the_draw, draw_action
from experiments.randomization import MILLION, draw, parts_per_million, permuted, propensities, within

pytestmark = pytest.mark.slow
DRAWS = 300_000
# the salts are fixed, so a draw that is this unlikely is a mistake
LIKELY = 1e-4
Codes = NDArray[np.int64]


def drawn(salt: str, keys: list[str], weights: list[int]) -> Codes:
    shares = parts_per_million(weights)
    return np.array([draw(salt, key, shares)[0] for key in keys])


def inside(salt: str, keys: list[str], share: float) -> Codes:
    return np.array([within(salt, key, round(share * MILLION)) for key in keys], dtype=np.int64)


def as_due(arms: Codes, weights: list[int]) -> bool:
    counts = np.bincount(arms, minlength=len(weights))
    return bool(stats.chisquare(counts, arms.size * np.array(weights) / sum(weights)).pvalue > LIKELY)


def independent(one: Codes, other: Codes) -> bool:
    table = np.zeros((one.max() + 1, other.max() + 1))
    np.add.at(table, (one, other), 1)
    return bool(stats.chi2_contingency(table).pvalue > LIKELY)


@pytest.fixture(scope="module")
def keys() -> list[str]:
    return [f"cust-{number:06}" for number in range(DRAWS)]


def test_by_hash(keys: list[str]) -> None:
    """The arm says nothing of the stratum, the neighbour, the traffic gate, the holdout or another layer's arm."""
    weights = [2, 1, 1]
    arms = drawn("offers", keys, weights)
    assert as_due(arms, weights)
    strata = np.arange(DRAWS) % 7
    for stratum in range(7):
        assert as_due(arms[strata == stratum], weights)
    assert independent(arms, strata)
    assert independent(arms[:-1], arms[1:])
    traffic, holdout = inside("offers/traffic", keys, 0.3), inside("holdout", keys, 0.05)
    other = drawn("pricing", keys, [1, 1])
    for gate in (traffic, holdout, other):
        assert independent(arms, gate)
    assert independent(traffic, holdout)
    assert stats.binomtest(int(traffic.sum()), DRAWS, 0.3).pvalue > LIKELY
    assert stats.binomtest(int(holdout.sum()), DRAWS, 0.05).pvalue > LIKELY


def test_in_blocks() -> None:
    """Every block is whole, every place in it is each arm's as often as due, and strata know nothing of each other."""
    weights, size, strata = [2, 1, 1], 4, 3
    arms = np.array(
        [
            [permuted("offers", f"band-{stratum}", position, weights).arm for position in range(DRAWS // strata)]
            for stratum in range(strata)
        ]
    )
    blocks = arms.reshape(strata, -1, size)
    for arm, weight in enumerate(weights):
        assert ((blocks == arm).sum(axis=2) == weight).all()
    for place in range(size):
        assert as_due(blocks[:, :, place].ravel(), weights)
    for stratum in range(1, strata):
        assert independent(arms[0], arms[stratum])
    assert independent(blocks[0, :-1, 3], blocks[0, 1:, 0])
    # the arms are never further from their shares than a block allows
    reached = np.cumsum(arms == 0, axis=1) - np.arange(1, arms.shape[1] + 1) * weights[0] / size
    assert np.abs(reached).max() <= 1


def test_by_episode() -> None:
    """Each episode of a unit is drawn as if it were another unit's."""
    arms = drawn("timing", [f"machine-{unit}#{number}" for unit in range(DRAWS // 3) for number in (1, 2, 3)], [1, 1])
    assert as_due(arms, [1, 1])
    first, second, third = arms.reshape(-1, 3).T
    for one, other in ((first, second), (second, third), (first, third)):
        assert independent(one, other)
    runs = np.bincount(first * 4 + second * 2 + third)
    assert stats.chisquare(runs).pvalue > LIKELY


def test_in_phases(keys: list[str]) -> None:
    """Keys of a phase have its shares; those a wider gate lets in later are drawn like all others."""
    ramp = [[9, 1], [1, 1], [1, 9]]
    for phase, weights in enumerate(ramp):
        assert as_due(drawn("offers", keys[phase::3], weights), weights)
    point = np.array([within("offers/traffic", key, 100_000) for key in keys])
    later = inside("offers/traffic", keys, 0.5).astype(bool) & ~point
    arms = drawn("offers", [key for key, enters in zip(keys, later, strict=True) if enters], [1, 1])
    assert stats.binomtest(arms.size, DRAWS, 0.4).pvalue > LIKELY
    assert as_due(arms, [1, 1])


def test_blocks_of_other_phases() -> None:
    """A phase's blocks are whole and say nothing of those of the phase before."""
    arms = np.array(
        [
            [permuted("offers", "band", position, [1, 1], phase).arm for position in range(DRAWS // 3)]
            for phase in ("1", "2", "3")
        ]
    )
    assert (arms.reshape(3, -1, 2).sum(axis=2) == 1).all()
    firsts = arms[:, ::2]
    for one, other in ((0, 1), (1, 2), (0, 2)):
        assert independent(firsts[one], firsts[other])


def test_by_policy(keys: list[str]) -> None:
    """The draw of a policy's action knows nothing of the arm's; every action is as frequent as its propensity says."""
    actions, weights = ["none", "bonus", "credit"], [2, 1, 1]
    anything = as_drawn(dict.fromkeys(actions, 1 / 3))
    does = [{"none": 1.0}, anything, {"credit": 1.0}]
    arms = drawn("offers", keys, weights)
    by_policy = np.array([actions.index(draw_action("now", "crm", key, anything)[0]) for key in keys])
    assert as_due(by_policy, [1, 1, 1])
    assert independent(arms, by_policy)
    given = np.where(arms == 1, by_policy, np.where(arms == 2, 2, 0))
    before = before_the_draw(actions, zip(propensities(weights, in_blocks=False), does, strict=True))
    assert list(before.values()) == pytest.approx([1 / 2 + 1 / 12, 1 / 12, 1 / 4 + 1 / 12], abs=1e-6)
    for place, action in enumerate(actions):
        assert stats.binomtest(int((given == place).sum()), DRAWS, before[action]).pvalue > LIKELY


def test_by_cluster() -> None:
    """Clusters are drawn like units, whatever their sizes, and every period of one as if it were another's."""
    clusters = [f"line-{number}" for number in range(DRAWS)]
    sizes = 1 + np.arange(DRAWS) % 5
    arms = drawn("timing", clusters, [1, 1])
    assert as_due(arms, [1, 1])
    assert independent(arms, sizes - 1)
    # units stand in their shares too, as far off as whole clusters allow
    units, error = (sizes * arms).sum() / sizes.sum(), np.sqrt((sizes**2).sum() / 4) / sizes.sum()
    assert abs(units - 0.5) < 4 * error
    periods = [f"line-{line}#{number}" for line in range(DRAWS // 3) for number in (1, 2, 3)]
    first, second, third = drawn("timing", periods, [1, 1]).reshape(-1, 3).T
    for one, other in ((first, second), (second, third), (first, third)):
        assert independent(one, other)
    assert independent(first, drawn("timing", clusters[: DRAWS // 3], [1, 1]))


def test_by_cluster_in_blocks() -> None:
    """Within each line its periods are balanced block by block, and lines know nothing of each other."""
    lines, periods = 1000, DRAWS // 1000
    arms = np.array(
        [[permuted("timing", f"line-{line}", at, [1, 1]).arm for at in range(periods)] for line in range(lines)]
    )
    assert (arms.reshape(lines, -1, 2).sum(axis=2) == 1).all()
    assert as_due(arms[:, ::2].ravel(), [1, 1])
    assert independent(arms[:-1, ::2].ravel(), arms[1:, ::2].ravel())


def test_in_layers(keys: list[str]) -> None:
    """Who is left over by one layer is drawn in the next as if there were no other; and so is who is in both."""
    first, second = inside("offers/traffic", keys, 0.4).astype(bool), inside("pricing/traffic", keys, 0.5).astype(bool)
    takes = ~first & second
    assert stats.binomtest(int(takes.sum()), DRAWS, 0.6 * 0.5).pvalue > LIKELY
    arms, others = drawn("offers", keys, [2, 1]), drawn("pricing", keys, [1, 1, 1])
    assert as_due(arms[first], [2, 1])
    assert as_due(others[takes], [1, 1, 1])
    assert independent(others, first.astype(np.int64))
    # at two decision points a unit is in both
    assert independent(arms, others)
    assert independent(arms, second.astype(np.int64))
