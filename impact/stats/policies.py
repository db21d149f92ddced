"""What one policy earns above another that chooses by stratum: the difference where they disagree."""

from __future__ import annotations

from collections.abc import Mapping

from impact.stats.effects import Compared, NotEstimable, TEffect, combined
from impact.stats.moments import Contrast, Moments, MomentTable


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


def _merged(groups: list[dict[str, Moments]]) -> dict[str, Moments]:
    merged: dict[str, Moments] = {}
    for group in groups:
        for arm, moments in group.items():
            merged[arm] = merged[arm] + moments if arm in merged else moments
    return merged
