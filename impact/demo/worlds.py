"""Two seeded worlds with known truth: customers who may leave, machines that may fail."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

KEPT = 300.0
FAILURE = 31_100.0


def logistic(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


@dataclass(frozen=True, slots=True)
class Customers:
    """Customers with what a model may see of them, and the chance to leave that nobody sees."""

    tenure_months: Array
    monthly_charge: Array
    support_calls: Array
    usage_trend: Array
    yearly: NDArray[np.bool_]
    leaves: Array

    def features(self) -> Array:
        """What the model is trained on, shape (n, 5)."""
        return np.column_stack(
            [self.tenure_months, self.monthly_charge, self.support_calls, self.usage_trend, self.yearly]
        )

    def snapshot(self, place: int) -> dict[str, float | str]:
        """The features of one customer, as they are sent."""
        return {
            "tenure_months": round(float(self.tenure_months[place]), 1),
            "monthly_charge": round(float(self.monthly_charge[place]), 2),
            "support_calls": float(self.support_calls[place]),
            "usage_trend": round(float(self.usage_trend[place]), 3),
            "contract": "yearly" if self.yearly[place] else "monthly",
        }


# share of the leavers that an offer keeps, and of the offers that are taken up
KEEPS = {"none": 0.0, "bonus": 0.13, "credit": 0.17}
TAKEN_UP = {"bonus": 0.35, "credit": 0.55}
INCENTIVE = {"bonus": 2.0, "credit": 30.0}
CONTACT = 1.0


def customers(n: int, seed: int) -> Customers:
    """Draw customers; some of why they leave shows in no feature."""
    rng = np.random.default_rng(seed)
    discontent = rng.normal(size=n)
    tenure = rng.gamma(2.0, 18.0, n)
    charge = np.clip(rng.normal(45, 14, n), 12, 110)
    calls = rng.poisson(np.exp(-0.2 + 0.5 * discontent)).astype(np.float64)
    trend = -0.4 * discontent + rng.normal(size=n)
    yearly = rng.random(n) < 0.4
    leaves = logistic(
        -1.75
        + 0.45 * discontent
        + 0.22 * calls
        - 0.3 * trend
        - 0.012 * (tenure - 36)
        + 0.01 * (charge - 45)
        - 0.9 * yearly
    )
    return Customers(tenure, charge, calls, trend, yearly, leaves)


def offer_worth(action: str, leaves: Array) -> float:
    """Truth: mean net value of an offer to these customers, in money each."""
    cost = 0.0 if action == "none" else CONTACT + TAKEN_UP[action] * INCENTIVE[action]
    return float(KEPT * KEEPS[action] * leaves.mean() - cost)


@dataclass(slots=True)
class Machines:
    """Machines whose wear grows week by week and shows, with noise, in what is measured."""

    wear: Array
    hours: Array
    rng: np.random.Generator

    def measure(self) -> Array:
        """What the model may see this week, shape (n, 4)."""
        n = len(self.wear)
        load = self.rng.normal(1.0, 0.15, n)
        vibration = 1.5 + 0.9 * self.wear + self.rng.normal(0, 0.35, n)
        temperature = 58 + 3.5 * self.wear + 6 * (load - 1) + self.rng.normal(0, 1.5, n)
        return np.column_stack([vibration, temperature, self.hours, load])

    def risk(self) -> Array:
        """Truth: the chance to fail before the next window, if it isn't stopped."""
        return logistic(-3.3 + 1.3 * self.wear)

    def week(self, serviced: NDArray[np.bool_]) -> None:
        """Let a week pass: service makes a machine good again, the others wear."""
        n = len(self.wear)
        self.wear = np.where(serviced, self.rng.gamma(1.2, 0.25, n), self.wear)
        self.wear = self.wear + self.rng.gamma(1.2, 0.3, n) + 1.5 * (self.rng.random(n) < 0.12)
        self.hours = np.where(serviced, 0.0, self.hours) + 120


# chance to fail in spite of being stopped
RESIDUAL = 0.03
COSTS = {"stop": 9250.0, "wait": 1500.0}
MINUTES = {"stop": 90.0, "wait": 0.0, "failure": 300.0}


def machines(n: int, seed: int) -> Machines:
    rng = np.random.default_rng(seed)
    return Machines(rng.gamma(2.0, 0.6, n), rng.uniform(0, 3000, n), rng)


def waiting_worth(risk: Array) -> float:
    """Truth: mean net value of waiting instead of stopping at alerts with these risks, in money each."""
    return float(COSTS["stop"] - COSTS["wait"] - FAILURE * (risk.mean() - RESIDUAL))
