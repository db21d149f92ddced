"""Whether what was drawn was done, and whether what was done instead hangs on the score or the arm."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy import stats

from impact.analysis.checks.evidence import Evidence, Finding
from impact.analysis.looked import Reported
from impact.stats.multiplicity import holm

OTHERWISE = 0.05
UNEVEN = 0.001
# fewer overrides than this say nothing of what they hang on
FEW = 5


def executed_as_drawn(seen: Evidence) -> Finding | None:
    """What was reported as done is what was drawn, nearly always and in every arm alike."""
    reported = seen.measured.looked.reported
    rows = sum(one.rows for one in reported)
    if not rows:
        return None
    share = sum(one.otherwise for one in reported) / rows
    p = _uneven(reported, [one.otherwise for one in reported])
    arms = [one.arm for one in reported if one.otherwise > OTHERWISE * one.rows]
    passed = share <= OTHERWISE and (p is None or p >= UNEVEN)
    worst = max(reported, key=lambda one: one.otherwise / one.rows).arm
    return Finding("executed_as_drawn", "warn", passed, share, p, {"arms": arms or [worst]})


def overrides_at_random(seen: Evidence) -> Finding | None:
    """Overrides are as frequent in every arm, and not of those who score high or low."""
    reported = seen.measured.looked.reported
    overridden = sum(one.overridden for one in reported)
    if overridden < FEW:
        return None
    tests = {"arm": p} if (p := _uneven(reported, [one.overridden for one in reported])) is not None else {}
    scores = _by_score(seen)
    if scores is not None:
        tests["score"] = scores
    if not tests:
        return None
    adjusted = dict(zip(tests, holm(list(tests.values())), strict=True))
    hangs_on = [name for name, p in adjusted.items() if p < UNEVEN]
    return Finding(
        "overrides_at_random",
        "warn",
        not hangs_on,
        None,
        min(adjusted.values()),
        {"overridden": overridden, "hangs_on": hangs_on},
    )


def _uneven(reported: Sequence[Reported], counts: Sequence[int]) -> float | None:
    """Chi-square of a count over the arms of which something is reported."""
    table = np.array([counts, [one.rows - n for one, n in zip(reported, counts, strict=True)]])
    if table.shape[1] < 2 or not table.sum(axis=1).all():
        return None
    return float(stats.chi2_contingency(table, correction=False).pvalue)


def _by_score(seen: Evidence) -> float | None:
    """Welch's test of the scores of what was overridden against the others, the arms put together by their z."""
    scored = {(one.arm, one.overridden): one for one in seen.measured.looked.scored}
    distances = []
    for arm in sorted({arm for arm, _ in scored}):
        left, right = scored.get((arm, True)), scored.get((arm, False))
        if left is None or right is None or min(left.rows, right.rows) < FEW:
            continue
        error = math.sqrt(left.variance / left.rows + right.variance / right.rows)
        if error:
            distances.append((left.mean - right.mean) / error)
    if not distances:
        return None
    return float(2 * stats.norm.sf(abs(sum(distances)) / math.sqrt(len(distances))))
