"""What stays of a withheld analysis: plan, counts and checks, and no figure that may not be believed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

# findings that tell of the effect itself, which nobody may know where it is withheld
TELLING = (
    "assumptions_hold", "incentive_leaks", "spent_without_effect", "effect_lasts", "driver_and_money",
    "driver_and_money_by_segment", "strata_unharmed", "phases_agree", "few_rows_decide",
)  # fmt: skip
NOTHING: dict[str, Any] = {
    "adverse": [], "months": [], "policies": [], "segments": [],
    "stop_or_wait": None, "value_ladder": None, "value_statement": None, "what_if": None,
}  # fmt: skip


def without_figures(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a withheld document without its figures, in the same shape; any other as it is.

    Parameters
    ----------
    document : mapping
        Results of an analysis, as stored.
    """
    if document["verdict"]["level"] != "withheld":
        return dict(document)
    return dict(document) | {
        name: nothing for name, nothing in NOTHING.items() if name in document
    } | {
        "checks": [check for check in document["checks"] if check["id"] not in TELLING],
        "metrics": [dict(metric) | _counted(metric["arms"]) for metric in document["metrics"]],
        "money": document["money"] and document["money"] | _counted(document["money"]["arms"]) | {"exploration": None},
    }  # fmt: skip


def _counted(arms: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The rows of each arm, which help to find what went wrong, and no comparison."""
    known = ("arm", "n")
    return {"arms": [{name: arm[name] if name in known else None for name in arm} for arm in arms], "comparisons": []}
