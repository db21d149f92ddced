"""Policies: from a prediction and the eligible actions to a probability for each."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

KINDS = ("fixed", "random", "bands")


def check_policy(kind: str, content: Mapping[str, Any], candidates: Sequence[str]) -> None:
    """Refuse a policy that couldn't decide.

    Parameters
    ----------
    kind : str
        ``fixed``, ``random`` or ``bands``.
    content : mapping
        ``{"action": key}``; nothing; or ``{"bands": [{"from": score, "action": key}, ...]}``, ascending.
    candidates : sequence of str
        Actions of the decision point.

    Raises
    ------
    ValueError
    """
    if kind not in KINDS:
        raise ValueError(f"kind == {kind!r}, must be one of {', '.join(KINDS)}")
    wanted = {"fixed": {"action"}, "random": set(), "bands": {"bands"}}[kind]
    if set(content) != wanted:
        raise ValueError(f"a {kind} policy has {sorted(wanted) or 'nothing more'}, got {sorted(content)}")
    bands = content.get("bands", [])
    if kind == "bands":
        _check_bands(bands)
    named = [content["action"]] if kind == "fixed" else [band["action"] for band in bands]
    for action in named:
        if action not in candidates:
            raise ValueError(f"action {action!r} is no candidate; candidates are {', '.join(candidates)}")


def probabilities(
    kind: str, content: Mapping[str, Any], score: float, eligible: Sequence[str], baseline: str
) -> dict[str, float]:
    """Return the probability of each eligible action; they sum to 1.

    Parameters
    ----------
    kind, content
        Of the policy version.
    score : float
    eligible : sequence of str
        Actions that the unit may get, the baseline among them.
    baseline : str
        What is done where the policy's own choice isn't eligible, or no band is reached.
    """
    if kind == "random":
        return dict.fromkeys(eligible, 1 / len(eligible))
    action = baseline
    if kind == "fixed":
        action = content["action"]
    else:
        for band in content["bands"]:
            if score >= band["from"]:
                action = band["action"]
    chosen = action if action in eligible else baseline
    return {candidate: float(candidate == chosen) for candidate in eligible}


def _check_bands(bands: Sequence[Mapping[str, Any]]) -> None:
    for band in bands:
        if set(band) != {"from", "action"}:
            raise ValueError(f"a band has 'from' and 'action', got {dict(band)}")
        start = band["from"]
        if isinstance(start, bool) or not isinstance(start, int | float) or not math.isfinite(start):
            raise ValueError(f"from == {start!r}, must be a number")
    starts = [band["from"] for band in bands]
    if not starts or starts != sorted(set(starts)):
        raise ValueError("bands must be a list with ascending 'from' scores")
