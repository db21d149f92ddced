import numpy as np
import pytest

from impact.stats.planning import Plan, Variances
from impact.stats.verdict_chances import verdict_chances


@pytest.mark.parametrize(
    ("effect", "smallest", "prior"), [(0.0, 0.0, 0.0), (1.5, 0.0, 0.0), (1.5, 1.0, 0.5), (-2.0, 0.2, 1.0)]
)
def test_chances_are_shares_of_simulated_ends(effect, smallest, prior):
    rng = np.random.default_rng(0)
    estimates = rng.normal(effect, prior, 400_000) + rng.normal(0, 1.0, 400_000)
    proven = estimates > smallest + 1.959964
    likely = ~proven & (estimates > 1.2815516)
    harmful = estimates < -1.959964
    found = verdict_chances(effect, 1.0, 0.05, smallest, prior)
    expected = proven.mean(), likely.mean(), 1 - (proven | likely | harmful).mean(), harmful.mean()
    assert list(found) == pytest.approx(expected, abs=4e-3)
    assert sum(found) == pytest.approx(1)


def test_proven_is_the_power_of_the_plan():
    plan = Plan(alpha=0.025)
    n = plan.required_n(2.0, Variances(100.0, 80.0)).baseline
    found = verdict_chances(2.0, plan.se(n, Variances(100.0, 80.0)), 0.025)
    assert found.proven == pytest.approx(0.8)


def test_with_a_strict_alpha_likely_comes_before_proven_and_never_after():
    assert verdict_chances(0.0, 1.0, 0.5).likely >= 0
    assert sum(verdict_chances(0.0, 1.0, 0.5)) == pytest.approx(1)


def test_refuses_arguments_outside():
    with pytest.raises(ValueError, match="se == 0"):
        verdict_chances(1.0, 0, 0.05)
    with pytest.raises(ValueError, match="smallest == -1"):
        verdict_chances(1.0, 1.0, 0.05, -1)
