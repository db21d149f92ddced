"""What a policy is worth on logged decisions, whose actions were drawn with known propensities."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from impact.stats.choice import FEW_CLUSTERS
from impact.stats.clusters import ClusterSums, regression, robust
from impact.stats.effects import NotEstimable, TEffect

# beyond these a few rows decide the value
LEAST_EFFECTIVE_SHARE = 0.1
LARGEST_WEIGHT = 20.0

Array = NDArray[np.float64]


class Log(NamedTuple):
    """Decisions and what came of them.

    Attributes
    ----------
    reward : ndarray, shape (n,)
    action : ndarray of int, shape (n,)
        Position of the logged action.
    propensity : ndarray, shape (n,)
        Probability with which it was drawn, in (0, 1], as recorded.
    cluster : ndarray of str, shape (n,), optional
        What was drawn as a whole, where it isn't the row: errors are by it, with CR2.
    """

    reward: Array
    action: NDArray[np.int64]
    propensity: Array
    cluster: NDArray[np.str_] | None = None

    @classmethod
    def from_arrays(
        cls, reward: ArrayLike, action: ArrayLike, propensity: ArrayLike, cluster: ArrayLike | None = None
    ) -> Log:
        """Check and convert; every array has shape (n,)."""
        log = cls(
            np.asarray(reward, dtype=np.float64),
            np.asarray(action, dtype=int),
            np.asarray(propensity, dtype=np.float64),
            None if cluster is None else np.asarray(cluster, dtype=str),
        )
        if not ((log.propensity > 0) & (log.propensity <= 1)).all():
            raise ValueError(f"propensity == {float(log.propensity.min())!r}, must be in (0, 1]")
        return log

    def weights(self, policy: Array) -> Array:
        """Probability of the logged action under the policy, shape (n, actions), over its propensity."""
        return policy[np.arange(self.action.size), self.action] / self.propensity

    @property
    def fewest_clusters(self) -> float:
        """Clusters that got the action which fewest got; no limit where rows were drawn one by one."""
        if self.cluster is None:
            return math.inf
        return min(np.unique(self.cluster[self.action == action]).size for action in np.unique(self.action))


class Overlap(NamedTuple):
    """How much of the log speaks about a policy.

    Attributes
    ----------
    effective_n : float
        (sum w)^2 / sum w^2.
    effective_share : float
        Of the rows.
    largest_weight : float
    mean_weight, mean_weight_se : float
        1 within its error, if the propensities are right and nothing the policy does was impossible.
    """

    effective_n: float
    effective_share: float
    largest_weight: float
    mean_weight: float
    mean_weight_se: float

    @property
    def reason(self) -> str | None:
        """Why the policy can't be valued on this log; None if it can."""
        if self.largest_weight > LARGEST_WEIGHT:
            return f"no overlap: a row would count {self.largest_weight:.0f} times"
        if self.effective_share < LEAST_EFFECTIVE_SHARE:
            return f"no overlap: {100 * self.effective_share:.1f} % of the rows carry the estimate"
        if abs(self.mean_weight - 1) > 5 * self.mean_weight_se + 1e-9:
            return f"propensities don't match what happened: mean weight {self.mean_weight:.3f}, must be 1"
        return None


def overlap(log: Log, policy: Array) -> Overlap:
    """Diagnose the weights of a policy, given as probabilities of shape (n, actions).

    Parameters
    ----------
    log : Log
    policy : ndarray, shape (n, actions)
        Rows sum to 1.

    Returns
    -------
    Overlap
    """
    w = log.weights(policy)
    effective = float(w.sum() ** 2 / (w**2).sum()) if w.any() else 0.0
    return Overlap(effective, effective / w.size, float(w.max()), float(w.mean()), _error(log, w)[0])


def ips(log: Log, policy: Array, against: Array | None = None) -> TEffect | NotEstimable:
    """Value by inverse propensities, or the difference from another policy; never the headline.

    Parameters
    ----------
    log : Log
    policy, against : ndarray, shape (n, actions)
        Probability of each action in each row; rows sum to 1.

    References
    ----------
    Horvitz and Thompson 1952; its error depends on where the reward's 0 is.
    """
    scores = log.weights(policy) * log.reward
    if against is not None:
        scores = scores - log.weights(against) * log.reward
    return _mean(log, scores, "ips", policy, against)


