"""What an estimate needs from the rows, so that one aggregation can serve all of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import reduce
from itertools import combinations, product

from impact.stats.moments import Contrast


@dataclass(frozen=True, slots=True)
class Needs:
    """Columns and their co-moments, and whether cluster sums or the rows themselves are needed.

    Attributes
    ----------
    columns : frozenset of str
        Means and variances; a column of 0 and 1 has its counts in them.
    pairs : frozenset of (str, str)
        Co-moments, each pair in alphabetical order.
    clusters : frozenset of str
        Columns that are summed by cluster.
    rows : frozenset of str
        Columns that are read row by row: for randomization inference, quantiles, logged decisions.
    """

    columns: frozenset[str] = field(default_factory=frozenset)
    pairs: frozenset[tuple[str, str]] = field(default_factory=frozenset)
    clusters: frozenset[str] = field(default_factory=frozenset)
    rows: frozenset[str] = field(default_factory=frozenset)

    def __or__(self, other: Needs) -> Needs:
        return Needs(
            self.columns | other.columns,
            self.pairs | other.pairs,
            self.clusters | other.clusters,
            self.rows | other.rows,
        )


def of_mean(contrast: Contrast, covariates: Sequence[str] = ()) -> Needs:
    """Needs of ``difference``, ``lin`` and ``cuped``, of ``roi`` and ``cace`` over the same columns, and of lifts.

    Parameters
    ----------
    contrast : mapping of column to weight
    covariates : sequence of str
    """
    return _moments([*contrast], covariates)


def of_proportion(column: str) -> Needs:
    """Needs of the score and the exact method: counts, which a column of 0 and 1 has in its moments.

    Parameters
    ----------
    column : str
    """
    return Needs(frozenset([column]))


def of_ratio(numerator: Contrast, denominator: Contrast, covariates: Sequence[str] = ()) -> Needs:
    """Needs of ``ratio``.

    Parameters
    ----------
    numerator, denominator : mapping of column to weight
    covariates : sequence of str
    """
    return _moments([*numerator, *denominator], covariates)


def of_clusters(contrast: Contrast) -> Needs:
    """Needs of ``cr2``, the wild bootstrap and clustered randomization inference.

    Parameters
    ----------
    contrast : mapping of column to weight
    """
    return Needs(clusters=frozenset(contrast))


def of_rows(contrast: Contrast) -> Needs:
    """Needs of what sees single rows: randomization inference, caps, skewness, policy values.

    Parameters
    ----------
    contrast : mapping of column to weight
    """
    return Needs(rows=frozenset(contrast))


def union(needs: Iterable[Needs]) -> Needs:
    """Return what serves all of them.

    Parameters
    ----------
    needs : iterable of Needs
    """
    return reduce(Needs.__or__, needs, Needs())


def _moments(outcomes: Sequence[str], covariates: Sequence[str]) -> Needs:
    crossed = [*combinations(outcomes, 2), *combinations(covariates, 2), *product(outcomes, covariates)]
    pairs = frozenset((min(pair), max(pair)) for pair in crossed if pair[0] != pair[1])
    return Needs(frozenset([*outcomes, *covariates]), pairs)
