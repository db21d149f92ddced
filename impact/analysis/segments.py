"""The figure that decides in every value of every segment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from impact.agreements.plan import MONEY, Plan
from impact.analysis.coarser import by_clusters
from impact.analysis.estimate import figures
from impact.analysis.measure import NET, Measured
from impact.analysis.methods import Data, compared
from impact.analysis.metrics import fraction
from impact.stats.multiplicity import benjamini_hochberg


def segment_blocks(plan: Plan, measured: Measured) -> list[dict[str, Any]]:
    """The primary figure in every value of every segment, false discoveries controlled within a segment."""
    name = MONEY if plan.net else plan.primary.key if plan.primary else None
    if name is None or plan.clustered:
        return []
    family = measured.families[name]
    contrast, per, kind = NET, None, "mean"
    if not plan.net and plan.primary:
        (contrast, per), kind = fraction(plan.primary, family), plan.primary.kind
    blocks: list[dict[str, Any]] = []
    for segment, tables in family.segments.items():
        found: list[dict[str, Any]] = [
            {
                "by": segment,
                "value": value,
                "exploratory": segment not in plan.agreed_segments,
                "n": table.n,
                "comparisons": [
                    figures(
                        plan,
                        compared(Data(table), kind, contrast, arm, baseline, level=1 - plan.alpha, seed=0, per=per),
                    )
                    | {"by_clusters": by_clusters(plan, measured.coarser, (segment, value), contrast, arm, baseline)}
                    for arm, baseline in plan.pairs
                ],
            }
            for value, table in sorted(tables.items(), key=lambda item: placed(plan, item[0]))
        ]
        _control_false_discoveries(segment, [one for block in found for one in block["comparisons"]])
        blocks += found
    return blocks


def placed(plan: Plan, value: str) -> tuple[int, str]:
    """Score bands from the lowest, other values by name."""
    return (plan.bands.index(value) if value in plan.bands else len(plan.bands), value)


def _control_false_discoveries(segment: str, blocks: Sequence[dict[str, Any]]) -> None:
    with_p = [block for block in blocks if block["p_value"] is not None]
    for block, p in zip(with_p, benjamini_hochberg([block["p_value"] for block in with_p]), strict=True):
        block["p_adjusted"] = p
    for block in blocks:
        block["family"] = {"name": segment, "comparisons": len(blocks), "correction": "benjamini_hochberg"}
    for block in blocks:
        block.pop("_effect", None)
