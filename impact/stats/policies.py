"""What one policy earns above another that chooses by stratum: the difference where they disagree."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from impact.stats.choice import FEW_CLUSTERS
from impact.stats.clusters import ClusterSums, regression, robust, shares
from impact.stats.effects import TOO_FEW_ROWS, Compared, NotEstimable, TEffect, combined
from impact.stats.moments import Contrast, Moments, MomentTable, comparable_cells


def policy_difference(
    table: MomentTable, contrast: Contrast, policy: Mapping[str, str], against: Mapping[str, str]
) -> TEffect | NotEstimable:
    """Estimate the difference between two policies that choose by stratum.

    Parameters
    ----------
    table : MomentTable
        Of the rows on which the arms were randomized within strata.
    contrast : mapping of column to weight
    policy, against : mapping of stratum to arm
        One arm for every stratum of the table.

    Returns
    -------
    TEffect or NotEstimable
        The sum over the strata in which they disagree; the others differ by exactly 0. A stratum's phases are
        merged where an arm has fewer than two rows in one of them.
    """
    strata = sorted({cell.stratum for cell in table.cells})
    missing = [stratum for stratum in strata if stratum not in policy or stratum not in against]
    if missing:
        raise ValueError(f"stratum {missing[0]!r} has no arm in one of the policies")
    compared = []
    for stratum in strata:
        mine = {cell: moments for cell, moments in sorted(table.cells.items()) if cell.stratum == stratum}
        rows = sum(moments.n for moments in mine.values())
        arms = policy[stratum], against[stratum]
        if arms[0] == arms[1]:
            compared.append(Compared(rows / table.n, None, None))
            continue
        phases: dict[str, dict[str, Moments]] = {}
        for cell, moments in mine.items():
            phases.setdefault(cell.phase, {})[cell.arm] = moments
        groups = list(phases.values())
        if any(arm not in group or group[arm].n < 2 for group in groups for arm in arms):
            groups = [_merged(groups)]
        for group in groups:
            if any(arm not in group or group[arm].n < 2 for arm in arms):
                return NotEstimable(f"fewer than two rows in an arm of stratum {stratum!r}")
            share = sum(moments.n for moments in group.values()) / table.n
            compared.append(Compared(share, group[arms[0]], group[arms[1]]))
    return combined(compared, table.weights(contrast), "policy_stratified")


def random_difference(
    table: MomentTable, contrast: Contrast, arms: Sequence[str], baseline: str
) -> TEffect | NotEstimable:
    """Estimate what drawing one of the arms for every row, all alike, earns above the baseline.

    Parameters
    ----------
    table : MomentTable
    contrast : mapping of column to weight
    arms : sequence of str
        The baseline among them.
    baseline : str

    Returns
    -------
    TEffect or NotEstimable
        sum W (mean of the arms' means - mean_baseline); the baseline's rows count once in both.
    """
    shares = comparable_cells(table, tuple(arms))
    if not shares:
        return NotEstimable(TOO_FEW_ROWS)
    weights, k = table.weights(contrast), len(arms)
    estimate = variance = spread = 0.0
    for share, cell in shares:
        for arm in arms:
            part = share * (1 / k - (arm == baseline))
            sample = cell[arm].sample(weights)
            estimate += part * (float(weights @ (cell[arm].mean - cell[baseline].mean)))
            v = part**2 * sample.variance / sample.n
            variance += v
            spread += v**2 / (sample.n - 1)
    return TEffect(estimate, math.sqrt(variance), variance**2 / spread if spread else math.inf, "random_stratified")


def clustered_policies(
    sums: ClusterSums, contrast: Contrast, policy: Mapping[str, str], against: Mapping[str, str]
) -> TEffect | NotEstimable:
    """Estimate the difference between two policies that choose by stratum where clusters were randomized.

    Parameters
    ----------
    sums : ClusterSums
        Of the rows, by the strata that the policies choose by; a cluster may have rows in several.
    contrast, policy, against
        As in ``policy_difference``.

    Returns
    -------
    TEffect or NotEstimable
        As ``policy_difference``, with errors as in ``clusters.cr2``.
    """
    signs: dict[tuple[str, str], float] = {}
    for stratum, share in shares(sums).items():
        if policy[stratum] != against[stratum]:
            signs |= {(policy[stratum], stratum): share, (against[stratum], stratum): -share}
    return _by_clusters(sums, contrast, signs)


def clustered_random(
    sums: ClusterSums, contrast: Contrast, arms: Sequence[str], baseline: str
) -> TEffect | NotEstimable:
    """Estimate what drawing one of the arms earns above the baseline where clusters were randomized.

    Parameters
    ----------
    sums : ClusterSums
    contrast, arms, baseline
        As in ``random_difference``.

    Returns
    -------
    TEffect or NotEstimable
    """
    signs = {
        (arm, stratum): share * (1 / len(arms) - (arm == baseline))
        for stratum, share in shares(sums).items()
        for arm in arms
    }
    return _by_clusters(sums, contrast, signs)


def _by_clusters(
    sums: ClusterSums, contrast: Contrast, signs: Mapping[tuple[str, str], float]
) -> TEffect | NotEstimable:
    """CR2 for a sum of means; with so few clusters as draws would have to be made again for, none."""
    if not signs:
        return TEffect(0.0, 0.0, math.inf, "cluster_cr2")
    fewest = min(sums.clusters(arm, [one for other, one in signs if other == arm]) for arm, _ in signs)
    if fewest < FEW_CLUSTERS:
        return NotEstimable(f"{fewest} clusters in an arm, fewer than {FEW_CLUSTERS}")
    found = regression(sums, contrast, signs)
    return found if isinstance(found, NotEstimable) else robust(found)


def _merged(groups: list[dict[str, Moments]]) -> dict[str, Moments]:
    merged: dict[str, Moments] = {}
    for group in groups:
        for arm, moments in group.items():
            merged[arm] = merged[arm] + moments if arm in merged else moments
    return merged
