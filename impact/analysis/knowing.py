"""What it cost to know: the money that randomizing gave away on the rows that count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def exploration(
    arms: Sequence[Mapping[str, Any]], comparisons: Sequence[Mapping[str, Any]], baseline: str
) -> dict[str, Any] | None:
    """What the arm that did best would have earned on all rows, less what every arm earned on its own.

    Parameters
    ----------
    arms : sequence of mapping
        ``arm`` and its rows ``n``.
    comparisons : sequence of mapping
        With the ``net`` block of every arm against the baseline.
    baseline : str

    Returns
    -------
    dict or None
        ``arm`` that did best, ``rows``, and the money ``given_away``, at least 0; None where an arm has no estimate.
        Which arm did best is seen on the same rows, so it is rather too much than too little.
    """
    rows = {arm["arm"]: arm["n"] for arm in arms}
    nets = {baseline: 0.0}
    for block in comparisons:
        if block["baseline"] == baseline:
            nets[block["arm"]] = block["net"]["effect"]
    if set(nets) != set(rows) or any(net is None for net in nets.values()):
        return None
    best = max(nets, key=lambda arm: nets[arm])
    earned = sum(rows[arm] * net for arm, net in nets.items())
    whole = sum(rows.values())
    return {"arm": best, "rows": whole, "given_away": max(0.0, whole * nets[best] - earned)}
