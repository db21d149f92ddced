"""How right scores were about units that were left alone: discrimination, calibration, and their ranges."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit
from scipy.stats import norm, rankdata
from sklearn.metrics import brier_score_loss, log_loss, mean_absolute_error, r2_score, roc_auc_score
from statsmodels.stats.proportion import proportion_confint

LEVEL = 0.95
MOST_BINS = 10
ROWS_A_BIN = 50
# fewer say nothing: their ranges would span most of what is possible
FEWEST_ROWS = 100
FEWEST_OF_A_KIND = 10

Numbers = NDArray[np.float64]


def of_probabilities(scores: Sequence[float], happened: Sequence[float], groups: Sequence[str]) -> dict[str, Any]:
    """Return how well probabilities rank and how well they are calibrated.

    Parameters
    ----------
    scores : sequence of float, shape (rows,)
        Probabilities in [0, 1].
    happened : sequence of float, shape (rows,)
        1 where it happened, 0 where it did not.
    groups : sequence of str, shape (rows,)
        Rows of one group, such as a line's machines, may depend on each other.

    Returns
    -------
    dict
        ``status`` is ``measured``, or ``refused`` with a ``reason``: ``too-few``, where there are fewer than 100 rows
        or fewer than 10 of one kind. Measured, it has ``rows``, ``happened`` (rows), ``observed`` (share) with ``ci``,
        ``predicted`` (mean score), ``auc`` with ``auc_ci``, ``brier``, ``log_loss``, ``bins``, ``lowest`` and
        ``highest`` score; ``independent`` is false where a group has several rows, and then the ranges of shares are
        too narrow.
    """
    p, y = np.asarray(scores, dtype=np.float64), np.asarray(happened, dtype=np.float64)
    events = int(y.sum())
    if len(y) < FEWEST_ROWS or min(events, len(y) - events) < FEWEST_OF_A_KIND:
        return {"status": "refused", "reason": "too-few", "rows": len(y), "happened": events}
    auc, ci = auc_with_range(p, y, groups)
    return {
        "status": "measured",
        "rows": len(y),
        "happened": events,
        "observed": events / len(y),
        "ci": wilson(events, len(y)),
        "predicted": float(p.mean()),
        "lowest": float(p.min()),
        "highest": float(p.max()),
        "auc": auc,
        "auc_ci": ci,
        "brier": float(brier_score_loss(y, p)),
        "log_loss": float(log_loss(y, p, labels=[0.0, 1.0])),
        "bins": calibration_bins(p, y),
        "independent": len(set(groups)) == len(y),
    }


def of_numbers(scores: Sequence[float], values: Sequence[float]) -> dict[str, Any]:
    """Return how far predicted numbers were from what came.

    Parameters
    ----------
    scores, values : sequences of float, shape (rows,)
        Predicted, and what came, in the outcome's unit.

    Returns
    -------
    dict
        ``status`` as for ``of_probabilities``; ``r2`` (1 is perfect, 0 no better than the mean, none where all values
        are the same), ``mae`` in the outcome's unit, ``predicted`` and ``observed`` means.
    """
    if len(values) < FEWEST_ROWS:
        return {"status": "refused", "reason": "too-few", "rows": len(values)}
    p, y = np.asarray(scores, dtype=np.float64), np.asarray(values, dtype=np.float64)
    return {
        "status": "measured",
        "rows": len(y),
        "observed": float(y.mean()),
        "predicted": float(p.mean()),
        "lowest": float(p.min()),
        "highest": float(p.max()),
        "r2": float(r2_score(y, p)) if y.min() < y.max() else None,
        "mae": float(mean_absolute_error(y, p)),
    }


def auc_with_range(scores: Numbers, happened: Numbers, groups: Sequence[str]) -> tuple[float, list[float] | None]:
    """Return the area under the ROC curve and its 95 % range.

    Parameters
    ----------
    scores, happened : arrays of float, shape (rows,)
        Both kinds of ``happened``, 1 and 0, at least once.
    groups : sequence of str, shape (rows,)
        Rows of one group may depend on each other.

    Returns
    -------
    tuple
        The chance that a row where it happened has the higher score than one where it did not, ties by half; and its
        range on the logit scale, none where the error can't be told (a perfect ranking, a single group).

    References
    ----------
    DeLong, DeLong and Clarke-Pearson 1988, Biometrics 44, by the midranks of Sun and Xu 2014; in groups Obuchowski
    1997, Biometrics 53. Pepe 2003 for the logit scale.
    """
    auc = float(roc_auc_score(happened, scores))
    event = happened == 1
    m, n = int(event.sum()), int((~event).sum())
    among_all = rankdata(scores)
    # of each row, the share of the other kind that it is ranked rightly against
    right = np.empty(len(scores))
    right[event] = (among_all[event] - rankdata(scores[event])) / n
    right[~event] = 1 - (among_all[~event] - rankdata(scores[~event])) / m
    _, group = np.unique(np.asarray(groups), return_inverse=True)
    size = int(group.max()) + 1
    off = right - auc
    of_events = np.bincount(group, weights=np.where(event, off, 0.0), minlength=size)
    of_others = np.bincount(group, weights=np.where(event, 0.0, off), minlength=size)
    with_events, with_others = len(np.unique(group[event])), len(np.unique(group[~event]))
    if min(with_events, with_others) < 2:
        return auc, None
    variance = (
        _grow(with_events) * np.sum(of_events**2) / m**2
        + _grow(with_others) * np.sum(of_others**2) / n**2
        + 2 * _grow(size) * np.sum(of_events * of_others) / (m * n)
    )
    if not 0 < auc < 1 or variance <= 0:
        return auc, None
    half = norm.ppf(0.5 + LEVEL / 2) * np.sqrt(variance) / (auc * (1 - auc))
    return auc, [float(expit(logit(auc) - half)), float(expit(logit(auc) + half))]


def calibration_bins(scores: Numbers, happened: Numbers) -> list[dict[str, Any]]:
    """Return rows in up to ten bins of about the same size, from the lowest scores, at least 50 in each.

    Parameters
    ----------
    scores, happened : arrays of float, shape (rows,)
        Rows of the same score are in the same bin.

    Returns
    -------
    list of dict
        ``rows``, ``happened``, mean score ``predicted``, share ``observed`` with its Wilson range ``ci``, and the
        ``lowest`` and ``highest`` score.
    """
    number = max(1, min(MOST_BINS, len(scores) // ROWS_A_BIN))
    edges = np.unique(np.quantile(scores, np.arange(1, number) / number))
    place = np.searchsorted(edges, scores, side="left")
    bins = []
    for one in np.unique(place):
        p, y = scores[place == one], happened[place == one]
        bins.append(
            {
                "rows": len(y),
                "happened": int(y.sum()),
                "predicted": float(p.mean()),
                "observed": float(y.mean()),
                "ci": wilson(int(y.sum()), len(y)),
                "lowest": float(p.min()),
                "highest": float(p.max()),
            }
        )
    return bins


def wilson(happened: int, rows: int) -> list[float]:
    """Return the 95 % range of a share by the score method.

    Parameters
    ----------
    happened, rows : int
        Rows at least 1.

    References
    ----------
    Wilson 1927, Journal of the American Statistical Association 22.
    """
    low, high = proportion_confint(happened, rows, alpha=1 - LEVEL, method="wilson")
    return [max(0.0, float(low)), min(1.0, float(high))]


def _grow(number: int) -> float:
    return number / (number - 1)
