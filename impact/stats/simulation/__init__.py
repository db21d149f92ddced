"""Every method on data whose truth is known: how often it rejects what is true, and covers what is there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats

ALPHA = 0.05
# of 2,000 runs 69 to 133 may reject: these are the tails beyond
LOW_TAIL, HIGH_TAIL = float(stats.binom.cdf(68, 2000, ALPHA)), float(stats.binom.sf(133, 2000, ALPHA))


START, END = "<!-- simulation -->", "<!-- end of simulation -->"


class Run(NamedTuple):
    """One simulated experiment without an effect, and one with.

    Attributes
    ----------
    rejected : bool
        The true null was rejected at .05.
    covered : bool or None
        The 95 % interval of the other experiment holds its true effect; None for a family of comparisons.
    warned : bool
        The method said on its face that it may be off here.
    refused : str
        Why there is no estimate; then the other fields don't count.
    """

    rejected: bool = False
    covered: bool | None = True
    warned: bool = False
    refused: str = ""


class Case(NamedTuple):
    """A method on one kind of data.

    Attributes
    ----------
    method, data : str
    run : function
        From a random generator to a Run.
    at_most : bool
        Only too many rejections, or too little coverage, are a fault: looking at any time, families.
    """

    method: str
    data: str
    run: Callable[[np.random.Generator], Run]
    at_most: bool = False


class Row(NamedTuple):
    """What a case came to.

    Attributes
    ----------
    rejections : int
        Of the runs that weren't refused.
    coverage : float
    warned, refused : int
        Runs.
    verdict : str
        ``holds``; ``warns`` or ``refuses``, where nine runs of ten said so; ``fails``.
    """

    method: str
    data: str
    runs: int
    rejections: int
    coverage: float
    warned: int
    refused: int
    reason: str
    verdict: str


def simulate(cases: Sequence[Case], runs: int, seed: int = 1) -> Iterator[Row]:
    """Run every case so many times; a case's numbers don't depend on the others.

    Parameters
    ----------
    cases : sequence of Case
    runs : int
        >= 1.
    seed : int
    """
    for case in cases:
        # from its name, so that cases can be added and left out
        name = [ord(letter) for letter in f"{case.method} {case.data}"]
        rng = np.random.default_rng([seed, *name])
        yield _row(case, [case.run(rng) for _ in range(runs)])


def bars(runs: int, alpha: float = ALPHA) -> tuple[int, int]:
    """Fewest and most rejections of a true null in so many runs: 69 and 133 of 2,000, or the same tails.

    Parameters
    ----------
    runs : int
        >= 1.
    alpha : float
        In (0, 1).
    """
    low = int(stats.binom.ppf(LOW_TAIL, runs, alpha))
    low += bool(stats.binom.cdf(low, runs, alpha) <= LOW_TAIL)
    return low, int(stats.binom.isf(HIGH_TAIL, runs, alpha))


def markdown(rows: Sequence[Row]) -> str:
    """Table for docs/statistics.md.

    Parameters
    ----------
    rows : sequence of Row
    """
    lines = [
        "| method | data | rejected | coverage | warned | refused | |",
        "|---|---|---:|---:|---:|---:|---|",
    ]
    for row in rows:
        told = row.verdict if row.verdict != "refuses" else f"refuses: {row.reason}"
        rejected = str(row.rejections) if row.runs > row.refused else "-"
        coverage = f"{row.coverage:.4f}" if row.coverage == row.coverage else "-"
        lines.append(f"| {row.method} | {row.data} | {rejected} | {coverage} | {row.warned} | {row.refused} | {told} |")
    return "\n".join(lines)


def placed(document: str, table: str, start: str = START, end: str = END) -> str:
    """Document with the table between its two markers.

    Parameters
    ----------
    document, table, start, end : str

    Raises
    ------
    ValueError
        The document has no markers.
    """
    before, _, rest = document.partition(start)
    _, found, after = rest.partition(end)
    if not found:
        raise ValueError(f"the document has no {start} and {end}")
    return f"{before}{start}\n{table}\n{end}{after}"


def _row(case: Case, found: Sequence[Run]) -> Row:
    done = [run for run in found if not run.refused]
    rejections, missed = (
        sum(run.rejected for run in done),
        sum(run.covered is not None and not run.covered for run in done),
    )
    warned, refused = sum(run.warned for run in done), len(found) - len(done)
    reasons = [run.refused for run in found if run.refused]
    low, high = bars(len(done)) if done else (0, 0)
    if case.at_most:
        low = 0
    if low <= rejections <= high and low <= missed <= high and refused < 0.9 * len(found):
        verdict = "holds"
    elif refused >= 0.9 * len(found):
        verdict = "refuses"
    else:
        verdict = "warns" if warned + refused >= 0.9 * len(found) else "fails"
    return Row(
        case.method,
        case.data,
        len(found),
        rejections,
        1 - missed / len(done) if done and done[0].covered is not None else float("nan"),
        warned,
        refused,
        max(reasons, key=reasons.count) if reasons else "",
        verdict,
    )
