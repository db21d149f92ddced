import math

import numpy as np
import pytest
from scipy import integrate, stats

from impact.stats.sampling_value import (
    gain_if_significant,
    most_profitable_size,
    net_gain,
    perfect_information,
    roll_out,
    sample_information,
)


def test_reference(reference):
    for example in reference["test_and_roll"]["examples"]:
        found = roll_out(example["N"], example["mu"], example["sigma"], example["s"])
        keys = ("n_per_arm", "profit_per_unit", "perfect_information", "no_test", "error_rate")
        assert list(found) == pytest.approx([example[key] for key in keys], rel=1e-9)


@pytest.mark.parametrize(("mean", "sd", "error"), [(0.0, 1.0, 0.5), (0.7, 1.5, 2.0), (-1.0, 0.8, 0.3)])
def test_information_is_what_the_better_choice_gains(mean, sd, error):
    best, _ = integrate.quad(
        lambda x: max(x, 0) * stats.norm.pdf(x, mean, sd), -np.inf, np.inf, epsabs=1e-12, limit=200
    )
    assert perfect_information(mean, sd) == pytest.approx(best - max(mean, 0), rel=1e-6)
    rng = np.random.default_rng(0)
    truth = rng.normal(mean, sd, 1_000_000)
    seen = truth + rng.normal(0, error, 1_000_000)
    posterior = (mean * error**2 + seen * sd**2) / (error**2 + sd**2)
    assert sample_information(mean, sd, error) == pytest.approx(
        np.where(posterior > 0, truth, 0).mean() - max(mean, 0), abs=5e-3
    )
    assert gain_if_significant(mean, sd, error) == pytest.approx(
        np.where(seen > 1.96 * error, truth, 0).mean(), abs=5e-3
    )


def test_more_rows_tell_more_but_never_more_than_everything():
    errors = [10.0, 3.0, 1.0, 0.1, 1e-4]
    values = [sample_information(0.3, 1.0, error) for error in errors]
    assert values == sorted(values)
    assert values[-1] == pytest.approx(perfect_information(0.3, 1.0), rel=1e-6)
    assert all(gain_if_significant(0.3, 1.0, error) <= value + 0.3 for error, value in zip(errors, values, strict=True))


def test_the_most_profitable_size_is_where_the_net_gain_is_largest():
    def error(rows):
        return 40 / math.sqrt(rows)

    found = most_profitable_size(100_000, 0.2, 1.0, error, 0.05)
    tried = [net_gain(rows, 100_000, 0.2, 1.0, error, 0.05) for rows in np.linspace(0, 100_000, 4001)]
    assert found.net_gain >= max(tried) - 1e-6 * abs(max(tried))
    assert 0 < found.rows < 100_000
    assert found.net_gain == pytest.approx(net_gain(found.rows, 100_000, 0.2, 1.0, error, 0.05))


def test_an_experiment_that_costs_more_than_it_tells_is_not_made():
    found = most_profitable_size(1_000, 5.0, 0.1, lambda rows: 100 / math.sqrt(rows), 3.0)
    assert found == (0.0, 5_000.0)


def test_it_grows_with_the_root_of_the_population():
    small, large = (roll_out(n, 0.0, 1.0, 100.0).n_per_arm for n in (10**8, 10**10))
    assert large / small == pytest.approx(10, rel=0.05)


def test_refuses_what_is_not_positive():
    for call in (lambda: perfect_information(0.0, 0.0), lambda: sample_information(0.0, 1.0, 0.0)):
        with pytest.raises(ValueError, match="must be above 0"):
            call()
    with pytest.raises(ValueError, match="rows == 11"):
        net_gain(11, 10, 0.0, 1.0, lambda rows: 1.0)
    with pytest.raises(ValueError, match=r"alpha == 1\.2"):
        gain_if_significant(0.0, 1.0, 1.0, 1.2)
