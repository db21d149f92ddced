"""The demo's models: trained by scikit-learn on the worlds' history, never told the truth."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from impact.demo import worlds

HISTORY = 20_000


def churn_model(seed: int) -> Pipeline:
    """Learn who leaves from customers whom nobody offered anything."""
    past = worlds.customers(HISTORY, seed)
    left = np.random.default_rng(seed + 1).random(HISTORY) < past.leaves
    return make_pipeline(StandardScaler(), LogisticRegression()).fit(past.features(), left)


def bearing_model(seed: int) -> Pipeline:
    """Learn which machines fail from two years in which they were run until they failed, or an old age."""
    machines = worlds.machines(300, seed)
    rng = np.random.default_rng(seed + 1)
    seen, failed = [], []
    for _ in range(104):
        seen.append(machines.measure())
        broke = rng.random(300) < machines.risk()
        failed.append(broke)
        machines.week(broke | (machines.hours > 5000))
    return make_pipeline(StandardScaler(), LogisticRegression()).fit(np.vstack(seen), np.concatenate(failed))


def scores(model: Pipeline, features: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities in [0, 1]."""
    return np.asarray(model.predict_proba(features)[:, 1], dtype=np.float64)