def snips(log: Log, policy: Array, against: Array | None = None) -> TEffect | NotEstimable:
    """Value by normalised inverse propensities, or the difference; parameters are those of ``ips``.

    Parameters
    ----------
    log, policy, against
        As in ``ips``.

    Returns
    -------
    TEffect or NotEstimable
        sum w reward / sum w; SE = sqrt(sum w^2 (reward - value)^2) / sum w.

    References
    ----------
    Swaminathan and Joachims 2015, NeurIPS; error by linearisation.
    """
    scores = _normalised(log, policy)
    if against is not None:
        scores = scores - _normalised(log, against)
    return _mean(log, scores, "snips", policy, against)


def doubly_robust(log: Log, policy: Array, predicted: Array, against: Array | None = None) -> TEffect | NotEstimable:
    """Value by predicted rewards, corrected by the weighted error of the prediction; or the difference.

    Parameters
    ----------
    log, policy, against
        As in ``ips``.
    predicted : ndarray, shape (n, actions)
        Reward of each action, predicted without the row itself (``cross_fitted``). Wrong predictions widen
        the interval, they don't move it.

    References
    ----------
    Dudik, Erhan, Langford and Li 2014, Statistical Science 29; Chernozhukov and others 2018, Econometrics
    Journal 21 (cross-fitting).
    """
    error = log.reward - predicted[np.arange(log.action.size), log.action]
    scores = (policy * predicted).sum(axis=1) + log.weights(policy) * error
    if against is not None:
        scores = scores - (against * predicted).sum(axis=1) - log.weights(against) * error
    return _mean(log, scores, "doubly_robust", policy, against)


def cross_fitted(
    log: Log, features: Array, actions: int, *, seed: int, folds: int = 5, model: Callable[[], Any] | None = None
) -> Array | NotEstimable:
    """Predict the reward of every action in every row by models that haven't seen the row.

    Parameters
    ----------
    log : Log
    features : ndarray, shape (n, f)
        Known before the decision; categories as indicators.
    actions : int
        How many there are.
    seed : int
        Of the folds.
    model : function, optional
        Makes a new scikit-learn regressor; by default ridge regression on standardized features.

    Returns
    -------
    ndarray, shape (n, actions), or NotEstimable
    """
    from sklearn.linear_model import Ridge
    from sklearn.model_selection import KFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    make = model or (lambda: make_pipeline(StandardScaler(), Ridge()))
    # what was drawn as a whole is left out as a whole
    drawn, place = np.unique(np.arange(log.action.size) if log.cluster is None else log.cluster, return_inverse=True)
    if drawn.size < 2 * folds:
        return NotEstimable("fewer than two rows in a fold")
    predicted = np.empty((log.action.size, actions))
    for _, out in KFold(folds, shuffle=True, random_state=seed).split(drawn):
        held = np.zeros(drawn.size, dtype=bool)
        held[out] = True
        seen, left = np.flatnonzero(~held[place]), np.flatnonzero(held[place])
        for action in range(actions):
            rows = seen[log.action[seen] == action]
            if rows.size < 2:
                return NotEstimable(f"action {action} was taken in fewer than two rows of a fold")
            predicted[left, action] = make().fit(features[rows], log.reward[rows]).predict(features[left])
    return predicted


def _normalised(log: Log, policy: Array) -> Array:
    """Per row, the value and its linearised deviation, whose mean is the SNIPS estimate."""
    w = log.weights(policy)
    total = w.sum()
    value = float(w @ log.reward) / total if total else math.nan
    return value + w * (log.reward - value) * (w.size / total if total else math.nan)


def _mean(log: Log, scores: Array, method: str, *policies: Array | None) -> TEffect | NotEstimable:
    if scores.size < 2:
        return NotEstimable("fewer than two rows")
    if log.fewest_clusters < FEW_CLUSTERS:
        return NotEstimable(f"{log.fewest_clusters} clusters in an arm, fewer than {FEW_CLUSTERS}")
    for policy in policies:
        if policy is not None and (reason := overlap(log, policy).reason):
            return NotEstimable(reason)
    return TEffect(float(scores.mean()), *_error(log, scores, 0 if method == "snips" else 1), method)


def _error(log: Log, scores: Array, ddof: int = 1) -> tuple[float, float]:
    """Standard error of a mean over what was drawn, and its degrees of freedom."""
    if scores.size < 2:
        return math.inf, 0.0
    if log.cluster is None:
        return float(scores.std(ddof=ddof)) / math.sqrt(scores.size), scores.size - 1.0
    sums = ClusterSums.from_arrays({"score": scores}, np.full(scores.size, ""), log.cluster)
    mean = regression(sums, {"score": 1.0}, {("", ""): 1.0})
    found = mean if isinstance(mean, NotEstimable) else robust(mean)
    return (math.inf, 0.0) if isinstance(found, NotEstimable) else (found.se, found.df)
