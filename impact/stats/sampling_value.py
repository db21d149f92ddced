"""What an experiment is worth before it starts, and the size that earns most, under normal priors."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from scipy import optimize, special

from impact.stats import ranges


def perfect_information(mean: float, sd: float) -> float:
    """Money per row of the roll-out that knowing the true net effect would be worth.

    Parameters
    ----------
    mean, sd : float
        Prior of the net effect per row, in money; sd > 0.

    References
    ----------
    Raiffa and Schlaifer 1961, Applied Statistical Decision Theory.
    """
    return _gain(mean, ranges.positive("sd", sd)) - max(mean, 0.0)


def sample_information(mean: float, sd: float, error: float) -> float:
    """Money per row of the roll-out that an experiment with this standard error is worth.

    Parameters
    ----------
    mean, sd : float
        Prior of the net effect per row.
    error : float
        Planned standard error of the experiment (``planning.Plan.se``), > 0.
    """
    return _gain(mean, _preposterior(sd, error)) - max(mean, 0.0)


def gain_if_significant(mean: float, sd: float, error: float, alpha: float = 0.05) -> float:
    """Expected money per row if only a significant improvement is rolled out; what that convention costs is
    ``sample_information`` + max(mean, 0) minus this.

    Parameters
    ----------
    mean, sd : float
        Prior of the net effect per row; sd > 0.
    error : float
        Planned standard error, > 0.
    alpha : float
        Two-sided, in (0, 1).
    """
    total = math.hypot(ranges.positive("sd", sd), ranges.positive("error", error))
    h = (mean - float(special.ndtri(1 - ranges.share("alpha", alpha) / 2)) * error) / total
    return mean * float(special.ndtr(h)) + sd**2 / total * _density(h)


class Size(NamedTuple):
    """Rows of an experiment, treated and baseline together, and its expected net gain in money."""

    rows: float
    net_gain: float


def net_gain(
    rows: float, population: float, mean: float, sd: float, error: Callable[[float], float], cost_per_row: float = 0.0
) -> float:
    """Expected money from an experiment on so many rows, followed by the better choice for all others.

    Parameters
    ----------
    rows : float
        Both arms together, half of them treated, in [0, population].
    population : float
        Rows that the decision is about, those of the experiment included.
    mean, sd : float
        Prior of the net effect per row.
    error : function
        From rows to the standard error.
    cost_per_row : float
        Of experimenting, above what the action costs.
    """
    ranges.within("rows", rows, 0.0, population)
    gain = _gain(mean, _preposterior(sd, error(rows))) if rows else max(mean, 0.0)
    return (population - rows) * gain + rows / 2 * mean - rows * cost_per_row


def most_profitable_size(
    population: float, mean: float, sd: float, error: Callable[[float], float], cost_per_row: float = 0.0
) -> Size:
    """Rows with the largest expected net gain; parameters are those of ``net_gain``.

    Parameters
    ----------
    population, mean, sd, error, cost_per_row
        As in ``net_gain``.

    Returns
    -------
    Size
        0 rows where no experiment pays.
    """

    def loss(share: float) -> float:
        return -net_gain(share**2 * population, population, mean, sd, error, cost_per_row)

    # in the root of the share, since the best size grows with the root of the population
    found = optimize.minimize_scalar(loss, bounds=(0.0, 1.0), method="bounded", options={"xatol": 1e-9})
    best = min((0.0, float(found.x), 1.0), key=loss)
    return Size(best**2 * population, -loss(best))


class RollOut(NamedTuple):
    """The most profitable experiment when both arms have the same prior, and what its roll-out earns (Test & Roll).

    Attributes
    ----------
    n_per_arm : float
    profit_per_unit : float
        Expected, over experiment and roll-out.
    perfect_information, no_test : float
        The same if the better arm were known, and if one were taken without a test.
    error_rate : float
        Chance that the worse arm is rolled out.
    """

    n_per_arm: float
    profit_per_unit: float
    perfect_information: float
    no_test: float
    error_rate: float


def roll_out(population: float, mean: float, sd: float, noise: float) -> RollOut:
    """Size an experiment by profit instead of significance: Test & Roll.

    Parameters
    ----------
    population : float
        Rows in all, > 0.
    mean, sd : float
        Prior of each arm's mean per row, sd > 0.
    noise : float
        Standard deviation of a row around its arm's mean, > 0.

    References
    ----------
    Feit and Berman 2019, Journal of Marketing Research 56 (arXiv 1811.00457).
    """
    s2, v = ranges.positive("noise", noise) ** 2, ranges.positive("sd", sd) ** 2
    # the root of 2 v n^2 + 3 s2 n = N s2 / 2, without cancellation
    n = ranges.positive("population", population) * s2 / (3 * s2 + math.sqrt(9 * s2**2 + 4 * population * s2 * v))
    rolled = mean + 2 * v / (math.sqrt(2 * math.pi) * math.sqrt(2 * s2 / n + 2 * v))
    return RollOut(
        n,
        (2 * n * mean + (population - 2 * n) * rolled) / population,
        mean + sd / math.sqrt(math.pi),
        mean,
        0.5 - math.atan(math.sqrt(2) * sd / noise * math.sqrt(n / 2)) / math.pi,
    )


def _gain(mean: float, sd: float) -> float:
    """E[max(0, X)] of a normal X."""
    return mean * float(special.ndtr(mean / sd)) + sd * _density(mean / sd)


def _preposterior(sd: float, error: float) -> float:
    """Standard deviation of the posterior mean, before the data."""
    return ranges.positive("sd", sd) ** 2 / math.hypot(sd, ranges.positive("error", error))


def _density(z: float) -> float:
    return math.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
