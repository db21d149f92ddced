import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from impact.stats.sample_ratio import ALARM, sample_ratio


def test_reference(reference):
    given_, three = reference["extras"]["srm"], reference["extras"]["srm"]["three_arm"]
    assert sample_ratio(given_["counts"], given_["weights"]).p_value == pytest.approx(given_["chi2_p"], rel=1e-9)
    assert sample_ratio(three["counts"], [1, 1, 1]).p_value == pytest.approx(three["p"], rel=1e-9)


@given(st.lists(st.tuples(st.integers(0, 10_000), st.integers(1, 100)), min_size=2, max_size=6))
def test_agrees_with_scipy(pairs):
    seen, weights = zip(*pairs, strict=True)
    if not sum(seen):
        return
    found = sample_ratio(seen, weights)
    expected = stats.chisquare(seen, [w * sum(seen) / sum(weights) for w in weights])
    assert (found.statistic, found.p_value) == pytest.approx((expected.statistic, expected.pvalue), rel=1e-9, abs=1e-12)
    assert found.df == len(pairs) - 1


@pytest.mark.parametrize(("seen", "due"), [([5], [1]), ([5, 5], [1, 0]), ([5, 5], [1, 1, 1]), ([], [])])
def test_refuses_what_was_not_expected(seen, due):
    with pytest.raises(ValueError, match="needs two or more arms"):
        sample_ratio(seen, due)


def alarms(drawn):
    return sum(sample_ratio(seen, [1] * len(seen)).p_value < ALARM for seen in drawn)


@pytest.mark.parametrize(("arms", "keys"), [(2, 1_000), (3, 50_000)])
def test_ten_thousand_healthy_experiments_are_hardly_ever_alarmed_about(arms, keys):
    # the binomial bar of .001: 10 are expected, more than 22 once in three thousand times
    drawn = np.random.default_rng(20).multinomial(keys, [1 / arms] * arms, size=10_000)
    assert alarms(drawn) <= 22


def test_a_share_of_49_percent_is_found_in_fifty_thousand():
    drawn = np.random.default_rng(21).multinomial(50_000, [0.49, 0.51], size=2_000)
    assert alarms(drawn) >= 0.85 * 2_000
